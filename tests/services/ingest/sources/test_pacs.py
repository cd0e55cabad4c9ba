"""A real PACS, Orthanc: the bytes of a folder by every way in, and what becomes of all that goes wrong."""

import json
import logging
import re
import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from tests.conftest import free_port
from tests.services.ingest.orthanc import Orthanc, orthanc, own_network
from tests.services.ingest.tls_front import self_made, tls_front

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import DicomwebSource, DimseSource, PhantomSettings
from nameplate.campaign.sources.query import LimitSettings
from nameplate.errors import TryAgain, UserError
from nameplate_ingest.ingest import ingest_source
from nameplate_ingest.sources.dicomweb import Dicomweb
from nameplate_ingest.sources.dimse import Dimse
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.pacs import Pacs
from nameplate_phantom.simulation import write_cohort

pytestmark = pytest.mark.slow

KEY = b"a key for these tests"
SMALL = IngestSettings(matrix=64)
DATES: dict[str, Any] = {"since": "2010-01-01", "until": "2026-12-31", "window_days": 366}
WAYS = ("web", "get", "move")
_PATIENCE_S = 3.0


def open_pacs(way: str, server: Orthanc, patience_s: float = _PATIENCE_S, **settings: Any) -> Pacs:
    """The server as a source, by one of the ways in."""
    asked = DATES | settings
    if way == "web":
        return Dicomweb(DicomwebSource(**({"url": server.base} | asked)), patience_s)
    place = {"host": "127.0.0.1", "port": server.dimse, "called": "ORTHANC", "receive_port": server.ours}
    return Dimse(DimseSource(retrieve=way, **{**place, **asked}), patience_s)  # type: ignore[arg-type]


