"""One mask against its exam's image: what is taken, and what each kind of wrong mask is refused for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from nameplate.image.volume import Volume
from nameplate_ingest import target
from nameplate_ingest.folder.masks import OwnMasks
from nameplate_ingest.refusal import Refused
from nameplate_ingest.target import target_of

AFFINE = np.diag([4.0, 4.0, 5.0, 1.0])
AFFINE[:3, 3] = -62, -62, -47.5


@pytest.fixture
def image() -> Volume:
    """A head of 32 x 32 x 20 voxels, air around it."""
    places = np.moveaxis(np.indices((32, 32, 20)), 0, -1) @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    head = ((places / (55, 58, 46)) ** 2).sum(axis=-1) <= 1
    return Volume(np.where(head, 35, -1000).astype(np.int16), AFFINE)


def drawn() -> NDArray[Any]:
    values = np.zeros((32, 32, 20), np.uint8)
    values[10:16, 12:18, 8:12] = 1
    return values


Save = Callable[..., OwnMasks]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(
        values: NDArray[Any], affine: NDArray[Any] | None = AFFINE, name: str = "S1.nii.gz"
    ) -> OwnMasks:
        nib.save(nib.Nifti1Image(values, affine), tmp_path / name)
        return OwnMasks((tmp_path / name,))

    return saved


@pytest.mark.parametrize("value", [1, 255, 7.5])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
def test_its_one_value_beside_0_is_what_it_shows(image: Volume, save: Save, value: float, kind: Any) -> None:
    found = target_of(save((drawn() * value).astype(kind)), image)
    assert found.array.dtype == np.uint8
    assert (found.array == drawn()).all()
    assert (found.affine == image.affine).all()


def test_other_axes_and_other_kinds_of_file_are_read(image: Volume, save: Save, tmp_path: Path) -> None:
    turned = AFFINE @ np.array([[-1, 0, 0, 31], [0, -1, 0, 31], [0, 0, 1, 0], [0, 0, 0, 1]])
    found = target_of(save(drawn()[::-1, ::-1], turned, "S1.nii"), image)
    assert (found.array == drawn()).all()
    nib.save(nib.Nifti2Image(drawn(), AFFINE), tmp_path / "two.nii.gz")
    assert (target_of(OwnMasks((tmp_path / "two.nii.gz",)), image).array == drawn()).all()


def test_an_empty_mask_says_that_nothing_is_there(image: Volume, save: Save) -> None:
    assert not target_of(save(np.zeros((32, 32, 20), np.uint8)), image).array.any()


def _with(value: float) -> NDArray[Any]:
    values = drawn().astype(np.float32)
    values[0, 0, 0] = value
    return values


def _moved(**by: float) -> NDArray[Any]:
    affine = AFFINE.copy()
    for axis, mm in by.items():
        affine["xyz".index(axis), 3] += mm
    return affine


SPECK = np.zeros((320, 320, 20), np.uint8)
SPECK[100, 100, 10] = 1
FINE = AFFINE @ np.diag([0.1, 0.1, 1, 1])


@pytest.mark.parametrize(
    ("values", "affine", "rule", "seen"),
    [
        (_with(np.nan), AFFINE, "mask-values", "values are not finite"),
        (_with(np.inf), AFFINE, "mask-values", "values are not finite"),
        (_with(2), AFFINE, "mask-values", "more than one value beside 0"),
        (_with(0.5), AFFINE, "mask-values", "more than one value beside 0"),
        (_with(-1), AFFINE, "mask-values", "values below 0"),
        (drawn() + 1, AFFINE, "mask-values", "no voxel is 0"),
        (np.ones((32, 32, 20), np.uint8), AFFINE, "mask-values", "no voxel is 0"),
        (drawn().astype(np.complex64), AFFINE, "mask-values", "values are no numbers"),
        (drawn(), _moved(z=60), "mask-place", "of the head"),
        (drawn(), _moved(x=300), "mask-place", "its grid holds 0% of the head"),
        (drawn()[:16], AFFINE, "mask-place", "its grid holds 55% of the head"),
        (
            np.pad(drawn(), 40)[:, :, ::-1],
            AFFINE @ np.diag([1, 1, 1, 1]),
            "mask-place",
            "the image holds 0% of it",
        ),
        (drawn(), None, "mask-unreadable", "a NIfTI image that does not say where it is in the patient"),
        (drawn()[..., np.newaxis].repeat(2, -1), AFFINE, "mask-unreadable", "not a readable 3-D NIfTI image"),
        (SPECK, FINE, "mask-small", "smaller than a voxel of the image"),
    ],
)
def test_what_a_mask_is_refused_for(
    image: Volume, save: Save, values: NDArray[Any], affine: NDArray[Any] | None, rule: str, seen: str
) -> None:
    with pytest.raises(Refused) as refused:
        target_of(save(values, affine), image)
    assert (refused.value.rule, seen in refused.value.seen) == (rule, True), refused.value.seen


@pytest.mark.parametrize("data", [b"", b"no NIfTI file at all", b"\x1f\x8b" + bytes(40)])
def test_a_file_that_is_none_is_refused(image: Volume, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "S1.nii.gz").write_bytes(data)
    with pytest.raises(Refused, match="mask-unreadable"):
        target_of(OwnMasks((tmp_path / "S1.nii.gz",)), image)


def test_a_mask_that_is_too_large_is_refused_unread(
    image: Volume, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "MOST_VOXELS", 1000)
    with pytest.raises(Refused, match="more voxels than expected"):
        target_of(save(drawn()), image)


def test_a_file_that_is_gone_is_refused_without_its_name(image: Volume, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        target_of(OwnMasks((tmp_path / "S1.nii.gz",)), image)
    assert (refused.value.rule, refused.value.seen) == (
        "mask-unreadable",
        "cannot be read (FileNotFoundError)",
    )


def test_two_masks_and_a_name_of_two_studies_are_refused(image: Volume, save: Save) -> None:
    one, other = save(drawn()), save(drawn(), name="S1_mask.nii.gz")
    with pytest.raises(Refused) as refused:
        target_of(OwnMasks((*one.files, *other.files)), image)
    assert (refused.value.rule, refused.value.seen) == ("mask-twice", "2 masks")
    with pytest.raises(Refused) as refused:
        target_of(OwnMasks(one.files, studies=3), image)
    assert (refused.value.rule, refused.value.seen) == ("mask-shared", "called after 3 studies")


@pytest.mark.parametrize("bad", [0.0, np.nan])
def test_an_affine_that_cannot_be_inverted_is_refused(image: Volume, tmp_path: Path, bad: float) -> None:
    made = nib.Nifti1Image(drawn(), AFFINE)
    made.set_qform(None, code=0)
    data = bytearray(made.to_bytes())
    data[312:328] = np.full(4, bad, np.float32).tobytes()  # the header's srow_z
    (tmp_path / "S1.nii").write_bytes(data)
    with pytest.raises(Refused) as refused:
        target_of(OwnMasks((tmp_path / "S1.nii",)), image)
    assert refused.value.rule in ("mask-place", "mask-unreadable")
