"""A PACS that speaks DIMSE: found by C-FIND, fetched by C-GET or C-MOVE."""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import date
from types import TracebackType

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from nameplate.campaign.sources import DimseSource
from nameplate.errors import TryAgain, UserError
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.account import account_of
from nameplate_ingest.sources.answers import count_in_dataset, texts_in_dataset
from nameplate_ingest.sources.arrivals import Arrivals
from nameplate_ingest.sources.dimse_association import associated, quietly, unanswered
from nameplate_ingest.sources.dimse_contexts import storage_contexts, unusual_contexts
from nameplate_ingest.sources.dimse_receiver import receiving, storing
from nameplate_ingest.sources.entry import OF_STUDIES, Entry, date_range, may_be_cut
from nameplate_ingest.sources.facts import SeriesFacts
from nameplate_ingest.sources.facts_dimse import series_facts, series_query
from nameplate_ingest.sources.pacs import Pacs, TooMany
from nameplate_ingest.sources.patience import PATIENCE_S, Unanswered, Unserved
from nameplate_ingest.sources.tls import Certificates, certificates_of

FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
"""Study Root Query/Retrieve Information Model."""
_DONE, _PENDING, _SOME_FAILED = 0x0000, (0xFF00, 0xFF01), 0xB000
_TOO_MANY, _NO_DESTINATION = 0xA700, 0xA801
_NOT_UNDERSTOOD = (0xA900, 0x0122, 0x0117, 0x0106)
_NOT_ALLOWED = 0x0124
_LOOK_S = 0.25


class Status(Unserved):
    """A status by which the PACS refuses for now."""


class Dimse(Pacs):
    """An association for each window and for each study: none is left open in between."""

    def __init__(self, settings: DimseSource, patience_s: float = PATIENCE_S) -> None:
        place = f"dimse://{settings.called}@{settings.host}:{settings.port}"
        super().__init__(settings, place, patience_s)
        self._settings = settings

    def listed(self, begin: date, end: date) -> list[Entry]:
        """Studies of some days."""
        asked = self._settings
        query = _query("STUDY", StudyInstanceUID="", StudyDate=date_range(begin, end))
        query.ModalitiesInStudy = asked.modality
        query.NumberOfStudyRelatedSeries = query.NumberOfStudyRelatedInstances = None
        with quietly():
            for name, pattern in asked.match.items():
                setattr(query, name, pattern if name in OF_STUDIES else "")
            if not all(pattern.isascii() for pattern in asked.match.values()):
                query.SpecificCharacterSet = "ISO_IR 192"
            try:
                found = [_entry(one, asked) for one in self._find(query)]
                if may_be_cut(len(found)) and begin != end:
                    raise TooMany
                return found
            except TooMany:
                if begin != end:
                    raise
                raise Unanswered("source: the PACS is out of resources (A700)") from None

    def series(self, begin: date, end: date, studies: Collection[str]) -> list[SeriesFacts]:
        """Of the studies of these days, one question for each on one association.

        Nothing but a study's UID is sure to be understood at this level.
        """
        with (
            quietly(),
            self._certificates() as (certificates, start),
            associated(self._settings, certificates, start, FIND) as link,
        ):
            days = _query("STUDY", StudyInstanceUID="", StudyDate=date_range(begin, end))
            days.ModalitiesInStudy = self._settings.modality
            listed = {
                uid for one in self._answers(link, days) for uid in texts_in_dataset(one, "StudyInstanceUID")
            }
            return [
                series_facts(uid, one)
                for uid in sorted(listed & set(studies))
                for one in self._answers(link, series_query(uid))
            ]

    def images_of(self, uid: str) -> int | None:
        """The sum of its series', where the PACS knows that."""
        query = _query("SERIES", StudyInstanceUID=uid, SeriesInstanceUID="")
        query.NumberOfSeriesRelatedInstances = None
        with quietly():
            counts = [count_in_dataset(one, "NumberOfSeriesRelatedInstances") for one in self._find(query)]
        known = [count for count in counts if count is not None]
        return sum(known) or None if len(known) == len(counts) else None

    def fetch(self, uid: str, arrivals: Arrivals) -> str:
        """By C-GET or C-MOVE; a study that is refused is looked for first."""
        try:
            with quietly(), self._certificates() as (certificates, start):
                failed = self._retrieve(uid, arrivals, certificates, start)
                if failed and self._settings.retrieve == "get":
                    failed = max(0, failed - self._unusual(uid, arrivals, certificates, start))
        except Status:
            if not arrivals.files and not self._is_there(uid):
                raise Refused("source-gone", "the PACS has no such study now") from None
            raise
        if failed and not arrivals.files and self._settings.retrieve == "move":
            raise Unserved(
                f"source: the PACS sent none of {failed} images: it must reach receive_port here by the name "
                "of `calling`"
            )
        return f"; the PACS could not send {failed}" if failed else ""

    def _unusual(self, uid: str, arrivals: Arrivals, certificates: Certificates, start: str) -> int:
        """Ask for the objects of kinds that one association has no room for; returns how many came.

        Nothing else comes twice, since nothing else may be sent. A PACS may refuse this, or break off: what
        came before is what it has for us.
        """
        before = len(arrivals.files)
        with suppress(Unanswered, UserError):
            self._retrieve(uid, arrivals, certificates, start, tuple(unusual_contexts()))
        return len(arrivals.files) - before

    def _retrieve(
        self,
        uid: str,
        arrivals: Arrivals,
        certificates: Certificates,
        start: str,
        kinds: tuple[PresentationContext, ...] = (),
    ) -> int:
        """Returns how many images the PACS says that it failed to send.

        ``kinds`` is what may be sent over our own connection, if that is not the usual.
        """
        settings = self._settings
        move = settings.retrieve == "move"
        offers = () if move else kinds or tuple(storage_contexts())
        handlers = () if move else storing(arrivals)
        receiver = receiving(settings, certificates, start, arrivals) if move else nullcontext()
        query = _query("STUDY", StudyInstanceUID=uid)
        with (
            receiver,
            associated(settings, certificates, start, MOVE if move else GET, offers, handlers) as link,
            _Watch(link, arrivals, settings.timeout_s, self.should_stop) as watch,
        ):
            failed = 0
            answers = link.send_c_move(query, settings.calling, MOVE) if move else link.send_c_get(query, GET)
            for status, _ in answers:
                arrivals.last = time.monotonic()
                if arrivals.error is not None:
                    raise arrivals.error
                watch.check(status)
                if status.Status in _PENDING:
                    continue
                failed = int(status.get("NumberOfFailedSuboperations") or 0)
                if status.Status not in (_DONE, _SOME_FAILED):
                    raise _failure(status.Status, settings)
            return failed

    def _is_there(self, uid: str) -> bool:
        with quietly():
            try:
                return bool(self._find(_query("STUDY", StudyInstanceUID=uid)))
            except TooMany:
                return True

    def _find(self, query: Dataset) -> list[Dataset]:
        """What matches; raises TooMany, Unanswered or UserError."""
        with (
            self._certificates() as (certificates, start),
            associated(self._settings, certificates, start, FIND) as link,
        ):
            return self._answers(link, query)

    def _answers(self, link: Association, query: Dataset) -> list[Dataset]:
        """What matches on an association that is there."""
        found: list[Dataset] = []
        since = time.monotonic()
        for status, identifier in link.send_c_find(query, FIND):
            if "Status" not in status:
                raise unanswered(self._settings, since)
            since = time.monotonic()
            if status.Status in _PENDING:
                # One that cannot be read is listed as one without a name.
                found.append(Dataset() if identifier is None else identifier)
            elif status.Status == _TOO_MANY:
                raise TooMany
            elif status.Status != _DONE:
                raise _failure(status.Status, self._settings)
        return found

    @contextmanager
    def _certificates(self) -> Iterator[tuple[Certificates, str]]:
        account = account_of(self._settings.account)
        with certificates_of(account) as certificates:
            yield certificates, account.start


