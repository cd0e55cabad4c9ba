"""Real series; skipped where the data folder is absent."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from nameplate.image.volume import Volume
from nameplate_skullstrip.strip import skullstrip

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
GE, PHILIPS = DATA / "ge-hispeed-head", DATA / "philips-ingenuity-phantom"


def _load(folder: Path, series: str, slice_mm: float) -> Volume:
    """A series of 512 x 512 as 256 x 256, slices brought to an even distance along the table."""
    found = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    slices = [one for one in found if "ImagePositionPatient" in one and str(one.SeriesNumber) == series]
    slices.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    hu = np.stack([one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept) for one in slices])
    hu = np.maximum(hu, -1024.0).reshape(len(hu), 256, 2, 256, 2).mean(axis=(2, 4))
    height = np.array([float(one.ImagePositionPatient[2]) for one in slices])
    wanted = np.arange(0.0, height[-1] - height[0] + 1e-6, slice_mm)
    place = np.interp(wanted, height - height[0], np.arange(len(height)))
    low = np.minimum(place.astype(int), len(height) - 2)
    part = (place - low)[:, None, None]
    even = hu[low] * (1.0 - part) + hu[low + 1] * part
    # DICOM rows run front to back and columns right to left; nameplate's the other way round.
    array = np.rint(even).astype(np.int16).transpose(2, 1, 0)[::-1, ::-1]
    across, down = np.split(np.array(slices[0].ImageOrientationPatient, float), 2)
    pixel = 2.0 * float(slices[0].PixelSpacing[0])
    affine = np.eye(4)
    affine[:3, 0] = np.array([1, 1, -1]) * across * pixel
    affine[:3, 1] = np.array([1, 1, -1]) * down * pixel
    affine[2, 2] = slice_mm
    return Volume(np.ascontiguousarray(array), affine)


@pytest.mark.skipif(not GE.is_dir(), reason="real data not at hand")
def test_real_head_matches_the_reference(head, ge_reference):
    image = _load(GE, "2", 5.0)
    stripped = skullstrip(image)
    reference = ge_reference.ge_reference(image.array)
    assert stripped.usable
    assert stripped.flags == ()
    assert head.dice(stripped.mask.array, reference) >= 0.975
    assert abs(stripped.volume_ml / (reference.sum() * image.voxel_ml) - 1.0) <= 0.03
    # The same head by another conversion and another mask of the method: 1491 mL.
    assert abs(stripped.volume_ml / 1491.0 - 1.0) <= 0.03


@pytest.mark.skipif(not GE.is_dir(), reason="real data not at hand")
def test_real_head_mirrored_gives_the_same_mask():
    image = _load(GE, "2", 5.0)
    mask = skullstrip(image).mask.array
    for mirror in (np.s_[::-1], np.s_[:, ::-1]):
        assert np.array_equal(skullstrip(image.with_array(image.array[mirror])).mask.array, mask[mirror])


@pytest.mark.skipif(not GE.is_dir(), reason="real data not at hand")
@pytest.mark.parametrize("sd", [10.0, 20.0])
def test_real_head_with_noise_keeps_its_mask(head, sd):
    image = _load(GE, "2", 5.0)
    noise = np.random.default_rng(3).normal(0.0, sd, image.array.shape)
    noisy = image.with_array(np.rint(image.array + noise).astype(np.int16))
    assert head.dice(skullstrip(noisy).mask.array, skullstrip(image).mask.array) >= 0.985


@pytest.mark.skipif(not PHILIPS.is_dir(), reason="real data not at hand")
def test_hollow_phantom_is_refused():
    stripped = skullstrip(_load(PHILIPS, "201", 5.0))
    assert "no-brain" in stripped.flags
    assert not stripped.usable
