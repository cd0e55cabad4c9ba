"""One exam at the stages of the chain: what each removes, and what odd input gives."""

import numpy as np
import pytest
from tests.services.fingerprint.scene import head

from nameplate.image.fingerprint.catalogue import STAGES
from nameplate.image.fingerprint.measure import PICTURE_MEASURES, measured
from nameplate.image.fingerprint.slices import Missing, Numbers, Slices
from nameplate.image.volume import Volume
from nameplate.image.window import Window
from nameplate_fingerprint.stages import measured_stages

WINDOW = Window(width=100, level=50)


def _stages(image: Volume, mask: Volume) -> dict[str, Numbers]:
    return dict(measured_stages(image, mask, WINDOW))


def test_every_stage_has_every_measure() -> None:
    made = _stages(*head())
    assert tuple(made) == STAGES[1:]
    names = {measure.name for measure in PICTURE_MEASURES}
    assert all(set(numbers) == names for numbers in made.values())
    assert made["nifti"] == measured(Slices.of_volume(*head()))


def test_the_window_and_the_brain_alone_change_what_they_should() -> None:
    image, mask = head()
    made = _stages(image, mask)
    clipped = np.clip(image.array, WINDOW.low, WINDOW.high)
    assert made["windowed"] == measured(Slices.of_volume(image.with_array(clipped), mask))
    # Bone and air are gone: what is outside the brain can no longer be told from it.
    outside = image.with_array(np.where(mask.array != 0, image.array, np.int16(500)))
    for name, number in _stages(outside, mask)["brain alone"].items():
        assert number == made["brain alone"][name], name


@pytest.mark.parametrize("odd", ["nan", "constant", "no mask", "anisotropic", "one slice", "air"])
def test_odd_input_gives_numbers_or_reasons(odd: str) -> None:
    image, mask = head(matrix=48, slices=6)
    if odd == "nan":
        hu = image.array.astype(np.float32)
        hu[20:30, 20:30], hu[:, :, 2] = np.nan, np.nan
        image = image.with_array(hu)
    elif odd == "constant":
        image = image.with_array(np.full_like(image.array, 30))
    elif odd == "no mask":
        mask = mask.with_array(np.zeros_like(mask.array))
    elif odd == "anisotropic":
        affine = np.diag([2.0, 6.0, 5.0, 1.0])
        image, mask = Volume(image.array, affine), Volume(mask.array, affine)
    elif odd == "one slice":
        image, mask = Volume(image.array[..., 3:4], image.affine), Volume(mask.array[..., 3:4], mask.affine)
    else:
        image = image.with_array(np.full_like(image.array, -1000))
    for numbers in _stages(image, mask).values():
        for name, number in numbers.items():
            assert isinstance(number, Missing) or np.isfinite(number), name


def test_a_mask_of_another_size_is_refused() -> None:
    image, _ = head(matrix=48, slices=6)
    with pytest.raises(ValueError, match="shape"):
        _stages(image, head(matrix=40, slices=6)[1])
