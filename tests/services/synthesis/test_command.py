"""``nameplate synthesis`` as a person calls it."""

import json
from pathlib import Path

import numpy as np
import pytest

from nameplate.errors import UserError
from nameplate.image.sphere import holds, occupancy
from nameplate.image.volume import Volume, read_nifti, write_nifti
from nameplate.service.command import run_command
from nameplate_synthesis.command import COMMAND

AFFINE = np.array([[3.5, 0, 0, -80], [0, 3.5, 0, -90], [0, 0, 5, -40], [0, 0, 0, 1.0]])


def run(*words: object) -> int:
    return run_command(COMMAND, "nameplate synthesis", [str(word) for word in words])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A head of 30 HU with its mask, and where the result goes."""
    grid = (np.indices((48, 48, 30)) - np.array([23.5, 23.5, 14.5])[:, None, None, None]) * np.array(
        [3.5, 3.5, 5.0]
    )[:, None, None, None]
    mask = ((grid**2).sum(axis=0) <= 60**2).astype(np.uint8)
    image = np.where(mask, 30, -1000).astype(np.int16)
    write_nifti(tmp_path / "head.nii.gz", Volume(image, AFFINE))
    write_nifti(tmp_path / "mask.nii.gz", Volume(mask, AFFINE))
    return tmp_path / "head.nii.gz", tmp_path / "mask.nii.gz", tmp_path / "out.nii.gz"


def test_one_sphere_and_one_line(files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*files, "--radius-mm", 23, "--hu", 50, "--sd", 2, "--seed", 1) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    said = json.loads(out)
    assert (said["radius_mm"], said["hu_mean"], said["hu_sd"]) == (23.0, 50.0, 2.0)
    image, mask, made = (read_nifti(path) for path in files)
    centre = tuple(said["centre_mm"])
    assert holds(mask, centre, 23.0)
    box, share = occupancy(image, centre, 23.0)
    assert made.array[box][share == 1.0].mean() == pytest.approx(50, abs=0.5)
    touched = np.zeros(image.array.shape, dtype=bool)
    touched[box] = share > 0
    assert (made.array[~touched] == image.array[~touched]).all()
    np.testing.assert_array_equal(made.affine, image.affine)
    assert sorted(path.name for path in files[0].parent.iterdir()) == [
        "head.nii.gz",
        "mask.nii.gz",
        "out.nii.gz",
    ]


def test_the_seed_decides_the_bytes(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    made = []
    for seed in (1, 1, 2):
        run(*files, "--seed", seed)
        made.append(files[2].read_bytes())
    assert made[0] == made[1] != made[2]


def test_one_intensity_for_the_whole_sphere(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run(*files, "--sd", 5, "--intensity", "per_sphere")
    centre = tuple(json.loads(capsys.readouterr().out)["centre_mm"])
    made = read_nifti(files[2])
    box, share = occupancy(made, centre, 23.0)
    assert len(np.unique(made.array[box][share == 1.0])) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--radius-mm", "90"], r"room for a sphere of 5\d\.\d mm, not of 90 mm"),
        (["--radius-mm", "0"], "--radius-mm: expected a number from 0.1, got 0"),
        (["--radius-mm", "nan"], "--radius-mm: expected a number from 0.1, got nan"),
        (["--sd", "-1"], "--sd: expected a number from 0, got -1"),
        (["--sd", "inf"], "--sd: expected a number from 0, got inf"),
        (["--hu", "1e9"], "--hu: expected an intensity in HU"),
        (["--hu", "nan"], "--hu: expected an intensity in HU"),
    ],
)
def test_wrong_numbers_are_refused_in_one_line(
    files: tuple[Path, Path, Path], words: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        run(*files, *words)
    assert "\n" not in str(caught.value)
    assert not files[2].exists()


def test_files_that_do_not_fit_are_refused(files: tuple[Path, Path, Path]) -> None:
    head, mask, out = files
    there = read_nifti(mask)
    other = head.with_name("other.nii.gz")
    write_nifti(other, Volume(there.array[:, :, 1:], AFFINE))
    with pytest.raises(UserError, match="shape"):
        run(head, other, out)
    away = AFFINE.copy()
    away[0, 3] += 30
    write_nifti(other, Volume(there.array, away))
    with pytest.raises(UserError, match="not at the same place in the patient"):
        run(head, other, out)
    sheared = AFFINE.copy()
    sheared[1, 2] = 1.5
    slanted = head.with_name("slanted.nii.gz")
    # A NIfTI quaternion cannot hold a shear: as other programs do, only the sform is written.
    import nibabel as nib

    for path, array in ((slanted, read_nifti(head).array), (other, there.array)):
        image = nib.Nifti1Image(array, None)
        image.set_sform(sheared, code=1)
        nib.save(image, path)
    with pytest.raises(UserError, match="not perpendicular"):
        run(slanted, other, out)
    broken = head.with_name("broken.nii.gz")
    values = read_nifti(head).array.astype(np.float32)
    values[3, 3, 3] = np.nan
    write_nifti(broken, Volume(values, AFFINE))
    with pytest.raises(UserError, match="not HU"):
        run(broken, mask, out)
    with pytest.raises(UserError, match="no such file"):
        run(head.with_name("absent.nii.gz"), mask, out)
    with pytest.raises(UserError, match="cannot be written"):
        run(head, mask, head.parent / "nowhere" / "out.nii.gz")
    assert not out.exists()


def test_an_image_of_fractions_becomes_whole_hu(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    head, mask, out = files
    image = read_nifti(head)
    write_nifti(head, Volume((image.array + 0.25).astype(np.float32), AFFINE))
    assert run(head, mask, out) == 0
    made = read_nifti(out)
    assert made.array.dtype == np.int16
    assert made.array[0, 0, 0] == -1000
