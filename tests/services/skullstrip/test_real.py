"""Real series; skipped where the data folder is absent."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pydicom
import pytest

from nameplate.campaign.ingest import IngestSettings
from nameplate.image.volume import Volume, read_nifti
from nameplate_ingest.ingest import ingest_folder
from nameplate_skullstrip.strip import skullstrip

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
GE, PHILIPS = DATA / "ge-hispeed-head", DATA / "philips-ingenuity-phantom"
real = pytest.mark.skipif(not GE.is_dir(), reason="real data not at hand")


def _ingested(folder: Path, out: Path, matrix: int, slice_mm: float) -> Volume:
    ingest_folder(folder, out, IngestSettings(matrix=matrix, slice_mm=slice_mm), key=b"k" * 16)
    [path] = (out / "images").glob("*.nii.gz")
    return read_nifti(path)


def _hollow_phantom() -> Volume:
    """The phantom's axial series at half its matrix; ingest would refuse it."""
    found = [pydicom.dcmread(path) for path in sorted(PHILIPS.iterdir())]
    slices = [one for one in found if "ImagePositionPatient" in one and str(one.SeriesNumber) == "201"]
    slices.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    hu = np.stack([one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept) for one in slices])
    hu = np.maximum(hu, -1024.0).reshape(len(hu), 256, 2, 256, 2).mean(axis=(2, 4))
    pixel = 2.0 * float(slices[0].PixelSpacing[0])
    # DICOM rows run front to back and columns right to left; nameplate's the other way round.
    array = np.ascontiguousarray(np.rint(hu).astype(np.int16).transpose(2, 1, 0)[::-1, ::-1])
    return Volume(array, np.diag([pixel, pixel, 5.0, 1.0]))


@pytest.fixture(scope="module")
def truth(ge_reference: ModuleType):
    """From an image of the GE head to its intracranial space."""
    native = ge_reference.read_native(GE)
    outlines = ge_reference.outlines(native)
    return lambda image: ge_reference.reference(native, outlines, image)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    return _ingested(GE, tmp_path_factory.mktemp("plain"), 256, 5.0)


@real
@pytest.mark.parametrize(
    ("matrix", "slice_mm", "dice", "volume"),
    [(256, 5.0, 0.98, 0.015), (256, 2.5, 0.98, 0.015), (256, 4.5, 0.98, 0.015), (256, 7.0, 0.98, 0.018),
     (128, 5.0, 0.98, 0.015), (64, 5.0, 0.975, 0.015)],
)  # fmt: skip
def test_real_head_matches_the_reference(head, truth, tmp_path, matrix, slice_mm, dice, volume):
    image = _ingested(GE, tmp_path, matrix, slice_mm)
    inside = truth(image)
    stripped = skullstrip(image)
    assert stripped.usable
    assert stripped.flags == ()
    assert head.dice(stripped.mask.array, inside) >= dice
    assert abs(stripped.volume_ml / (inside.sum() * image.voxel_ml) - 1.0) <= volume


@real
def test_changed_real_heads_match_the_reference(head, changes, truth, plain):
    seen = 0
    for name, image, inside in changes.changed_heads(plain, truth(plain)):
        stripped = skullstrip(image)
        assert stripped.usable, name
        assert head.dice(stripped.mask.array, inside) >= 0.975, name
        assert abs(stripped.volume_ml / (inside.sum() * image.voxel_ml) - 1.0) <= 0.015, name
        seen += 1
    assert seen == 21


@real
def test_real_head_mirrored_gives_the_same_mask(plain):
    mask = skullstrip(plain).mask.array
    for mirror in (np.s_[::-1], np.s_[:, ::-1]):
        assert np.array_equal(skullstrip(plain.with_array(plain.array[mirror])).mask.array, mask[mirror])


@real
@pytest.mark.parametrize("sd", [10.0, 20.0])
def test_real_head_with_noise_keeps_its_mask(head, plain, sd):
    noise = np.random.default_rng(3).normal(0.0, sd, plain.array.shape)
    noisy = plain.with_array(np.rint(plain.array + noise).astype(np.int16))
    assert head.dice(skullstrip(noisy).mask.array, skullstrip(plain).mask.array) >= 0.985


@pytest.mark.skipif(not PHILIPS.is_dir(), reason="real data not at hand")
def test_hollow_phantom_is_refused():
    stripped = skullstrip(_hollow_phantom())
    assert "no-brain" in stripped.flags
    assert not stripped.usable