@pytest.fixture(scope="module", autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated studies, one folder each."""
    folder = tmp_path_factory.mktemp("studies")
    write_cohort(PhantomSettings(exams=4, matrix=64, thin_mm=5.0), seed=3, cohort="study", out=folder)
    return folder


def files_of(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]


def uid_of(study: Path) -> str:
    return str(dcmread(files_of(study)[0], stop_before_pixels=True).StudyInstanceUID)


@pytest.fixture
def each(studies: Path) -> list[Path]:
    return sorted(path for path in studies.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, studies: Path) -> Iterator[Orthanc]:
    """A server with all studies, which no test changes."""
    with orthanc(tmp_path_factory.mktemp("full")) as server:
        server.store(*files_of(studies))
        yield server


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in files_of(folder)}


def refused(folder: Path) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    return [(row["rule"], row["seen"]) for row in rows if row["rule"].startswith("source-")]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_in_gives_the_bytes_of_the_folder(
    way: str, full: Orthanc, studies: Path, tmp_path: Path
) -> None:
    from_folder = ingest_source(Folder(studies), tmp_path / "folder", SMALL, key=KEY)
    from_pacs = ingest_source(open_pacs(way, full), tmp_path / "pacs", SMALL, key=KEY)
    assert from_pacs == from_folder
    assert from_pacs.exams == 4
    assert everything(tmp_path / "pacs") == everything(tmp_path / "folder")


@pytest.mark.parametrize("way", WAYS)
def test_studies_outside_the_question_are_not_listed(way: str, full: Orthanc, each: list[Path]) -> None:
    dates = sorted(str(dcmread(files_of(one)[0], stop_before_pixels=True).StudyDate) for one in each)
    day = f"{dates[0][:4]}-{dates[0][4:6]}-{dates[0][6:]}"
    same_day = dates.count(dates[0])
    assert len(listed(open_pacs(way, full)).studies) == len(each)
    assert len(listed(open_pacs(way, full, since=day, until=day)).studies) == same_day
    with pytest.raises(UserError, match="no study matches"):
        listed(open_pacs(way, full, modality="MR"))
    with pytest.raises(UserError, match="no study matches"):
        listed(open_pacs(way, full, match={"StudyDescription": "NO SUCH*"}))


def test_a_manufacturer_is_compared_here_since_the_server_finds_nothing_by_it(full: Orthanc) -> None:
    of_one = listed(open_pacs("web", full, match={"Manufacturer": "siemens*"}))
    assert len(of_one.studies) == 2
    with pytest.raises(UserError, match="no study matches"):
        listed(open_pacs("web", full, match={"Manufacturer": "nobody"}))


def listed(source: Pacs) -> Any:
    from nameplate_ingest.fields.pseudonym import Pseudonyms
    from nameplate_ingest.sources.index import Reading
    from nameplate_ingest.workers import Workers

    reading = Reading(source.place, Pseudonyms(KEY))
    with Workers(0, reading) as alone:
        return source.index(reading, alone)


@pytest.mark.parametrize("way", WAYS)
def test_a_study_that_changed_after_it_was_listed_is_refused_and_the_others_are_not(
    way: str, each: list[Path], tmp_path: Path
) -> None:
    with orthanc(tmp_path / "orthanc") as server:
        gone, grown, shrunk, _ = each
        extra = files_of(grown)[-1]
        server.store(*(file for one in each for file in files_of(one) if file != extra))
        source = open_pacs(way, server)

        ask = source.index

        def index(*arguments: Any, **options: Any) -> Any:
            found = ask(*arguments, **options)
            server.delete(uid_of(gone))
            server.store(extra)
            server.delete(str(dcmread(files_of(shrunk)[0], stop_before_pixels=True).SOPInstanceUID))
            return found

        source.index = index  # type: ignore[method-assign]
        summary = ingest_source(source, tmp_path / "out", SMALL, key=KEY, resumable=True)
        assert (summary.studies, summary.exams) == (4, 1)
        count = {one: len(files_of(one)) for one in each}
        told = dict.fromkeys(refused(tmp_path / "out"))
        assert ("source-changed", f"{count[grown] - 1} images were listed, {count[grown]} came") in told
        assert ("source-changed", f"{count[shrunk]} images were listed, {count[shrunk] - 1} came") in told
        assert [rule for rule, _ in told].count("source-gone") == 1

        # The next call asks for those alone that were not as listed, and gets them as they are now.
        server.store(*files_of(gone), *files_of(shrunk))
        again = ingest_source(open_pacs(way, server), tmp_path / "out", SMALL, key=KEY, resumable=True)
        assert (again.exams, again.earlier) == (4, 1)


@pytest.mark.parametrize("way", ["web", "get"])
def test_a_pacs_that_is_gone_for_a_while_is_waited_for(way: str, studies: Path, tmp_path: Path) -> None:
    with orthanc(tmp_path / "orthanc") as server:
        server.store(*files_of(studies))
        whole = listed(open_pacs(way, server))
        server.stop()
        with pytest.raises(TryAgain, match="does not answer"):
            listed(open_pacs(way, server))
        back = threading.Timer(3.0, server.start)
        back.start()
        assert listed(open_pacs(way, server, patience_s=60.0)).studies.keys() == whole.studies.keys()
        back.join()


def test_a_pacs_that_goes_in_the_middle_costs_nothing_that_is_done(studies: Path, tmp_path: Path) -> None:
    with orthanc(tmp_path / "orthanc") as server:
        server.store(*files_of(studies))
        source = open_pacs("web", server, patience_s=0.5)

        def stop(done: int, _: int) -> None:
            if done == 2:
                server.stop()

        with pytest.raises(TryAgain, match="goes on from here"):
            ingest_source(source, tmp_path / "out", SMALL, key=KEY, resumable=True, progress=stop)
        server.start()
        server_log = server.log()
        summary = ingest_source(open_pacs("web", server), tmp_path / "out", SMALL, key=KEY, resumable=True)
        assert (summary.exams, summary.earlier) == (4, 2)
        fetched = re.findall(r"GET /dicom-web/studies/([0-9.]+)", server.log()[len(server_log) :])
        assert len(fetched) == len(set(fetched)) == 2
        ingest_source(Folder(studies), tmp_path / "folder", SMALL, key=KEY)
        for name in ("exams.jsonl", "ledger.jsonl", "as-read.jsonl"):
            assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "folder" / name).read_bytes()


def test_a_wrong_password_and_a_right_one(each: list[Path], tmp_path: Path, monkeypatch: Any) -> None:
    users = {"reader": "right-Gjkmpqv"}
    with orthanc(tmp_path / "orthanc", AuthenticationEnabled=True, RegisteredUsers=users) as server:
        server.store(*files_of(each[0]))
        for name, password in ((None, None), ("reader", "wrong-Zwxgjkm")):
            if name is not None:
                monkeypatch.setenv("NAMEPLATE_SOURCE_PACS_USERNAME", name)
                monkeypatch.setenv("NAMEPLATE_SOURCE_PACS_PASSWORD", password)
            with pytest.raises(UserError, match="NAMEPLATE_SOURCE_PACS_PASSWORD") as told:
                listed(open_pacs("web", server, account="pacs"))
            assert "Zwxgjkm" not in str(told.value)
        monkeypatch.setenv("NAMEPLATE_SOURCE_PACS_PASSWORD", users["reader"])
        assert len(listed(open_pacs("web", server, account="pacs")).studies) == 1
        monkeypatch.delenv("NAMEPLATE_SOURCE_PACS_PASSWORD")
        with pytest.raises(UserError, match="NAMEPLATE_SOURCE_PACS_PASSWORD is not set"):
            listed(open_pacs("web", server, account="pacs"))


@pytest.mark.parametrize("way", ["web", "get"])
def test_certificates_of_both_sides(
    way: str, full: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, other = self_made(tmp_path / "server"), self_made(tmp_path / "other", "DNS:elsewhere.example")
    ours = self_made(tmp_path / "ours", "DNS:us.example")
    behind = full.web if way == "web" else full.dimse

    def through(port: int) -> Pacs:
        if way == "web":
            return open_pacs(way, full, url=f"https://127.0.0.1:{port}/dicom-web")
        return open_pacs(way, full, port=port, tls=True)

    with tls_front(behind, server) as port:
        with pytest.raises(UserError, match="certificate is not trusted: NAMEPLATE_SOURCE_AUTHORITY"):
            listed(through(port))
        monkeypatch.setenv("NAMEPLATE_SOURCE_AUTHORITY", str(server.certificate))
        assert len(listed(through(port)).studies) == 4
        monkeypatch.setenv("NAMEPLATE_SOURCE_AUTHORITY", server.certificate.read_text())  # the text itself
        assert len(listed(through(port)).studies) == 4
    with tls_front(behind, other) as port:
        monkeypatch.setenv("NAMEPLATE_SOURCE_AUTHORITY", str(other.certificate))
        with pytest.raises(UserError, match="certificate is for another host name"):
            listed(through(port))
    monkeypatch.setenv("NAMEPLATE_SOURCE_AUTHORITY", str(server.certificate))
    with tls_front(behind, server, ours.certificate) as port:
        with pytest.raises(UserError, match="NAMEPLATE_SOURCE_CLIENT_CERT"):
            listed(through(port))
        monkeypatch.setenv("NAMEPLATE_SOURCE_CLIENT_CERT", str(other.certificate))
        monkeypatch.setenv("NAMEPLATE_SOURCE_CLIENT_KEY", str(other.key))
        with pytest.raises(UserError, match="refuses our certificate"):
            listed(through(port))
        monkeypatch.setenv("NAMEPLATE_SOURCE_CLIENT_CERT", str(ours.certificate))
        monkeypatch.setenv("NAMEPLATE_SOURCE_CLIENT_KEY", str(ours.key))
        assert ingest_source(through(port), tmp_path / "out", SMALL, key=KEY).exams == 4
        monkeypatch.setenv("NAMEPLATE_SOURCE_CLIENT_KEY", str(other.key))
        with pytest.raises(UserError, match="are no certificate and its key"):
            listed(through(port))
    monkeypatch.delenv("NAMEPLATE_SOURCE_CLIENT_KEY")
    with pytest.raises(UserError, match="NAMEPLATE_SOURCE_CLIENT_KEY is not set"):
        listed(through(port))
    if way == "web":
        monkeypatch.delenv("NAMEPLATE_SOURCE_CLIENT_CERT")
        with pytest.raises(UserError, match="does not speak TLS"):
            listed(through(full.web))


@pytest.mark.parametrize("way", WAYS)
def test_an_empty_pacs_is_a_users_mistake(way: str, tmp_path: Path) -> None:
    with orthanc(tmp_path / "orthanc") as server, pytest.raises(UserError, match="no study matches: 0 are"):
        listed(open_pacs(way, server))


def test_titles_that_the_pacs_does_not_know(each: list[Path], tmp_path: Path) -> None:
    with orthanc(tmp_path / "orthanc", DicomCheckCalledAet=True) as server:
        server.store(*files_of(each[0]))
        with pytest.raises(UserError, match="another AE title than `called`"):
            listed(open_pacs("get", server, called="SOMEBODY"))
        with pytest.raises(TryAgain, match="does it know our AE title, `calling`"):
            listed(open_pacs("get", server, calling="STRANGER"))


def test_a_receiver_that_the_pacs_cannot_reach(each: list[Path], tmp_path: Path) -> None:
    with orthanc(tmp_path / "orthanc") as server:
        server.store(*files_of(each[0]))
        elsewhere = open_pacs("move", server, receive_port=free_port())
        with pytest.raises(TryAgain):
            ingest_source(elsewhere, tmp_path / "out", SMALL, key=KEY)


def test_the_rate_is_kept_at_the_server_and_before_the_first_study(full: Orthanc, tmp_path: Path) -> None:
    before, began = full.log(), datetime.now()
    limits = LimitSettings(studies_per_hour=3600)
    ingest_source(open_pacs("web", full, limits=limits), tmp_path / "out", SMALL, key=KEY)
    said = re.findall(r"I\d{4} (\S+) .*GET /dicom-web/studies/[0-9.]+", full.log()[len(before) :])
    moments = [seconds(moment) for moment in said]
    assert len(moments) == 4
    assert all(later - earlier >= 0.95 for earlier, later in pairwise(moments))
    assert moments[0] - seconds(began.time().isoformat()) >= 0.95


def seconds(moment: str) -> float:
    """Of a day, from a line of the server's log."""
    hours, minutes, rest = moment.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_names_a_patient_or_a_study_is_logged_or_written(
    way: str, full: Orthanc, each: list[Path], tmp_path: Path, caplog: Any, capfd: Any
) -> None:
    caplog.set_level(logging.INFO)
    ingest_source(open_pacs(way, full), tmp_path / "out", SMALL, key=KEY)
    with pytest.raises(UserError):
        listed(open_pacs(way, full, modality="MR"))
    told = caplog.text + "".join(capfd.readouterr())
    written = b"".join(path.read_bytes() for path in files_of(tmp_path / "out") if path.suffix == ".jsonl")
    for study in each:
        head = dcmread(files_of(study)[0], stop_before_pixels=True)
        for secret in (head.PatientName, head.PatientID, head.StudyInstanceUID, head.StudyDate):
            assert len(str(secret)) >= 6
            assert str(secret) not in told
            assert str(secret).encode() not in written
