"""A PACS that refuses, breaks off, falls silent or sends something else, by every status that it may give."""

import errno
import gc
import json
import logging
import re
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt, sop_class
from tests.conftest import free_port
from tests.services.ingest.tls_front import self_made

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import DimseSource
from nameplate.errors import NameplateError, TryAgain, UserError
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.ingest import ingest_folder, ingest_source
from nameplate_ingest.sources import arrivals as arrivals_module
from nameplate_ingest.sources.arrivals import Arrivals
from nameplate_ingest.sources.dimse import FIND, GET, MOVE, Dimse
from nameplate_ingest.sources.dimse_contexts import storage_contexts, unusual_contexts
from nameplate_ingest.sources.dimse_receiver import receiving
from nameplate_ingest.sources.index import Index, Reading
from nameplate_ingest.sources.tls import Certificates
from nameplate_ingest.workers import Workers

KEY = b"a key for these tests"
SMALL = IngestSettings(matrix=64)
UID = "1.2.3.1"
PENDING, DONE = 0xFF00, 0x0000


@pytest.fixture(autouse=True)
def _sockets() -> Iterator[None]:
    """pynetdicom closes no socket whose peer was gone first; that is left to the collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Scp:
    """What a PACS answers; each answer is a list of statuses and data sets."""

    def __init__(self, files: list[Path]) -> None:
        self.port, self.ours = free_port(), free_port()
        self.files = files
        self.images: int | None = len(files)
        self.find: Callable[[Dataset], Iterator[tuple[int, Dataset | None]]] = self.found
        self.end: tuple[int, Dataset] | None = None
        """In place of the end of a C-GET or C-MOVE."""
        self.sends = len(files)
        self.breaks_off_at: int | None = None
        """At which fetch it ends the association in place of an answer."""
        self.refusals = 0
        """How many fetches are refused before they are served."""
        self.destination: tuple[str, int] | tuple[None, None] = ("127.0.0.1", self.ours)
        self.queries: list[Dataset] = []
        self.fetches = 0
        self.wait: Callable[[], object] = lambda: None

    def found(self, query: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        first, _, last = str(query.get("StudyDate", "")).partition("-")
        if not first or first <= "20190304" <= last:
            yield PENDING, entry(UID, self.images)

    def on_find(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        self.queries.append(event.identifier)
        yield from self.find(event.identifier)

    def on_get(self, event: evt.Event) -> Iterator[Any]:
        if self.fetches + 1 == self.breaks_off_at:
            event.assoc.abort()
            return
        yield len(self.files)
        yield from self._sent()

    def on_move(self, event: evt.Event) -> Iterator[Any]:
        yield self.destination
        if self.destination[0] is not None:
            yield len(self.files)
            yield from self._sent()

    def _sent(self) -> Iterator[tuple[int, Dataset | None]]:
        self.fetches += 1
        if self.fetches <= self.refusals:
            yield 0xA702, Dataset()
            return
        for number, file in enumerate(self.files[: self.sends]):
            if number == 3:
                self.wait()
            yield PENDING, dcmread(file)
        if self.end is not None:
            yield self.end


def entry(uid: str, images: int | None, day: str = "20190304") -> Dataset:
    told = Dataset()
    told.QueryRetrieveLevel, told.StudyInstanceUID, told.StudyDate = "STUDY", uid, day
    told.ModalitiesInStudy, told.PatientName = ["CT"], "Zebulonius^Quax"
    if images is not None:
        told.NumberOfStudyRelatedInstances = images
    return told


@contextmanager
def answering(scp: Scp, **settings: Any) -> Iterator[Scp]:
    ae = AE(ae_title="PACS")
    for name, value in settings.items():
        setattr(ae, name, value)
    for service in (FIND, GET, MOVE):
        ae.add_supported_context(service, ALL_TRANSFER_SYNTAXES)
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(
            str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES, scu_role=True, scp_role=True
        )
        if len(ae.requested_contexts) < 4 and "CT" in str(context.abstract_syntax.name):  # type: ignore[union-attr]
            ae.add_requested_context(str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES[:3])
    handlers = [(evt.EVT_C_FIND, scp.on_find), (evt.EVT_C_GET, scp.on_get), (evt.EVT_C_MOVE, scp.on_move)]
    server = ae.start_server(("127.0.0.1", scp.port), block=False, evt_handlers=handlers)
    assert server is not None
    try:
        yield scp
    finally:
        server.shutdown()


@pytest.fixture
def scp(folder: Any, make_series: Any) -> Iterator[Scp]:
    folder.add(*make_series())
    with answering(Scp(sorted(folder.path.iterdir()))) as one:
        yield one


def source_of(scp: Scp, way: str = "get", patience_s: float = 0.5, **settings: Any) -> Dimse:
    asked = {"since": "2019-01-01", "until": "2019-12-31", "window_days": 366, "timeout_s": 5} | settings
    return Dimse(
        DimseSource(
            host="127.0.0.1",
            port=scp.port,
            called="PACS",
            retrieve=way,
            receive_port=scp.ours,
            **asked,  # type: ignore[arg-type]
        ),
        patience_s,
    )


def listed(source: Dimse) -> Index:
    reading = Reading(source.place, Pseudonyms(KEY))
    with Workers(0, reading) as alone:
        return source.index(reading, alone)


def ingested(source: Dimse, out: Path) -> list[tuple[str, str]]:
    ingest_source(source, out, SMALL, key=KEY)
    rows = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
    return [(row["rule"], row["seen"]) for row in rows]


@pytest.mark.parametrize("way", ["get", "move"])
def test_both_ways_give_the_bytes_of_the_folder(scp: Scp, way: str, tmp_path: Path) -> None:
    ingest_source(source_of(scp, way), tmp_path / "pacs", SMALL, key=KEY)
    ingest_folder(scp.files[0].parent, tmp_path / "folder", SMALL, key=KEY)
    for name in ("exams.jsonl", "as-read.jsonl", "ledger.jsonl"):
        assert (tmp_path / "pacs" / name).read_bytes() == (tmp_path / "folder" / name).read_bytes()
    (image,) = (tmp_path / "folder" / "images").iterdir()
    assert (tmp_path / "pacs" / "images" / image.name).read_bytes() == image.read_bytes()


def test_a_query_asks_for_no_name_and_by_windows(scp: Scp) -> None:
    listed(source_of(scp, window_days=31, match={"StudyDescription": "*", "Manufacturer": "*"}))
    assert len(scp.queries) == 12
    assert {element.keyword for query in scp.queries for element in query} == {
        *("QueryRetrieveLevel", "StudyInstanceUID", "StudyDate", "ModalitiesInStudy", "StudyDescription"),
        *("Manufacturer", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    }
    assert {str(query.get("Manufacturer")) for query in scp.queries} <= {"", "None"}


def _says(status: int) -> Callable[[Dataset], Iterator[tuple[int, Dataset | None]]]:
    return lambda query: iter([(status, None)])


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (0xA700, TryAgain, r"out of resources \(A700\)"),
        (0xA900, UserError, r"does not understand the query \(A900\): is `match` right"),
        (0x0122, UserError, r"\(0122\)"),
        (0x0124, UserError, r"does not allow this to NAMEPLATE \(0124\)"),
        (0xC000, TryAgain, r"refuses for now \(C000\)"),
        (0xC123, TryAgain, r"refuses for now \(C123\)"),
        (0xFE00, TryAgain, r"refuses for now \(FE00\)"),
    ],
)
def test_each_status_of_a_query(scp: Scp, status: int, kind: type[NameplateError], told: str) -> None:
    scp.find = _says(status)
    with pytest.raises(kind, match=told) as error:
        listed(source_of(scp))
    assert "\n" not in str(error.value)


def test_more_than_the_pacs_lists_is_asked_for_in_shorter_windows(scp: Scp) -> None:
    def find(query: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        first, last = str(query.StudyDate).split("-")
        days = int(last[6:]) - int(first[6:])
        if first[:6] != last[:6] or days > 3:
            yield 0xA700, None
        else:
            for day in range(int(first), int(last) + 1):
                yield PENDING, entry(f"1.2.{day}", 30, str(day))

    scp.find = find
    assert len(listed(source_of(scp, until="2019-01-31")).studies) == 31


def test_a_round_number_of_studies_may_be_a_limit(scp: Scp) -> None:
    def find(query: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        first, last = (int(day) for day in str(query.StudyDate).split("-"))
        every = [entry(f"1.2.{day}.{n}", 30, str(day)) for day in range(first, last + 1) for n in range(20)]
        yield from ((PENDING, one) for one in every[:100])

    scp.find = find
    assert len(listed(source_of(scp, until="2019-01-31")).studies) == 20 * 31


@pytest.mark.parametrize("way", ["get", "move"])
@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (0xA701, TryAgain, r"refuses for now \(A701\)"),
        (0xA702, TryAgain, r"refuses for now \(A702\)"),
        (0xA900, UserError, r"\(A900\)"),
        (0xC000, TryAgain, r"refuses for now \(C000\)"),
        (0xFE00, TryAgain, r"refuses for now \(FE00\)"),
    ],
)
def test_each_status_of_a_fetch(
    scp: Scp, way: str, status: int, kind: type[NameplateError], told: str, tmp_path: Path
) -> None:
    scp.end, scp.sends = (status, Dataset()), 5
    with pytest.raises(kind, match=told):
        ingested(source_of(scp, way), tmp_path / "out")
    assert not list((tmp_path / "out").glob("images/*"))


def test_a_refusal_that_passes_costs_nothing(scp: Scp, tmp_path: Path) -> None:
    scp.refusals = 2
    assert [rule for rule, _ in ingested(source_of(scp, patience_s=60), tmp_path / "out")] == ["chosen"]
    assert scp.fetches == 3


def test_a_destination_that_the_pacs_does_not_know(scp: Scp, tmp_path: Path) -> None:
    scp.destination = (None, None)
    with pytest.raises(
        UserError, match=r"\(A801\): its administrator enters the AE title NAMEPLATE"
    ) as error:
        ingested(source_of(scp, "move"), tmp_path / "out")
    assert str(scp.ours) in str(error.value)


@pytest.mark.parametrize("way", ["get", "move"])
def test_images_that_the_pacs_could_not_send_are_counted(scp: Scp, way: str, tmp_path: Path) -> None:
    failed = Dataset()
    failed.FailedSOPInstanceUIDList = ["1.2.3.1.1.30"]
    scp.end, scp.sends = (0xB000, failed), 29
    ((rule, seen),) = ingested(source_of(scp, way), tmp_path / "out")
    assert rule == "source-changed"
    assert seen.startswith("30 images were listed, 29 came")


@pytest.mark.parametrize("way", ["get", "move"])
def test_a_study_without_end_is_refused(
    scp: Scp, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals_module, "MOST_OF_A_STUDY", 50_000)
    assert ingested(source_of(scp, way), tmp_path / "out") == [("too-large", "a study of more than 0 GiB")]


def test_objects_of_unusual_kinds_are_asked_for_once_more_and_come(
    scp: Scp, tmp_path: Path, folder: Any, make_series: Any
) -> None:
    """None of them is an image, but the study is whole only with them, as it is in a folder."""
    kinds = ("OphthalmicTomographyImageStorage", "VLMicroscopicImageStorage")
    others = make_series(series=f"{UID}.9", Modality="OT", count=len(kinds))
    for number, (one, kind) in enumerate(zip(others, kinds, strict=True)):
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = getattr(sop_class, kind)
        folder.add(one, name=f"other-{number}")
        scp.files.insert(7 * number, folder.path / f"other-{number}")
    scp.images = scp.sends = len(scp.files)
    ingest_folder(folder.path, tmp_path / "folder", SMALL, key=KEY)
    rules = [rule for rule, _ in ingested(source_of(scp), tmp_path / "out")]
    assert (tmp_path / "out/ledger.jsonl").read_bytes() == (tmp_path / "folder/ledger.jsonl").read_bytes()
    assert sorted(rules) == ["chosen", "modality"]
    assert scp.fetches == 2


def test_a_pacs_that_breaks_off_when_it_is_asked_for_unusual_objects_alone_gave_what_it_has(
    scp: Scp, tmp_path: Path, make_series: Any, folder: Any
) -> None:
    (other,) = make_series(series=f"{UID}.9", Modality="OT", count=1)
    other.SOPClassUID = other.file_meta.MediaStorageSOPClassUID = sop_class.VLMicroscopicImageStorage  # type: ignore[attr-defined]
    folder.add(other, name="other")
    scp.files.insert(7, folder.path / "other")
    scp.images = scp.sends = len(scp.files)
    scp.breaks_off_at = 2
    assert ingested(source_of(scp), tmp_path / "out") == [
        ("source-changed", "31 images were listed, 30 came; the PACS could not send 1")
    ]


@pytest.mark.parametrize("way", ["get", "move"])
def test_a_study_that_is_gone_is_refused_and_no_reason_to_wait(scp: Scp, way: str, tmp_path: Path) -> None:
    scp.end, scp.sends = (0xC000, Dataset()), 0
    asked = scp.find

    def find(query: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        if "StudyDate" in query:
            yield from asked(query)

    scp.find = find
    assert ingested(source_of(scp, way), tmp_path / "out") == [
        ("source-gone", "the PACS has no such study now")
    ]


@pytest.mark.parametrize("way", ["get", "move"])
def test_fewer_and_more_images_than_listed(scp: Scp, way: str, tmp_path: Path) -> None:
    scp.images = 31
    assert ingested(source_of(scp, way), tmp_path / "a") == [
        ("source-changed", "31 images were listed, 30 came")
    ]
    scp.images = 29
    assert ingested(source_of(scp, way), tmp_path / "b") == [
        ("source-changed", "29 images were listed, 30 came")
    ]


def test_what_is_not_told_of_studies_is_asked_of_their_series(scp: Scp, tmp_path: Path) -> None:
    scp.images = None
    plain = scp.find

    def find(query: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        if query.QueryRetrieveLevel == "STUDY":
            yield from plain(query)
            return
        for number in (10, 20):
            series = Dataset()
            series.QueryRetrieveLevel, series.SeriesInstanceUID = "SERIES", f"1.{number}"
            series.NumberOfSeriesRelatedInstances = number
            yield PENDING, series

    scp.find = find
    assert listed(source_of(scp)).studies[UID].files == 30
    scp.find = lambda query: plain(query) if query.QueryRetrieveLevel == "STUDY" else iter(())
    assert [rule for rule, _ in ingested(source_of(scp), tmp_path / "out")] == ["chosen"]


@pytest.mark.parametrize("way", ["get", "move"])
def test_a_pacs_that_falls_silent_is_left_and_one_that_is_slow_is_not(
    scp: Scp, way: str, tmp_path: Path
) -> None:
    over = threading.Event()
    scp.wait = lambda: over.wait(2.0)
    with pytest.raises(TryAgain, match=r"source\.host: "):
        ingested(source_of(scp, way, timeout_s=0.7), tmp_path / "silent")
    over.set()
    assert [rule for rule, _ in ingested(source_of(scp, way), tmp_path / "slow")] == ["chosen"]


@pytest.mark.parametrize("way", ["get", "move"])
def test_who_is_asked_to_stop_does_not_wait_for_the_last_image(scp: Scp, way: str, tmp_path: Path) -> None:
    stop = threading.Event()

    def slow() -> None:
        stop.set()
        time.sleep(2)

    scp.wait = slow
    source = source_of(scp, way)
    source.should_stop = stop.is_set
    with pytest.raises(TryAgain, match="goes on from here"):
        ingested(source, tmp_path / "out")


@pytest.mark.parametrize(
    ("settings", "kind", "told"),
    [
        ({"require_called_aet": True, "ae_title": "OTHER"}, UserError, "another AE title than `called`"),
        ({"require_calling_aet": ["SOMEBODY"]}, UserError, "does not know our AE title"),
        ({"maximum_associations": 1}, TryAgain, "takes no further association"),
        ({"supported_contexts": []}, UserError, "does not offer"),
    ],
)
def test_a_pacs_that_does_not_let_us_in(
    settings: dict[str, Any], kind: type[NameplateError], told: str, folder: Any, make_series: Any
) -> None:
    folder.add(*make_series(count=2))
    scp = Scp(sorted(folder.path.iterdir()))
    if "supported_contexts" in settings:
        ae = AE(ae_title="PACS")
        ae.add_supported_context("1.2.840.10008.1.1")
        server = ae.start_server(("127.0.0.1", scp.port), block=False)
        assert server is not None
        try:
            with pytest.raises(kind, match=told):
                listed(source_of(scp))
        finally:
            server.shutdown()
        return
    with answering(scp, **settings), another(scp), pytest.raises(kind, match=told):
        listed(source_of(scp))


@contextmanager
def another(scp: Scp) -> Iterator[None]:
    """Somebody else who asks the PACS."""
    ae = AE(ae_title="ELSE")
    ae.add_requested_context(FIND)
    link = ae.associate("127.0.0.1", scp.port, ae_title="PACS")
    try:
        yield
    finally:
        if link.is_established:
            link.release()


def test_nobody_at_the_port(scp: Scp) -> None:
    scp.port = free_port()
    with pytest.raises(TryAgain, match="does not answer at its port"):
        listed(source_of(scp))


def test_a_port_of_ours_that_is_taken(scp: Scp, tmp_path: Path) -> None:
    scp.ours = scp.port
    with pytest.raises(TryAgain, match="receive_port: is used by another process"):
        ingested(source_of(scp, "move"), tmp_path / "out")


@pytest.mark.parametrize("way", ["get", "move"])
def test_a_full_disk_is_tried_again_later(
    scp: Scp, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(arrivals_module.Path, "open", full)  # type: ignore[attr-defined]
    with pytest.raises(TryAgain, match="no room left"):
        source_of(scp, way).fetch(UID, Arrivals(UID, tmp_path))


def test_values_that_the_standard_does_not_allow_are_read_and_never_shown(
    scp: Scp, tmp_path: Path, caplog: Any, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)

    def find(query: Dataset) -> Iterator[tuple[int, Dataset | None]]:
        for one in scp.found(query):
            assert one[1] is not None
            one[1].SpecificCharacterSet = "ISO 2022 Zebulonius"
            yield one
            strange = entry("1.02.x", 30)
            strange.StudyDescription = "Zebulonius" * 20
            yield PENDING, strange

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the PACS, which is in this process
        scp.find = find
        source = source_of(scp, match={"StudyDescription": "*"})
        out = tmp_path / "out"
        rows = ingested(source, out)
    assert ("no-study", "listed without a UID") in rows
    shown = caplog.text + "".join(capfd.readouterr()) + (out / "ledger.jsonl").read_text()
    for secret in ("Zebulonius", "PATIENTKEY77", UID, "1.02.x", "20190304"):
        assert secret not in shown


def test_images_that_another_asked_for_are_not_taken_and_the_pacs_is_told(
    tmp_path: Path, make_series: Any
) -> None:
    settings = DimseSource(
        host="127.0.0.1", called="PACS", retrieve="move", receive_port=free_port(),
        since="2019-01-01", until="2019-12-31",
    )  # fmt: skip
    (ours,), (foreign,) = make_series(count=1), make_series(study="1.2.3.9", count=1)
    arrivals = Arrivals(UID, tmp_path)
    with receiving(settings, Certificates(None, None), "NAMEPLATE_SOURCE_", arrivals):
        ae = AE(ae_title="PACS")
        ae.add_requested_context(ours.SOPClassUID)
        link = ae.associate("127.0.0.1", settings.receive_port, ae_title="NAMEPLATE")
        assert [link.send_c_store(one).Status for one in (ours, foreign, ours)] == [DONE, 0xC000, DONE]
        link.release()
    assert len(arrivals.files) == len(list(tmp_path.iterdir())) == 1


def test_offers_fit_into_one_association_and_each_is_of_one_syntax_for_images() -> None:
    offers = list(storage_contexts())
    assert len(offers) <= 127
    assert len(list(unusual_contexts())) <= 127
    images = [one for one in offers if len(one.transfer_syntax) == 1]
    pairs = [(one.abstract_syntax, one.transfer_syntax[0]) for one in images]
    assert len(pairs) == len(set(pairs))


def test_a_receiver_takes_images_from_who_proves_itself_alone(tmp_path: Path, make_series: Any) -> None:
    ours, theirs = self_made(tmp_path / "ours"), self_made(tmp_path / "theirs", "DNS:pacs.example")
    (image,) = make_series(count=1)
    settings = DimseSource(
        host="pacs.example", called="PACS", retrieve="move", receive_port=free_port(), tls=True,
        since="2019-01-01", until="2019-12-31",
    )  # fmt: skip
    none = receiving(settings, Certificates(None, None), "NAMEPLATE_SOURCE_", Arrivals(UID, tmp_path))
    with pytest.raises(UserError, match="NAMEPLATE_SOURCE_CLIENT_KEY and NAMEPLATE_SOURCE_AUTHORITY"), none:
        pass
    (tmp_path / "in").mkdir()
    arrivals = Arrivals(UID, tmp_path / "in")
    own = Certificates(str(theirs.certificate), (str(ours.certificate), str(ours.key)))
    with (
        receiving(settings, own, "NAMEPLATE_SOURCE_", arrivals),
        socket.create_connection(("127.0.0.1", settings.receive_port)),  # and says nothing
    ):
        for sender in (
            None,
            (str(theirs.certificate), str(theirs.key)),
            (str(ours.certificate), str(ours.key)),
        ):
            context = Certificates(str(ours.certificate), sender).context()
            ae = AE(ae_title="PACS")
            ae.add_requested_context(image.SOPClassUID)
            link = ae.associate(
                "127.0.0.1", settings.receive_port, ae_title="NAMEPLATE", tls_args=(context, "127.0.0.1")
            )
            trusted = sender is not None and "theirs" in sender[0]
            assert link.is_established == trusted
            if trusted:
                assert link.send_c_store(image).Status == DONE
                link.release()
    assert len(arrivals.files) == 1
    assert re.fullmatch(r"\d{6}", arrivals.files[0].path.name)
