"""What a model answers is read as a stranger's: exactly one score or mask within the range, else a reason."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from nameplate.image.volume import Volume, nifti_bytes
from nameplate_challenge.answer import read_answer
from nameplate_challenge.model import NoScore
from nameplate_challenge.request import Request

IMAGE = Volume(np.zeros((6, 5, 4), dtype=np.int16), np.diag([2.0, 2.0, 5.0, 1.0]))


def answer(folder: Path, printed: str = "", *, line: bool = False) -> object:
    return read_answer(Request(folder, 1, False), printed, IMAGE, (0.0, 1.0), prefers_line=line)


def nifti(array: np.ndarray, affine: np.ndarray | None = None) -> bytes:
    return nib.Nifti1Image(array, IMAGE.affine if affine is None else affine).to_bytes()  # type: ignore[no-any-return]


@pytest.mark.parametrize("text", ["0.25", ' {"score": 0.25}\n', "2.5e-1\n\n"])
def test_a_score_is_a_number_or_json(tmp_path: Path, text: str) -> None:
    assert answer(tmp_path, f"Loading weights\n{text}") == 0.25
    (tmp_path / "output.json").write_text(text)
    assert answer(tmp_path, "0.9") == 0.25
    assert answer(tmp_path, "0.9", line=True) == 0.9
    assert answer(tmp_path, "{}", line=True) == 0.25


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("", "no answer"),
        ("done", "no number"),
        ("true", "no number"),
        ('{"score": "high"}', "no number"),
        ("[" * 5000, "no number"),
        ("nan", "NaN"),
        ('{"score": NaN}', "NaN"),
        ("1.5", "outside 0 to 1"),
        ("-inf", "outside"),
        ("1" + "0" * 400, "outside"),
    ],
)
def test_rubbish_has_a_reason(tmp_path: Path, printed: str, reason: str) -> None:
    with pytest.raises(NoScore, match=reason):
        answer(tmp_path, printed)


def test_a_mask_is_on_the_images_grid(tmp_path: Path) -> None:
    array = np.zeros((6, 5, 4), np.float32)
    array[1, 2, 3] = 0.5
    for name, data in (("output.nii", nifti(array)), ("output.nii.gz", gzip.compress(nifti(array)))):
        (tmp_path / name).write_bytes(data)
        read = answer(tmp_path)
        assert isinstance(read, np.ndarray)
        assert np.array_equal(read, array)
        (tmp_path / name).unlink()
    flipped = IMAGE.affine.copy()  # the same mask, stored from right to left
    flipped[0] = [-2.0, 0.0, 0.0, 10.0]
    (tmp_path / "output").write_bytes(nifti(array[::-1].copy(), flipped))
    assert np.array_equal(np.asarray(answer(tmp_path)), array)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (nifti(np.zeros((6, 5, 3), np.uint8)), "another shape"),
        (nifti(np.zeros((6, 5, 4, 2), np.uint8)), "more voxels"),
        (nifti(np.full((6, 5, 4), np.nan, np.float32)), "NaN"),
        (nifti(np.full((6, 5, 4), 3, np.uint8)), "outside 0 to 1"),
        (nifti(np.zeros((6, 5, 4), np.uint8), np.eye(4)), "another place"),
        (nifti(np.zeros((6, 5, 4), np.uint8))[:360], "not a readable"),
        (nifti_bytes(Volume(np.zeros((150, 150, 150), np.uint8), np.eye(4))), "more voxels"),
        (b"\x1f\x8b rubbish", "not a readable"),
        (b"no score", "neither"),
        (b"0.5" + b" " * 10_000_000, "larger than"),
    ],
)
def test_a_bad_output_has_a_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "output").write_bytes(data)
    with pytest.raises(NoScore, match=reason):
        answer(tmp_path)


def test_a_link_and_two_outputs_are_none(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("0.5")
    (tmp_path / "output.txt").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NoScore, match="no answer"):
        answer(tmp_path)
    (tmp_path / "output").write_text("0.5")
    (tmp_path / "output.json").write_text("0.5")
    with pytest.raises(NoScore, match="more than one"):
        answer(tmp_path)
