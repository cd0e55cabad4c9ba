import numpy as np
import pytest

from nameplate.campaign.skullstrip import SkullstripSettings
from nameplate_skullstrip.flags import REFUSING, bare_surface, findings

SPACING = (5.0, 1.0, 1.0)


def _flags(
    mask: np.ndarray, hu: float = 35.0, spacing: tuple[float, float, float] = SPACING
) -> tuple[str, ...]:
    return findings(mask, np.full(int(mask.sum()), hu), spacing, 1.0, 0.0, SkullstripSettings())


def _ball(slices: slice) -> np.ndarray:
    mask = np.zeros((30, 120, 120), np.uint8)
    mask[slices, 10:110, 10:110] = 1
    return mask


def test_a_whole_brain_has_no_flags():
    assert _flags(_ball(slice(4, 26))) == ()


@pytest.mark.parametrize("hu", [5.0, 80.0])
def test_implausible_density_is_no_brain(hu):
    assert _flags(_ball(slice(4, 26)), hu) == ("no-brain",)


def test_implausible_volumes_are_no_brain():
    assert _flags(np.zeros((30, 120, 120), np.uint8)) == ("no-brain",)
    assert _flags(_ball(slice(4, 6))) == ("no-brain",)
    assert _flags(_ball(slice(4, 26)), spacing=(5.0, 2.0, 2.0)) == ("no-brain",)


def test_cropping_and_thickness_are_findings_that_do_not_refuse():
    assert _flags(_ball(slice(0, 26))) == ("base-cropped",)
    assert _flags(_ball(slice(4, 30))) == ("vertex-cropped",)
    assert _flags(_ball(slice(10, 20)), spacing=(9.0, 1.0, 1.0)) == ("thick-slices",)
    assert {"no-brain"} == REFUSING


def test_bare_surface_measures_what_has_no_bone():
    brain = np.zeros((20, 40, 40), bool)
    brain[:, 8:32, 8:32] = True
    bone = np.zeros_like(brain)
    bone[:, 6:8] = bone[:, 32:34] = bone[:, :, 6:8] = bone[:, :, 32:34] = True
    spacing = (4.0, 4.0, 4.0)
    assert bare_surface(brain, bone, spacing) == 0.0
    bone[5:15, 12:28, 32:34] = False
    # The opening is 40 x 64 mm; a rim of up to 10 mm has bone near it.
    assert 5.0 < bare_surface(brain, bone, spacing) < 25.6
