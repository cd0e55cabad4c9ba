"""Archives as a source: the same bytes as from a folder, each header once, a fetch of one study alone."""

import io
import json
import os
import shutil
import tarfile
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from archive_maker import FORMS, dies_of_one, tree

from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import UserError
from nameplate_ingest.archive.ranged import DiskBytes
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.ingest import ingest_listed, ingest_source
from nameplate_ingest.results.output import Output
from nameplate_ingest.sources.archive import Archive
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.index import Index, Reading
from nameplate_ingest.sources.listed import opened_listing, sealed_listing
from nameplate_ingest.sources.source import Source
from nameplate_ingest.tables import Tables
from nameplate_ingest.workers import Workers

KEY = b"a key for these tests"
SETTINGS = IngestSettings(matrix=64)


@pytest.fixture
def studies(folder: Any, make_series: Any) -> Path:
    """Two exams, one of them with a copy, a report and a note beside them."""
    for name in ("CT0001", "CT0002/series"):
        (folder.path / name).mkdir(parents=True)
    for number, one in enumerate(make_series()):
        folder.add(one, name=f"CT0001/{number:03d}.dcm")
    other = {"study": "1.2.3.2", "series": "1.2.3.2.1", "PatientID": "second", "Manufacturer": ""}
    for number, one in enumerate(make_series(**other, ManufacturerModelName="", SoftwareVersions="")):
        folder.add(one, name=f"CT0002/series/{number:03d}")
    folder.add(make_series()[4], name="CT0001/copy")
    folder.add(*make_series(series="1.2.3.1.2", Modality="MR", count=2))
    folder.add_bytes(b"notes", name="CT0001/readme.txt")
    return Path(folder.path)


def ingested(source: Source, out: Path, workers: int = 1) -> dict[str, bytes]:
    """All that an ingest writes."""
    tables = Tables(manufacturers={"CT0002": "GE"})
    ingest_source(source, out, SETTINGS, key=KEY, tables=tables, workers=workers)
    return tree(out)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_exams_in_an_archive_give_the_same_bytes(studies: Path, tmp_path: Path, form: str) -> None:
    expected = ingested(Folder(studies), tmp_path / "expected")
    assert sum(name.startswith("images/") for name in expected) == 2
    archive = tmp_path / "exams.bin"
    archive.write_bytes(FORMS[form](tree(studies)))
    assert ingested(Archive(archive), tmp_path / "out") == expected


@pytest.mark.parametrize("workers", [1, 2])
def test_exams_in_several_archives_and_beside_them(studies: Path, tmp_path: Path, workers: int) -> None:
    """One study in two archives and a folder, another one in a nested archive; the names of some lie."""
    expected = ingested(Folder(studies), tmp_path / "expected")
    files = tree(studies)
    first = [name for name in files if name.startswith("CT0001")]
    shared = tmp_path / "archives" / "deep"
    shared.mkdir(parents=True)
    (shared / "a.dcm").write_bytes(FORMS["zip"]({name: files.pop(name) for name in first[:7]}))
    (shared / "b").write_bytes(FORMS["tar.zst"]({name: files.pop(name) for name in first[7:20]}))
    (tmp_path / "archives" / "loose.zip").write_bytes(files.pop(first[20]))
    (tmp_path / "archives" / "c").write_bytes(FORMS["zip in tar.gz"](files))
    assert ingested(Archive(tmp_path / "archives"), tmp_path / "out", workers) == expected


