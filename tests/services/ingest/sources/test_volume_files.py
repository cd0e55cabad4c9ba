"""Rows and files: which is whose, and whose is nobody's."""

from collections.abc import Sequence

from nameplate_ingest.sources.volume_files import Match, Matches, matched
from nameplate_ingest.sources.volume_table import Row


def match(
    exams: Sequence[str], files: Sequence[str], volume: str | None = None, paths: Sequence[str] | None = None
) -> Matches:
    rows = [
        Row(exam, {} if paths is None or not paths[n] else {"file": paths[n]}, frozenset())
        for n, exam in enumerate(exams)
    ]
    return matched(rows, files, volume, by_column=paths is not None)


def test_by_the_exam_a_file_comes_before_its_folder_and_that_before_a_folder_above() -> None:
    files = ["a.nii.gz", "a/ct.nii", "b/ct.nii", "b/seg/x.nii", "b/seg/y.nii", "c/deep/z.mhd", "other/d.nii"]
    found = match(["a", "b", "c", "d", "e"], files)
    assert found.of_exam == {
        "a": Match("a.nii.gz"),
        "b": Match("b/ct.nii"),
        "c": Match("c/deep/z.mhd"),
        "d": Match("other/d.nii"),
    }
    assert found.missing == 1
    assert found.unnamed == ["a/ct.nii", "b/seg/x.nii", "b/seg/y.nii"]


def test_several_files_of_one_name_are_ambiguous() -> None:
    found = match(["a", "b"], ["x/a.nii", "y/a.nii.gz", "b/ct.nii", "b/mr.nii"])
    two = Match(refusal=("file-ambiguous", "2 files are called after it"))
    assert found.of_exam == {"a": two, "b": two}


def test_by_a_pattern() -> None:
    files = ["a/ct.nii.gz", "a/mr.nii.gz", "b/mr.nii.gz"]
    found = match(["a", "b"], files, "{exam}/ct.nii.gz")
    assert found.of_exam == {"a": Match("a/ct.nii.gz")}
    assert (found.missing, found.unnamed) == (1, ["a/mr.nii.gz", "b/mr.nii.gz"])


def test_a_path_is_compared_not_opened() -> None:
    files = ["x/a.nii", "b.nii"]
    paths = ["./x//a.nii", "x\\..\\..\\b.nii", "/etc/passwd", "../b.nii", "", "no.nii"]
    found = match(list("abcdef"), files, None, paths)
    out = Match(refusal=("path", "leads out of the folder of the volumes"))
    assert found.of_exam == {"a": Match("x/a.nii"), "b": out, "c": out, "d": out}
    assert found.missing == 2
    assert match(["../b"], files, "{exam}.nii").of_exam == {"../b": out}


def test_beside_a_file_with_uneven_slices_the_one_that_dcm2niix_mended_is_meant() -> None:
    files = [
        *("a.nii.gz", "a_Eq_1.nii.gz", "b.nii.gz", "b_Tilt_1.nii.gz", "b_Tilt_Eq_1.nii.gz"),
        *("c/x.nii", "c/x_Tilt_1.nii", "d_Eq_1.nii", "e_Eq_1.nii", "Equal_Tilted.nii"),
    ]
    found = match(["a", "b", "c", "d", "e_Eq_1", "Equal_Tilted"], files)
    assert {exam: one.file for exam, one in found.of_exam.items()} == {
        **{"a": "a_Eq_1.nii.gz", "b": "b_Tilt_Eq_1.nii.gz", "c": "c/x_Tilt_1.nii", "d": "d_Eq_1.nii"},
        **{"e_Eq_1": "e_Eq_1.nii", "Equal_Tilted": "Equal_Tilted.nii"},
    }
    assert not found.unnamed
    # Who names a file gets that one or none.
    paths = ["a.nii.gz", "b_Tilt_Eq_1.nii.gz"]
    told = match(["a", "b"], files[:5], None, paths)
    refusal = told.of_exam["a"].refusal
    assert refusal is not None
    assert refusal[0] == "file-uneven"
    assert told.of_exam["b"] == Match("b_Tilt_Eq_1.nii.gz")
    assert match(["a"], files[:2], "{exam}.nii.gz").of_exam["a"].refusal == refusal


def test_one_file_of_two_rows_is_nobodys() -> None:
    found = match(["a", "b", "c"], ["x.nii", "y.nii"], None, ["x.nii", "./x.nii", "y.nii"])
    shared = Match(refusal=("file-shared", "one file for 2 exams"))
    assert found.of_exam == {"a": shared, "b": shared, "c": Match("y.nii")}
    assert not found.unnamed
    # Also where one is called after the file, and the other after its folder.
    assert set(match(["a", "f"], ["f/a.nii"]).of_exam.values()) == {shared}