class _Watch:
    """Ends an association on which nothing comes any more, or when we are asked to stop.

    The time-outs of pynetdicom are for the next message on the same association: while a C-MOVE goes on, that
    may be none for an hour, and the images come on another one.
    """

    def __init__(
        self, link: Association, arrivals: Arrivals, timeout_s: float, should_stop: Callable[[], bool]
    ) -> None:
        self._link, self._arrivals, self._timeout_s = link, arrivals, timeout_s
        self._should_stop = should_stop
        self._stopped = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "_Watch":
        self._link.dimse_timeout = self._link.network_timeout = None
        self._arrivals.last = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def check(self, status: Dataset) -> None:
        """Raise for an answer that did not come."""
        if self._stopped:
            raise TryAgain("stopped while fetching a study; the same command goes on from here")
        if "Status" not in status:
            raise Unserved("source.host: the images stopped coming")

    def _look(self) -> None:
        while not self._over.wait(_LOOK_S):
            self._stopped = self._should_stop()
            if self._stopped or time.monotonic() - self._arrivals.last > self._timeout_s:
                self._link.abort()
                self._link.dimse.msg_queue.put((None, None))  # who waits there is not told otherwise
                return


def _query(level: str, **keys: str) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = level
    for name, value in keys.items():
        setattr(query, name, value)
    return query


def _failure(status: int, settings: DimseSource) -> Exception:
    code = f"{status:04X}"
    if status == _NO_DESTINATION:
        return UserError(
            f"source: the PACS does not know where to send images ({code}): its administrator enters the AE "
            f"title {settings.calling} with our address and port {settings.receive_port}"
        )
    if status in _NOT_UNDERSTOOD:
        return UserError(f"source: the PACS does not understand the query ({code}): is `match` right?")
    if status == _NOT_ALLOWED:
        return UserError(f"source: the PACS does not allow this to {settings.calling} ({code})")
    return Status(f"source: the PACS refuses for now ({code})")


def _entry(told: Dataset, asked: DimseSource) -> Entry:
    return Entry(
        uid=next(texts_in_dataset(told, "StudyInstanceUID"), ""),
        date=next(texts_in_dataset(told, "StudyDate"), ""),
        modalities=tuple(texts_in_dataset(told, "ModalitiesInStudy")),
        images=count_in_dataset(told, "NumberOfStudyRelatedInstances"),
        series=count_in_dataset(told, "NumberOfStudyRelatedSeries"),
        values={name: tuple(texts_in_dataset(told, name)) for name in asked.match},
    )
