"""Files of one study out of an archive: at their places alone, and whole or not at all."""

from pathlib import Path
from typing import Any

import pytest
from archive_maker import FORMS, stored_zip_of, tar_of, zip_of

from nameplate_ingest.archive.limits import BadArchive
from nameplate_ingest.archive.ranged import disk_bytes
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.sources.archive import Archive
from nameplate_ingest.sources.fetched import fetch, size_in
from nameplate_ingest.sources.index import Index, Reading
from nameplate_ingest.sources.located import Located, located
from nameplate_ingest.workers import Workers


@pytest.fixture
def files(folder: Any, make_series: Any) -> dict[str, bytes]:
    """Four files of one study, by names that tell their order in an archive and not that of the names."""
    folder.add(*make_series(count=4))
    contents = [path.read_bytes() for path in sorted(folder.path.iterdir())]
    return dict(zip(("d/d", "c", "a", "b"), contents, strict=True))


def places_of(path: Path) -> dict[str, Located]:
    """Where the files are, by their names in the innermost archive."""
    source = Archive(path)
    reading = Reading(source.place, Pseudonyms(b"a key"))
    with Workers(0, reading) as alone:
        index: Index = source.index(reading, alone)
    (study,) = index.studies.values()
    return {file.name: where for file, where in located(study, source.place).items()}


@pytest.mark.parametrize("form", FORMS)
def test_any_files_in_any_order_come_whole(files: dict[str, bytes], tmp_path: Path, form: str) -> None:
    (tmp_path / "x").write_bytes(FORMS[form](files))
    places = places_of(tmp_path / "x")
    assert {name: size_in(one.places[-1]) for name, one in places.items()} == {
        name[-1]: len(data) for name, data in files.items()
    }
    (out := tmp_path / "out").mkdir()
    wanted = [(places[name].places, out / str(number)) for number, name in enumerate("bad")]
    with disk_bytes(tmp_path / "x") as data:
        assert fetch(data, wanted, out) == {}
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        "0": files["b"], "1": files["a"], "2": files["d/d"],
    }  # fmt: skip


@pytest.mark.parametrize("make", [zip_of, stored_zip_of])
def test_a_broken_member_costs_itself(files: dict[str, bytes], tmp_path: Path, make: Any) -> None:
    path = tmp_path / "x"
    path.write_bytes(make(files))
    places = places_of(path)
    offset, packed, *_ = places["a"].places[0].numbers
    data = bytearray(path.read_bytes())
    data[offset + packed - 5] ^= 0xFF
    path.write_bytes(data)
    (out := tmp_path / "out").mkdir()
    with disk_bytes(path) as opened:
        lost = fetch(opened, [(places[name].places, out / name) for name in "abcd"], out)
    assert {target.name: refused.rule for target, refused in lost.items()} == {"a": "archive-damaged"}
    assert all((out / name[-1]).read_bytes() == data for name, data in files.items() if name != "a")


def test_a_broken_archive_in_an_archive_costs_what_is_in_it(files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(zip_of({"inner": tar_of(files), "a2": files["a"]}))
    places = places_of(path)
    offset, packed, *_ = places["a"].places[0].numbers
    data = bytearray(path.read_bytes())
    data[offset + packed - 5] ^= 0xFF
    path.write_bytes(data)
    (out := tmp_path / "out").mkdir()
    with disk_bytes(path) as opened:
        lost = fetch(opened, [(places[name].places, out / name) for name in ("a2", "a", "b")], out)
    assert {target.name for target in lost} <= {"a", "b"}
    assert (out / "a2").read_bytes() == files["a"]


def test_a_stream_that_broke_since_costs_the_archive(files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(FORMS["tar.gz"](files))
    places = places_of(path)
    path.write_bytes(path.read_bytes()[:200])
    with disk_bytes(path) as opened, pytest.raises(BadArchive, match="archive-damaged"):
        fetch(opened, [(places["b"].places, tmp_path / "b")], tmp_path)
