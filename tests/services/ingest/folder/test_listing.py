"""Links, loops and things that are no files."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.folder.listing import Obstacle, list_files


def listed(source: Path, out: str = "no-output") -> list[str]:
    """Paths below the source, and the names of obstacles."""
    found = list_files(source, source.parent / out)
    return [item.name if isinstance(item, Obstacle) else os.path.relpath(item, source) for item in found]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with two files: a/1 and b/2."""
    for name in ("a/1", "b/2"):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
    return tmp_path / "source"


def test_a_folder_of_links_is_followed_out_of_the_source(source: Path, tmp_path: Path) -> None:
    (tmp_path / "archive" / "deep").mkdir(parents=True)
    (tmp_path / "archive" / "deep" / "3").touch()
    (tmp_path / "single").touch()
    (source / "linked").symlink_to(tmp_path / "archive")
    (source / "file").symlink_to(tmp_path / "single")
    assert listed(source) == ["a/1", "b/2", "linked/deep/3", "file"]


@pytest.mark.parametrize("target", [".", "..", "a", "self"])
def test_loops_end_and_no_file_is_listed_twice(source: Path, target: str) -> None:
    (source / "a" / "self").symlink_to(target)
    found = listed(source)
    assert found[:2] == ["a/1", "b/2"]
    assert found[2:] == (["DANGLING"] if target in ("self", "a") else [])


def test_two_links_that_lead_into_each_other_end(source: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "3").touch()
    (outside / "back").symlink_to(source)
    (source / "there").symlink_to(outside)
    assert listed(source) == ["a/1", "b/2", "there/3"]


def test_a_file_is_listed_under_its_own_name_before_any_link(source: Path, tmp_path: Path) -> None:
    (source / "0").symlink_to(source / "b" / "2")
    (source / "a" / "b").symlink_to(source / "b")
    (tmp_path / "outside").touch()
    (source / "x").symlink_to(tmp_path / "outside")
    (source / "y").symlink_to(tmp_path / "outside")
    assert listed(source) == ["a/1", "b/2", "x"]


def test_a_linked_file_in_a_folder_that_is_linked_too_is_listed_once(source: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "3").touch()
    (source / "0").symlink_to(outside / "3")
    (source / "z").symlink_to(outside)
    assert listed(source) == ["a/1", "b/2", "z/3"]


def test_what_is_no_file_is_told_and_never_opened(source: Path, tmp_path: Path) -> None:
    os.mkfifo(source / "pipe")
    (source / "to-pipe").symlink_to(source / "pipe")
    (source / "null").symlink_to("/dev/null")
    (source / "gone").symlink_to(tmp_path / "nowhere")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(source / "socket"))
        found = listed(source)
    assert sorted(found) == sorted(["a/1", "b/2", *["SPECIAL"] * 4, "DANGLING"])


@pytest.mark.parametrize("exists", [True, False])
def test_our_own_output_is_left_out_however_it_is_reached(source: Path, tmp_path: Path, exists: bool) -> None:
    if exists:
        (source / "out" / "images").mkdir(parents=True)
        (source / "out" / "images" / "x.nii.gz").touch()
        (source / "way").symlink_to(source / "out")
        (source / "deep").symlink_to(source / "out" / "images")
        (source / "one").symlink_to(source / "out" / "images" / "x.nii.gz")
    found = list_files(source, source / "out")
    first = next(found)
    # Our own folder may also appear while the source is listed.
    (source / "out" / "images").mkdir(parents=True, exist_ok=True)
    (source / "out" / "late").touch()
    assert [os.path.relpath(str(item), source) for item in (first, *found)] == ["a/1", "b/2"]


def test_a_source_below_the_output_is_read(source: Path) -> None:
    found = list_files(source / "a", source)
    assert [os.path.relpath(str(item), source) for item in found] == ["a/1"]


def test_the_source_may_be_a_link_or_have_a_name_in_no_charset(source: Path, tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff\xfe")
    (source / "a" / odd).touch()
    (tmp_path / "way").symlink_to(source)
    assert listed(tmp_path / "way") == ["a/1", f"a/{odd}", "b/2"]


folders = st.lists(st.sampled_from(["d0", "d1", "d0/d2", "d1/d3"]), unique=True)
links = st.lists(
    st.tuples(st.sampled_from(["", "d0", "d1", "d0/d2"]), st.sampled_from(["l0", "l1"]), st.integers(0, 8)),
    max_size=8,
)


@given(folders, links)
def test_whatever_the_links_each_real_file_is_listed_once(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], given_links: list[tuple[str, str, int]]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    source, outside = root / "source", root / "outside"
    places = [source, outside, outside / "in", *(source / name for name in names)]
    for number, place in enumerate(places):
        place.mkdir(parents=True, exist_ok=True)
        (place / f"file{number}").touch()
    targets = [*places, *(place / f"file{number}" for number, place in enumerate(places)), root / "nowhere"]
    for where, name, target in given_links:
        link = source / where / name
        if link.parent.is_dir() and not link.is_symlink():
            link.symlink_to(targets[target % len(targets)])
    found = [item for item in list_files(source, root / "out") if isinstance(item, str)]
    real = [os.path.realpath(path) for path in found]
    assert len(set(real)) == len(real)
    inside = {str(place / f"file{n}") for n, place in enumerate(places) if place.is_relative_to(source)}
    assert inside <= set(real)
    # The reference: everything that os.walk reaches when it follows links, up to some depth.
    reached, edge = set(), [(source, 0)]
    seen: set[str] = set()
    while edge:
        folder, depth = edge.pop()
        if os.path.realpath(folder) in seen:
            continue
        seen.add(os.path.realpath(folder))
        for path in folder.iterdir():
            if path.is_dir():
                edge.append((path, depth + 1))
            elif path.is_file():
                reached.add(os.path.realpath(path))
    assert set(real) == reached