def test_the_names_of_members_never_become_names_of_files(
    studies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(FORMS["zip"]({f"DOE^JOHN/{name}": data for name, data in tree(studies).items()}))
    written = []
    opened = Path.open

    def noted(path: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        written.append(str(path)) if "w" in mode else None
        return opened(path, mode, *arguments, **named)

    monkeypatch.setattr(Path, "open", noted)
    ingested(Archive(archive), tmp_path / "out")
    fetched = [path for path in written if ".fetched" in path]
    assert len(fetched) == 63
    assert not any("DOE" in path or "CT000" in path or ".dcm" in path for path in written)


def listed(source: Archive) -> Index:
    """The index, as another process gets it."""
    reading = Tables(manufacturers={"CT0002": "GE"}).reading(source.place, Pseudonyms(KEY))
    with Workers(0, reading) as alone:
        return opened_listing(sealed_listing(source.index(reading, alone), KEY), KEY)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """The parts of archives that were read."""
    parts: list[range] = []
    read = DiskBytes.read

    def noted(self: DiskBytes, start: int, count: int) -> bytes:
        data = read(self, start, count)
        parts.append(range(start, start + len(data)))
        return data

    monkeypatch.setattr(DiskBytes, "read", noted)
    return parts


@pytest.mark.parametrize("form", ["zip, stored", "tar", "tar in tar", "stored zip in tar"])
def test_a_header_is_read_once_and_a_fetch_reads_its_study_alone(
    folder: Any, make_series: Any, tmp_path: Path, asked: list[range], form: str
) -> None:
    for study in ("1.2.3.1", "1.2.3.2"):
        folder.add(*make_series(study=study, series=f"{study}.1", count=9, size=(128, 128)))
    files = tree(folder.path)
    archive = tmp_path / "exams"
    archive.write_bytes(FORMS[form](files))
    data = archive.read_bytes()
    places = {name: data.index(content) for name, content in files.items()}
    index = listed(Archive(archive))
    for place in sorted(places.values())[3:-3]:  # the archive's own start and end are looked at for its form
        assert sum(place in part for part in asked) == 1
    assert sum(map(len, asked)) < 0.7 * len(data)

    asked.clear()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with Archive(archive).slices("1.2.3.2", index.studies["1.2.3.2"], scratch) as slices:
        got = sorted(slice_.path.read_bytes() for slice_ in slices)
    own = sorted(files)[9:]
    assert got == sorted(files[name] for name in own)
    for name, place in places.items():
        middle = place + len(files[name]) // 2
        assert any(middle in part for part in asked) == (name in own)


def rules(index: Index, source: Archive, out: Path) -> Counter[str]:
    """The rows of what another process makes of an index."""
    ingest_listed(index, source, Output(out), SETTINGS, key=KEY, done=Nothing(), with_masks=False)
    return Counter(json.loads(line)["rule"] for line in (out / "ledger.jsonl").read_text().splitlines())


class Nothing:
    """Of nothing that was done before."""

    studies: frozenset[str] = frozenset()
    suspects: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    def outcome(self, study: str, digest: str) -> None:
        return None

    def start(self, study: str) -> None:
        pass

    def add(self, outcome: Any) -> None:
        pass

    def finish(self, *told: Any) -> None:
        pass


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_an_archive_that_changed_or_went_away(studies: Path, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "exams"
    folder.mkdir()
    data = FORMS[form](tree(studies))
    (folder / "a").write_bytes(data)
    (folder / "b").write_bytes(FORMS["tar"]({"note": b"notes"}))
    assert rules(listed(Archive(folder)), Archive(folder), tmp_path / "whole")["chosen"] == 2
    index = listed(Archive(folder))
    os.utime(folder / "a", ns=(1, 1))
    assert rules(index, Archive(folder), tmp_path / "changed") == {"source-changed": 2, "not-dicom": 1}
    index = listed(Archive(folder))
    (folder / "a").unlink()
    assert rules(index, Archive(folder), tmp_path / "gone") == {"source-gone": 2, "not-dicom": 1}
    (folder / "a").write_bytes(data)
    index = listed(Archive(folder))
    shutil.rmtree(folder)
    with pytest.raises(UserError, match="no such file or folder"):
        rules(index, Archive(folder), tmp_path / "none")


def test_a_member_that_breaks_behind_its_header_costs_an_image(studies: Path, tmp_path: Path) -> None:
    """What a look at the header cannot tell: the checksum of a zip is of all of a member."""
    files = tree(studies)
    data = FORMS["zip, stored"](files)
    at = data.index(files["CT0001/007.dcm"]) + 9000
    (tmp_path / "a.zip").write_bytes(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
    source = Archive(tmp_path / "a.zip")
    found = rules(listed(source), source, tmp_path / "out")
    assert found["archive-damaged"] == 1
    assert found["chosen"] == 1  # the other study


def test_tables_know_studies_by_folders_in_an_archive(studies: Path, tmp_path: Path) -> None:
    files = {
        name.replace("CT0002", "CT\N{LATIN SMALL LETTER U WITH DIAERESIS}"): data
        for name, data in tree(studies).items()
    }
    for form in ("zip", "tar.gz", "zip in tar"):
        path = tmp_path / form
        path.write_bytes(FORMS[form](files))
        tables = Tables(manufacturers={"CTü": "GE"})
        summary = ingest_source(Archive(path), tmp_path / f"{form} out", SETTINGS, key=KEY, tables=tables)
        assert summary.exams == 2


def test_an_archive_that_ends_its_process_costs_itself(
    studies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "exams"
    folder.mkdir()
    (folder / "a").write_bytes(FORMS["tar"](tree(studies)))
    (folder / "deadly").write_bytes(FORMS["tar"]({"x": b"notes"}))
    monkeypatch.setattr("nameplate_ingest.sources.archive._index_archive", dies_of_one)
    source = Archive(folder)
    reading = Reading(source.place, Pseudonyms(KEY))
    with Workers(2, reading) as two:
        index = source.index(reading, two)
    rows = {(stray.rule, stray.seen): count for stray, count in index.strays.items()}
    assert rows == {("not-dicom", ""): 1, ("error", "the worker died"): 1}
    assert sum(study.files for study in index.studies.values()) == 63
    (folder / "a").unlink()
    with Workers(1, reading) as one, pytest.raises(UserError, match="error: the worker died"):
        source.index(reading, one)


def test_strange_names_are_found_again_by_another_process(
    folder: Any, make_series: Any, tmp_path: Path
) -> None:
    names = (b"\xff\xfe".decode("utf-8", "surrogateescape"), "M\u00fcller/\n", "a", "b" * 250, "c d")
    folder.add(*make_series(count=len(names)))
    files = dict(zip(names, tree(folder.path).values(), strict=True))
    for form in ("tar", "tar.gz", "tar in tar"):
        (tmp_path / form).write_bytes(FORMS[form](files))
        source = Archive(tmp_path / form)
        index = listed(source)
        (scratch := tmp_path / f"{form} scratch").mkdir()
        with source.slices("1.2.3.1", index.studies["1.2.3.1"], scratch) as slices:
            assert {slice_.path.read_bytes() for slice_ in slices} == set(files.values())


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_members_of_one_name_keep_their_own_pixels(make_slice: Any, tmp_path: Path, form: str) -> None:
    """As a careless export writes them: three of one name, of two patients."""
    path = tmp_path / f"same.{form}"
    contents = []
    for number, study in enumerate(("1.2.3.1", "1.2.3.2", "1.2.3.2", "1.2.3.1")):
        file = io.BytesIO()
        make_slice(study=study, series=f"{study}.1", number=number).save_as(file, enforce_file_format=True)
        contents.append(file.getvalue())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile's, of names that are there twice
        if form == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                for content in contents:
                    archive.writestr("IM0001", content)
        else:
            with tarfile.open(path, "w") as tar:
                for content in contents:
                    entry = tarfile.TarInfo("IM0001")
                    entry.size = len(content)
                    tar.addfile(entry, io.BytesIO(content))
    source = Archive(path)
    index = listed(source)
    assert {uid: study.files for uid, study in index.studies.items()} == {"1.2.3.1": 2, "1.2.3.2": 2}
    for uid, study in index.studies.items():
        scratch = tmp_path / uid
        scratch.mkdir()
        with source.slices(uid, study, scratch) as slices:
            assert len({one.path for one in slices}) == 2
            for one in slices:
                assert one.instance.encode() in one.path.read_bytes()
