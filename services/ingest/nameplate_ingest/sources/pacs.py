"""What both ways of asking a PACS share: windows of days, what a study is, and turns at fetching."""

import shutil
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources.query import QuerySource
from nameplate.errors import TryAgain, UserError
from nameplate.steps.ingest import LedgerRow
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.arrivals import Arrivals
from nameplate_ingest.sources.entry import Entry, date_range, halves, is_wanted, windows
from nameplate_ingest.sources.facts import SeriesFacts
from nameplate_ingest.sources.index import Index, Reading, Study, fingerprint, named_study, stray_of
from nameplate_ingest.sources.patience import PATIENCE_S, patiently
from nameplate_ingest.sources.scan import RefusedFile, scan_files
from nameplate_ingest.sources.source import Source
from nameplate_ingest.sources.throttle import Throttle
from nameplate_ingest.study import Ingested, ingest_study
from nameplate_ingest.workers import Workers

T = TypeVar("T")


class TooMany(Exception):
    """More studies match than the PACS lists at once."""


class Pacs(Source):
    """Studies that a query finds; a study's images are fetched when its turn comes."""

    def __init__(self, settings: QuerySource, identity: str, patience_s: float = PATIENCE_S) -> None:
        self.place = Path("/")  # it has no files
        self.identity = identity
        self.most_workers = settings.limits.at_once
        self.leaves_out = settings.if_refused == "leave-out"
        self._asked = settings
        self._throttle = Throttle(settings.limits)
        self._patience_s = patience_s

    @abstractmethod
    def listed(self, begin: date, end: date) -> list[Entry]:
        """The studies of some days, as the PACS lists them.

        Raises TooMany for more than it lists, Unanswered, and UserError where it refuses us.
        """

    @abstractmethod
    def series(self, begin: date, end: date, studies: Collection[str]) -> list[SeriesFacts]:
        """What is told of series of some days, of these studies at least; raises as ``listed`` does."""

    @abstractmethod
    def images_of(self, uid: str) -> int | None:
        """How many images a study has, for a PACS that does not say so when it lists studies."""

    @abstractmethod
    def fetch(self, uid: str, arrivals: Arrivals) -> str:
        """Take in all images of a study; returns what the PACS said of those that it did not send, or ''.

        Raises Unanswered, UserError where it refuses us, and Refused for a study that is not there.
        """

    def index(
        self,
        reading: Reading,
        workers: Workers,  # noqa: ARG002
        progress: Callable[[int], None] | None = None,
    ) -> Index:
        """Ask window by window; no image is fetched, and no header read."""
        asked, index, listed = self._asked, Index(), 0
        for begin, end in windows(asked.since, asked.until, asked.window_days):
            if self.should_stop():
                raise TryAgain("stopped while listing the source; the same command goes on from here")
            for entry in self._halved(self.listed, begin, end):
                listed += 1
                if not entry.is_named:
                    stray = stray_of(reading.pseudonyms, "entry", "no-study", "listed without a UID")
                    index.strays[stray] += 1
                elif is_wanted(entry, asked) and entry.uid not in index.studies:
                    index.studies[entry.uid] = self._study(index, entry, reading)
            if progress:
                progress(len(index.studies))
        if not index.studies:
            raise UserError(
                f"source: no study matches: {listed} are listed from {asked.since} to {asked.until}, and "
                f"none has {asked.modality}{' and what `match` asks for' if asked.match else ''}"
            )
        return index.finished(reading)

    def facts(self, studies: Mapping[str, Study]) -> Iterator[SeriesFacts]:
        """Asked window by window, as when studies were listed."""
        asked = self._asked

        def series(begin: date, end: date) -> list[SeriesFacts]:
            return self.series(begin, end, studies)

        for begin, end in windows(asked.since, asked.until, asked.window_days):
            if self.should_stop():
                raise TryAgain("stopped while asking the source for series; the same command does it again")
            yield from self._halved(series, begin, end)

    def _halved(self, ask: Callable[[date, date], list[T]], begin: date, end: date) -> Iterator[T]:
        """What there is of some days; where it is too much for one answer, half the days at a time."""
        try:
            entries = self._patiently(lambda: ask(begin, end))
        except TooMany:
            if begin == end:
                raise UserError(
                    f"source: the PACS does not list all studies of one day ({date_range(begin, end)}): "
                    "let `match` ask for fewer"
                ) from None
            for half in halves(begin, end):
                yield from self._halved(ask, *half)
            return
        yield from entries

    def _study(self, index: Index, entry: Entry, reading: Reading) -> Study:
        if not entry.images:
            entry = replace(entry, images=self._patiently(lambda: self.images_of(entry.uid)))
        study = named_study(index, entry.uid, (), reading)
        study.files = entry.images or 0
        told = (self.identity, entry.uid, entry.date, str(entry.images), str(entry.series))
        study.prints = fingerprint(reading.pseudonyms.key, *told)
        return study

    @contextmanager
    def slices(self, uid: str, study: Study, scratch: Path) -> Iterator[list[Slice]]:
        """Fetched, and read; files that cannot be read are left out."""
        yield self._fetched(uid, study, scratch, Pseudonyms(b"of no file that is named"))[0]

    def ingested(
        self, uid: str, study: Study, settings: IngestSettings, pseudonyms: Pseudonyms, scratch: Path
    ) -> Ingested:
        """As from a folder; the ledger has a row for each file that cannot be read."""
        slices, strays = self._fetched(uid, study, scratch, pseudonyms)
        ingested = ingest_study(slices, settings, pseudonyms, study.listed, draw=True, measure=True)
        return replace(ingested, rows=(*ingested.rows, *map(_row, strays)))

    def _fetched(
        self, uid: str, study: Study, scratch: Path, pseudonyms: Pseudonyms
    ) -> tuple[list[Slice], list[RefusedFile]]:
        arrivals = self._patiently(lambda: self._attempt(uid, study, scratch))
        items = list(scan_files(arrivals.files, pseudonyms))
        slices = [item for item in items if isinstance(item, Slice)]
        if not slices:
            raise Refused("unreadable", f"none of {len(arrivals.files)} images can be read")
        strays = sorted(
            (item for item in items if isinstance(item, RefusedFile)), key=lambda one: (one.id, one.rule)
        )
        return slices, strays

    def _attempt(self, uid: str, study: Study, scratch: Path) -> Arrivals:
        """Fetch the study in its turn; each attempt starts afresh, and takes a turn."""
        self._throttle.wait(self.should_stop)
        folder = scratch / "study"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        arrivals = Arrivals(uid, folder)
        unsent = self.fetch(uid, arrivals)
        came = len(arrivals.files)
        if not came:
            raise Refused("source-gone", f"{study.files} images were listed, none came{unsent}")
        if unsent or (study.files and came != study.files):
            raise Refused("source-changed", f"{study.files} images were listed, {came} came{unsent}")
        return arrivals

    def _patiently(self, call: Callable[[], T]) -> T:
        return patiently(call, self.should_stop, self._patience_s)


def _row(stray: RefusedFile) -> LedgerRow:
    return LedgerRow(
        item="file", id=stray.id, exam=None, verdict="refused", rule=stray.rule, seen=stray.seen, files=1
    )
