"""Whose mask a file is, by its name and place."""

from pathlib import Path

import pytest

from nameplate.errors import UserError
from nameplate_ingest.folder.masks import (
    NO_MASKS,
    Claim,
    MaskFiles,
    claims_of,
    masks_by_study,
    masks_in,
    names_of,
)


def fill(folder: Path, *names: str) -> MaskFiles:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return masks_in(folder)


def owners(
    masks: MaskFiles, studies: dict[str, list[str]], **pseudonyms: str
) -> dict[str, tuple[list[str], int]]:
    """The masks of each study, by the paths of its files below the folder of all studies."""
    claims: dict[Path, set[Claim]] = {}
    for uid, files in studies.items():
        own = (uid, pseudonyms.get(f"of_{uid}", ""))
        for path, claim in claims_of(masks, uid, own, map(Path, files)):
            claims.setdefault(path, set()).add(claim)
    return {
        study: ([path.name for path in found.files], found.studies)
        for study, found in masks_by_study(claims).items()
    }


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("S1.nii", ("S1",)),
        ("S1.NII.GZ", ("S1",)),
        ("S1_mask.nii.gz", ("S1_mask", "S1")),
        ("1.2.3-SEG.nii.gz", ("1.2.3-SEG", "1.2.3")),
        ("_mask.nii", ("_mask",)),
        ("S1_mask_seg.nii", ("S1_mask_seg", "S1_mask")),
    ],
)
def test_a_file_is_called_after_a_study_with_or_without_an_ending(name: str, names: tuple[str, ...]) -> None:
    assert names_of(Path("somewhere") / name) == names


def test_a_mask_is_found_by_uid_pseudonym_folder_or_place(tmp_path: Path) -> None:
    masks = fill(tmp_path, "1.2.3_mask.nii.gz", "e07.nii", "third.nii.gz", "p4/ST1.nii.gz", "readme.txt")
    assert {path.name for path in masks.files} == {
        "1.2.3_mask.nii.gz",
        "e07.nii",
        "third.nii.gz",
        "ST1.nii.gz",
    }
    studies = {
        "1.2.3": ["p1/ST1/1.dcm", "p1/ST1/2.dcm"],
        "B": ["p2/ST1/1.dcm"],
        "C": ["p3/third/1.dcm"],
        "D": ["p4/ST1/1.dcm"],
        "E": ["p5/1.dcm"],
    }
    assert owners(masks, studies, of_B="e07") == {
        "1.2.3": (["1.2.3_mask.nii.gz"], 1),
        "B": (["e07.nii"], 1),
        "C": (["third.nii.gz"], 1),
        # The folder ST1 of others does not count: this is the place of one study alone.
        "D": (["ST1.nii.gz"], 1),
    }


def test_a_folders_name_that_several_studies_have_is_of_all_of_them(tmp_path: Path) -> None:
    masks = fill(tmp_path, "ST1.nii.gz", "p3.nii.gz")
    studies = {"A": ["p1/ST1/1"], "B": ["p2/ST1/1"], "C": ["p3/a/1"], "D": ["p3/b/1"]}
    assert owners(masks, studies) == {
        "A": (["ST1.nii.gz"], 2),
        "B": (["ST1.nii.gz"], 2),
        "C": (["p3.nii.gz"], 2),
        "D": (["p3.nii.gz"], 2),
    }


def test_two_masks_of_a_study_are_both_told(tmp_path: Path) -> None:
    masks = fill(tmp_path, "S1.nii.gz", "reader-2/S1_seg.nii.gz")
    ((names, studies),) = owners(masks, {"A": ["S1/1.dcm"]}).values()
    assert (sorted(names), studies) == (["S1.nii.gz", "S1_seg.nii.gz"], 1)


def test_the_name_of_a_file_of_the_study_is_no_name_of_it(tmp_path: Path) -> None:
    masks = fill(tmp_path, "IM0001.nii.gz")
    assert owners(masks, {"A": ["S1/IM0001"]}) == {}
    assert NO_MASKS.files == ()


def test_a_folder_without_masks_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no NIfTI files"):
        fill(tmp_path, "notes.txt")
    with pytest.raises(UserError, match="no such"):
        masks_in(tmp_path / "nowhere")
