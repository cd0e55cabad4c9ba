"""Archives that can only be read from their start: once for all their studies, however these lie in them."""

from pathlib import Path
from typing import Any

import pytest
from archive_maker import FORMS, dies_once, tree

from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import TryAgain
from nameplate_ingest.ingest import ingest_source
from nameplate_ingest.sources import fetched
from nameplate_ingest.sources.archive import Archive
from nameplate_ingest.sources.candidate import Home
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.one_pass import OnePass
from nameplate_ingest.sources.source import Source

KEY = b"a key for these tests"
SMALL = IngestSettings(matrix=64)
PACKED = ["tar.gz", "tar.zst", "zip in tar.gz", "zip in zip", "tar in tar.zst", "tar.gz in zip"]
STUDIES = 5


@pytest.fixture
def files(folder: Any, make_series: Any) -> dict[str, bytes]:
    """Some studies, one after the other."""
    for number in range(STUDIES):
        study = f"1.2.3.{number}"
        (folder.path / str(number)).mkdir()
        for index, one in enumerate(make_series(study=study, series=f"{study}.1", PatientID=study)):
            folder.add(one, name=f"{number}/{index:03d}")
    return tree(folder.path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The archives that were opened for their pixels, as often as they were."""
    names: list[str] = []
    plain = Archive.opened

    def noted(self: Archive, home: Home) -> Any:
        names.append(home.key)
        return plain(self, home)

    monkeypatch.setattr(Archive, "opened", noted)
    return names


def mixed(files: dict[str, bytes]) -> dict[str, bytes]:
    """The first slices of all studies, then the second ones, and so on."""
    return dict(sorted(files.items(), key=lambda item: item[0].partition("/")[::-1]))


def ingested(source: Source, out: Path, **options: Any) -> dict[str, bytes]:
    ingest_source(source, out, SMALL, key=KEY, **options)
    return tree(out)


@pytest.mark.parametrize("form", PACKED)
@pytest.mark.parametrize("order", [dict, mixed])
def test_an_archive_is_read_once_for_the_headers_and_once_for_the_pixels(
    files: dict[str, bytes], folder: Any, tmp_path: Path, opened: list[str], form: str, order: Any
) -> None:
    archive = tmp_path / "exams"
    archive.write_bytes(FORMS[form](order(files)))
    assert ingested(Archive(archive), tmp_path / "out") == ingested(
        Folder(folder.path), tmp_path / "expected"
    )
    assert opened == ["exams"]


def test_several_processes_and_several_archives(files: dict[str, bytes], folder: Any, tmp_path: Path) -> None:
    """One study is in two of them: it is fetched for itself."""
    archives = tmp_path / "exams"
    archives.mkdir()
    half = {name: data for name, data in files.items() if name < "2/004"}
    (archives / "a").write_bytes(FORMS["tar.gz"](half))
    (archives / "b").write_bytes(
        FORMS["tar.zst"]({name: files[name] for name in sorted(files.keys() - half.keys())})
    )
    expected = ingested(Folder(folder.path), tmp_path / "expected")
    assert ingested(Archive(archives), tmp_path / "out", workers=2) == expected


def test_where_all_studies_are_mixed_the_disk_holds_some_of_them_alone(
    files: dict[str, bytes], folder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 2 * sum(len(data) for name, data in files.items() if name.startswith("0/"))
    monkeypatch.setattr("nameplate_ingest.sources.one_pass._MOST_UNFINISHED", room)
    work, most = tmp_path / "out" / ".ingest", 0
    plain = fetched._copy

    def weighed(*arguments: Any) -> None:
        nonlocal most
        plain(*arguments)
        most = max(most, sum(path.stat().st_size for path in work.rglob("*") if path.is_file()))

    monkeypatch.setattr(fetched, "_copy", weighed)
    archive = tmp_path / "exams"
    archive.write_bytes(FORMS["tar.zst"](mixed(files)))
    expected = ingested(Folder(folder.path), tmp_path / "expected")
    assert ingested(Archive(archive), tmp_path / "out") == expected
    assert 0.5 * room < most < 1.2 * room


def test_large_studies_that_are_mixed_cost_a_pass_or_two_and_not_one_each(
    files: dict[str, bytes], folder: Any, tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first three are mixed with each other, and the others come behind them."""
    size = sum(len(data) for name, data in files.items() if name.startswith("0/"))
    monkeypatch.setattr("nameplate_ingest.sources.one_pass._MOST_UNFINISHED", int(1.5 * size))
    first = {name: data for name, data in files.items() if name < "3"}
    archive = tmp_path / "exams"
    archive.write_bytes(FORMS["tar.gz"](mixed(first) | files))
    expected = ingested(Folder(folder.path), tmp_path / "expected")
    assert ingested(Archive(archive), tmp_path / "out") == expected
    assert len(opened) == 3


def test_a_worker_that_dies_over_a_study_of_a_pass_costs_nothing(
    files: dict[str, bytes], folder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are gone with it, and are fetched for the study alone."""
    archive = tmp_path / "exams"
    archive.write_bytes(FORMS["tar.gz"](files))
    monkeypatch.setattr("nameplate_ingest.order.convert", dies_once)
    monkeypatch.setenv("NAMEPLATE_TEST_DIED", str(tmp_path / "died"))
    got = ingested(Archive(archive), tmp_path / "out", workers=2)
    assert (tmp_path / "died").exists()
    assert got == ingested(Folder(folder.path), tmp_path / "expected")


def test_archives_that_share_nothing_are_unpacked_where_their_study_is(
    files: dict[str, bytes], folder: Any, tmp_path: Path, opened: list[str]
) -> None:
    """One packed archive a study, all in a zip: each is read at its place."""
    inner = {
        f"{number}.tgz": FORMS["tar.gz"](
            {name: data for name, data in files.items() if name.startswith(f"{number}/")}
        )
        for number in range(STUDIES)
    }
    archive = tmp_path / "exams"
    archive.write_bytes(FORMS["zip, stored"](inner))
    expected = ingested(Folder(folder.path), tmp_path / "expected")
    assert ingested(Archive(archive), tmp_path / "out") == expected
    assert len(opened) == STUDIES


def test_a_run_that_ends_in_a_pass_leaves_nothing_half_fetched_and_goes_on(
    files: dict[str, bytes], folder: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "exams"
    archive.write_bytes(FORMS["tar.gz"](mixed(files)))
    plain, begun = Source.ingested, []

    def stopped(source: Source, uid: str, *rest: Any) -> Any:
        begun.append(uid)
        if len(begun) == 2:
            raise TryAgain("the process is asked to stop")
        return plain(source, uid, *rest)

    monkeypatch.setattr(Source, "ingested", stopped)
    out = tmp_path / "out"
    with pytest.raises(TryAgain):
        ingested(Archive(archive), out, resumable=True)
    assert not list((out / ".ingest").glob("*.fetched"))
    expected = ingested(Folder(folder.path), tmp_path / "expected")
    begun[:] = [*"abc"]
    got = ingested(Archive(archive), out, resumable=True)
    assert {name: got[name] for name in expected} == expected
    # One is done, and the one that was begun is done in another process.
    assert len(begun) == 3 + STUDIES - 2


@pytest.mark.parametrize("cut", [0.3, 0.6])
def test_of_an_archive_that_broke_since_it_was_listed_each_study_says_what_it_is(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: float
) -> None:
    """As without a pass: what lies before the damage is used."""
    archive = tmp_path / "exams"
    data = FORMS["tar.gz"](files)
    archive.write_bytes(data)
    plain = OnePass.read

    def broken(self: OnePass, ranged: Any, scratch: Path) -> Any:
        with archive.open("r+b") as file:
            file.truncate(int(cut * len(data)))
        return plain(self, ranged, scratch)

    monkeypatch.setattr(OnePass, "read", broken)
    summary = ingest_source(Archive(archive), tmp_path / "out", SMALL, key=KEY)
    assert 0 < summary.exams < STUDIES
    assert dict(summary.refusals) == {"source-changed": STUDIES - summary.exams}
