"""A file or a folder appears whole under its name, or not at all, and what was there stays."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from nameplate.errors import UserError
from nameplate.whole import check_empty, delete_partial, user_may_write, whole_file, whole_folder, write_whole


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _break_off(path: Path) -> None:
    path.write_bytes(b"half")
    raise ValueError("broken off")


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "image.nii.gz"
    target.write_bytes(b"old")
    with whole_file(target) as partial:
        partial.write_bytes(b"new")
        assert target.read_bytes() == b"old"
        assert partial.parent == target.parent  # a rename within one disk
        assert partial.name.startswith(".")
        assert partial.name.endswith(target.name)
    assert target.read_bytes() == b"new"
    assert _names(tmp_path) == ["image.nii.gz"]


@pytest.mark.parametrize("old", [None, b"old"])
def test_a_file_that_is_not_finished_leaves_what_was_there(old: bytes | None, tmp_path: Path) -> None:
    target = tmp_path / "file"
    if old is not None:
        target.write_bytes(old)
    with pytest.raises(ValueError, match="broken off"), whole_file(target) as partial:
        _break_off(partial)
    assert _names(tmp_path) == ([] if old is None else ["file"])
    assert old is None or target.read_bytes() == old


def test_two_who_write_one_file_do_not_mix(tmp_path: Path) -> None:
    target = tmp_path / "file"
    with whole_file(target) as one, whole_file(target) as two:
        one.write_bytes(b"one")
        two.write_bytes(b"two")
        assert one != two
    assert target.read_bytes() in (b"one", b"two")


@pytest.mark.parametrize("made_before", [False, True])
def test_a_folder_appears_when_the_block_ends(made_before: bool, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "report"
    if made_before:
        target.mkdir(parents=True)
    with whole_folder(target) as partial:
        (partial / "index.html").write_bytes(b"x")
        assert not (target / "index.html").exists()
    assert _names(target) == ["index.html"]
    assert _names(target.parent) == ["report"]


def test_a_folder_that_is_not_finished_vanishes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken off"), whole_folder(tmp_path / "report") as partial:
        _break_off(partial / "index.html")
    assert _names(tmp_path) == []


@pytest.mark.parametrize("kind", ["file", "full folder"])
def test_a_place_that_holds_something_is_refused_and_untouched(kind: str, tmp_path: Path) -> None:
    target = tmp_path / "report"
    if kind == "file":
        target.write_bytes(b"mine")
    else:
        target.mkdir()
        (target / "thesis.tex").write_bytes(b"mine")
    with pytest.raises(UserError, match="report: "), whole_folder(target):
        pytest.fail("the block must not begin")
    with pytest.raises(UserError):
        check_empty(target)
    with pytest.raises(UserError):
        write_whole(target, {"index.html": b"x"})
    left = target if kind == "file" else target / "thesis.tex"
    assert left.read_bytes() == b"mine"
    assert _names(tmp_path) == ["report"]


def test_what_another_has_put_there_meanwhile_stays(tmp_path: Path) -> None:
    target = tmp_path / "report"
    with pytest.raises(UserError, match="report: "), whole_folder(target):
        write_whole(target, {"index.html": b"of another"})
    assert (target / "index.html").read_bytes() == b"of another"
    assert _names(tmp_path) == ["report"]


def test_files_are_written_below_the_folder_by_their_names(tmp_path: Path) -> None:
    write_whole(tmp_path / "report", {"index.html": b"page", "tables/one.csv": b"1"})
    found = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert found == {"report/index.html": b"page", "report/tables/one.csv": b"1"}


def test_a_place_that_cannot_be_written_is_one_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    target = tmp_path / "file" / "report"
    with pytest.raises(UserError, match="file/report: ") as caught, user_may_write(target):
        target.mkdir()
    assert os.strerror(20) in str(caught.value)  # Not a directory
    with pytest.raises(UserError, match="file/report: "):
        write_whole(target, {"index.html": b"x"})
    assert _names(tmp_path) == ["file"]


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_what_a_kill_leaves_half_written_can_be_deleted(
    whole: Callable[[Path], AbstractContextManager[Path]], tmp_path: Path
) -> None:
    target = tmp_path / "models" / "one"
    target.parent.mkdir()
    (target.parent / ".lock").write_bytes(b"")
    (target.parent / "two").write_bytes(b"done")
    (target.parent / ".tmp-notes").write_bytes(b"somebody's own")
    killed = whole(target)  # the block never ends
    partial = killed.__enter__()
    (partial / "page" if partial.is_dir() else partial).write_bytes(b"half")
    assert len(_names(target.parent)) == 4
    delete_partial(tmp_path)
    assert _names(target.parent) == [".lock", ".tmp-notes", "two"]
    delete_partial(tmp_path / "not there")


def test_what_may_not_be_deleted_stays_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / ".tmp-0123456789ab-one"
    kept.write_bytes(b"half")

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    delete_partial(tmp_path)
    assert kept.exists()
