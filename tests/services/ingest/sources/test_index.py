"""What is kept of a file until its study's turn comes."""

import dataclasses
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.dicom.content import DiskFile
from nameplate_ingest.dicom.geometry import SliceGeometry
from nameplate_ingest.dicom.slice import Device, Slice, Storage
from nameplate_ingest.dicom.statements import Statements
from nameplate_ingest.fields.person import Person
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.folder.listing import Obstacle, list_files
from nameplate_ingest.sources.folder import index_files
from nameplate_ingest.sources.index import Index, Reading, Study, index_part
from nameplate_ingest.sources.packed import pack, unpack
from nameplate_ingest.sources.scan import scan_files
from nameplate_ingest.workers import Workers

PSEUDONYMS = Pseudonyms(b"a key for these tests")
A_SLICE = Slice(
    path=Path("a/b"),
    study="1.2",
    series="1.2.3",
    instance="1.2.3.4",
    refusal=None,
    person=Person("id", "\udce4name", "19700101", "F", 50.5),
    device=Device("GE", "model", "software", "STANDARD", "site", ("site", "station"), 120.0, None, ("X",)),
    says=Statements(
        **{
            item.name: () if str(item.type).startswith("tuple") else ""
            for item in dataclasses.fields(Statements)
        }
        | {"times": 3, "kvp": None, "diameter_mm": 250.0, "multienergy": False}
    ),
    thickness=5.0,
    series_number="2",
    acquisition="",
    time="",
    number=1,
    temporal_position="",
    frame_of_reference="",
    grid=SliceGeometry(64, 64, (0.0, -1.5, 2.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (0.5, 0.5)),
    storage=Storage("1.2.840.10008.1.2.1", True, False, 1000, 8192, 16, 12, 11, True, 1.0, -1024.0),
)


def reading(source: Path, **options: Any) -> Reading:
    return Reading(source, PSEUDONYMS, **options)


def index(source: Path, count: int = 0, **options: Any) -> Index:
    how = reading(source, **options)
    with Workers(count, how) as workers:
        return index_files(list_files(source, source / "out"), how, workers)


def slices_of(source: Path) -> list[Slice]:
    found = scan_files(map(DiskFile, sorted(source.iterdir())), PSEUDONYMS)
    return [item for item in found if isinstance(item, Slice)]


def test_packed_slices_come_back_as_they_were(folder: Any, make_series: Any) -> None:
    folder.add(*make_series(), *make_series(series="1.2.3.1.2", Modality="MR", count=2))
    slices = slices_of(folder.path)
    assert len(slices) == 32
    piece = pack(slices)
    assert unpack([piece, piece]) == slices + slices
    assert len(piece) < 150 * len(slices)


@pytest.mark.parametrize("count", [0, 2])
def test_every_file_and_every_obstacle_is_counted(folder: Any, make_series: Any, count: int) -> None:
    folder.add(*make_series(), *make_series(study="1.2.3.2", series="1.2.3.2.1", count=3))
    folder.add_bytes(b"notes").add_bytes(b"notes").add_bytes(b"other")
    os.mkfifo(folder.path / "pipe")
    (folder.path / "gone").symlink_to("nowhere")
    found = index(folder.path, count)
    assert {uid: study.files for uid, study in found.studies.items()} == {"1.2.3.1": 30, "1.2.3.2": 3}
    assert sorted((stray.rule, stray.seen, number) for stray, number in found.strays.items()) == [
        ("not-dicom", "", 1),
        ("not-dicom", "", 2),
        ("unreadable", Obstacle.DANGLING.value, 1),
        ("unreadable", Obstacle.SPECIAL.value, 1),
    ]
    assert found.files == 38


def test_a_manufacturer_is_listed_by_uid_or_by_a_folder_above(folder: Any, make_series: Any) -> None:
    inner = folder.path / "CT0001"
    inner.mkdir()
    folder.path = inner
    folder.add(*make_series(count=2))
    for table in ({"1.2.3.1": "GE"}, {"CT0001": "GE"}, {"1.2.3.1": "GE", "CT0001": "GE", "x": "Canon"}):
        assert index(inner.parent, table=table).studies["1.2.3.1"].listed == {"GE"}
    assert index(inner.parent, table={"dicom": "GE"}).studies["1.2.3.1"].listed == frozenset()


def test_columns_are_told_by_the_same_names_and_part_of_the_digest(folder: Any, make_series: Any) -> None:
    inner = folder.path / "CT0001"
    inner.mkdir()
    folder.path = inner
    folder.add(*make_series(count=2))
    key, seen = b"a key for these tests", set()
    for fields, told in (
        ({}, set()),
        ({"x": {"site": "A"}}, set()),
        ({"1.2.3.1": {"site": "A"}}, {("site", "A")}),
        ({"CT0001": {"site": "A", "dose": "2"}}, {("site", "A"), ("dose", "2")}),
        ({"1.2.3.1": {"site": "A"}, "CT0001": {"site": "B"}}, {("site", "A"), ("site", "B")}),
    ):
        study = index(inner.parent, fields=fields).studies["1.2.3.1"]
        assert study.told == told
        seen.add(study.digest(key))
    assert len(seen) == 4


def test_studies_of_the_table_that_no_file_is_of_are_counted(folder: Any, make_slice: Any) -> None:
    inner = folder.path / "CT0001"
    inner.mkdir()
    folder.path = inner
    for number in range(6):
        folder.add(make_slice(study=f"1.2.3.{number}", series=f"1.2.3.{number}.1"))
    folder.add_bytes(b"notes", "CT0002")
    told = {"bleed": "1"}
    fields = dict.fromkeys(("1.2.3.0", "1.2.3.1", "1.2.3.5", "CT0001", "CT0002", "1.2.3.6", "1.2.3"), told)
    for count in (0, 2):
        assert index(inner.parent, count, fields=fields).unused == 3
    assert index(inner.parent, fields={}).unused == 0


@given(st.permutations(range(40)), st.sets(st.integers(1, 39)))
def test_order_and_pieces_change_nothing(order: list[int], cuts: set[int]) -> None:
    slices = [replace(A_SLICE, number=number) for number in range(40)]
    whole, study = Study(), Study()
    whole.add(Study(40, frozenset(("GE",)), [pack(slices)], sum(7**n for n in range(40))))
    for low, high in zip([0, *sorted(cuts)], [*sorted(cuts), 40], strict=True):
        part = order[low:high]
        pieces = [pack([slices[n] for n in part])]
        study.add(Study(high - low, frozenset(("GE",)), pieces, sum(7**n for n in part)))
    assert study.digest(b"key") == whole.digest(b"key")
    assert sorted(unpack(study.pieces), key=lambda one: one.number) == slices
    assert len(study.pieces) <= 16


def test_a_digest_changes_with_the_files_the_list_and_the_key(folder: Any, make_series: Any) -> None:
    folder.add(*make_series(count=3))
    paths = sorted(folder.path.iterdir())

    def digest(key: bytes = b"k", **options: Any) -> str:
        return (
            index_part(reading(folder.path, **options), map(DiskFile, paths)).studies["1.2.3.1"].digest(key)
        )

    first = digest()
    assert digest() == first
    assert digest(b"other") != first
    assert digest(table={"1.2.3.1": "GE"}) != first
    state = paths[0].stat()
    os.utime(paths[0], ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert digest() != first


def test_files_in_the_worst_order_are_packed_together(folder: Any, make_slice: Any) -> None:
    """The worst order: every file is of another study than the one before."""
    for number in range(60):
        study = number % 3
        folder.add(make_slice(study=f"1.2.3.{study}", series=f"1.2.3.{study}.1", number=number))
    how = reading(folder.path)
    together = Index()
    for path in sorted(folder.path.iterdir()):
        for uid, study in index_part(how, (DiskFile(path),)).studies.items():
            together.studies.setdefault(uid, Study()).add(study)
    for study in together.studies.values():
        slices = unpack(study.pieces)
        assert study.files == len(slices) == 20
        assert len(study.pieces) <= 16
        assert sum(map(len, study.pieces)) < 0.8 * sum(len(pack([slice_])) for slice_ in slices)


DEADLY = """
import os, sys

class Deadly:
    \"\"\"Once the module that reads files is there, reading one of them kills its process.\"\"\"

    def find_spec(self, name, path=None, target=None):
        if name == "nameplate_ingest.sources.scan" and self in sys.meta_path:
            sys.meta_path.remove(self)
            import nameplate_ingest.dicom.header as header
            real = header.read_elements

            def read_elements(file, *rest):
                if file.path.name == "deadly":
                    os.kill(os.getpid(), 9)
                return real(file, *rest)

            header.read_elements = read_elements
        return None

sys.meta_path.insert(0, Deadly())
"""


def test_a_file_that_kills_its_reader_costs_itself(
    folder: Any, tmp_path: Path, make_series: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.add(*make_series(count=3)).add_bytes(b"deadly notes", "deadly")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(DEADLY)
    paths = (str(tmp_path / "site"), os.environ.get("PYTHONPATH", ""))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    found = index(folder.path, 1)
    assert {uid: study.files for uid, study in found.studies.items()} == {"1.2.3.1": 3}
    assert [(stray.rule, stray.seen) for stray in found.strays] == [("error", "the worker died")]
    assert found.files == 4
