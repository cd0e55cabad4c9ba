"""The whole way from simulated DICOM to a mask, against the simulation's own truth."""

import numpy as np
import pytest
from scipy import ndimage

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.image.volume import Volume, read_nifti
from nameplate_ingest.ingest import ingest_folder
from nameplate_phantom.study import simulate_study
from nameplate_skullstrip.strip import skullstrip


def _share(truth: Volume, image: Volume) -> np.ndarray:
    """Share of each voxel of the image that the truth covers, from points within the voxel."""
    to_truth = np.linalg.inv(truth.affine) @ image.affine
    third = (-1 / 3, 0, 1 / 3)
    points = [(i, j, k) for i in third for j in third for k in (-0.4, -0.2, 0, 0.2, 0.4)]
    total = np.zeros(image.array.shape)
    for point in points:
        start = to_truth[:3, 3] + to_truth[:3, :3] @ np.array(point)
        total += ndimage.affine_transform(
            truth.array.astype(float), to_truth[:3, :3], start, output_shape=total.shape, order=1
        )
    return total / len(points)


@pytest.mark.parametrize(("number", "matrix"), [(0, 64), (1, 64), (1, 128)])
def test_simulated_studies_reach_dice_and_volume(head, tmp_path, number, matrix):
    settings = PhantomSettings(exams=4, matrix=128, thin_mm=5.0, truth=True)
    simulate_study(settings, seed=5, cohort="c", number=number, out=tmp_path / "studies")
    (tmp_path / "studies" / "truth").rename(tmp_path / "truth")
    ingest_folder(tmp_path / "studies", tmp_path / "out", IngestSettings(matrix=matrix), key=b"k" * 16)
    [path] = (tmp_path / "out" / "images").glob("*.nii.gz")
    [known] = (tmp_path / "truth").rglob("intracranial.nii.gz")
    image, truth = read_nifti(path), read_nifti(known)
    stripped = skullstrip(image)
    covered = _share(truth, image) >= 0.5
    assert stripped.usable
    assert head.dice(stripped.mask.array, covered) >= 0.985
    assert abs(stripped.volume_ml / (covered.sum() * image.voxel_ml) - 1.0) <= 0.015
