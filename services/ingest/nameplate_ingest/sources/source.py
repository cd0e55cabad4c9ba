"""What every source of exams can do: say which studies it has, and hand over one of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from nameplate.campaign.ingest import IngestSettings
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.sources.facts import SeriesFacts
from nameplate_ingest.sources.index import Index, Reading, Study
from nameplate_ingest.sources.packed import unpack
from nameplate_ingest.study import Ingested, ingest_study
from nameplate_ingest.workers import Workers


def never() -> bool:
    """No process is asked to stop."""
    return False


class Source(ABC):
    """Where exams are.

    It is asked twice: in one process what it has, and then, perhaps in others, for one study after another.
    It is pickled on the way, so what connects it is made where it is needed.
    """

    place: Path
    """Where the relative names of its files start; of a source without files, any path."""
    identity: str
    """What tells it from other sources: a folder of output is of one source alone."""
    table_setting: str = "fields_csv"
    """The setting of the table with further columns of its studies, as the ledger names it."""
    most_workers: int | None = None
    """How many processes may fetch from it at once; None for any number."""
    leaves_out: bool = False
    """Whether a study that it has and does not give is refused; if not, the run ends, to be tried again."""
    should_stop: Callable[[], bool] = staticmethod(never)
    """Whether this process is asked to end: who waits for a source looks at it, and raises TryAgain."""

    def check(self) -> None:  # noqa: B027 (most sources cannot tell)
        """Raise UserError for a source that cannot be one, as far as that costs nothing to see."""

    @abstractmethod
    def index(
        self, reading: Reading, workers: Workers, progress: Callable[[int], None] | None = None
    ) -> Index:
        """All its studies; ``progress`` gets the number of files (or studies, where no file is read) so far.

        ``workers`` may read files with ``index_part``. Raises UserError for a source that is missing, empty
        or refuses us, TryAgain for one that does not answer.
        """

    def facts(self, studies: Mapping[str, Study]) -> Iterable[SeriesFacts]:  # noqa: ARG002
        """What it tells of the series of these studies without fetching any; the order does not matter.

        Nothing where listing has read the headers, which tell more. One question for many studies is better
        than one for each. Raises as ``index`` does.
        """
        return ()

    def ahead(
        self,
        studies: Mapping[str, Study],  # noqa: ARG002
        folder_of: Callable[[str], Path],  # noqa: ARG002
        scratch: Path,  # noqa: ARG002
    ) -> Iterator[str]:
        """Studies that are best fetched together, each when it is in its folder; the others in their turn.

        ``slices`` finds them there. The next is fetched when it is asked for. ``scratch`` is a folder for
        what is needed meanwhile. Raises TryAgain where the source does not answer, or the disk is full.
        """
        yield from ()

    def slices(self, uid: str, study: Study, scratch: Path) -> AbstractContextManager[list[Slice]]:  # noqa: ARG002
        """The images of a study, whose files can be opened as long as the block lasts.

        ``scratch`` is a folder for what has to be fetched, empty and of this study alone. Raises Refused for
        a study that is there no more or is another one by now, TryAgain where the source does not answer.
        """
        return _where_they_are(study)

    def ingested(
        self, uid: str, study: Study, settings: IngestSettings, pseudonyms: Pseudonyms, scratch: Path
    ) -> Ingested:
        """A study as it becomes an exam, with pictures of what was refused, and measures."""
        with self.slices(uid, study, scratch) as slices:
            return ingest_study(slices, settings, pseudonyms, study.listed, draw=True, measure=True)


@contextmanager
def _where_they_are(study: Study) -> Iterator[list[Slice]]:
    """The files need no fetching."""
    yield unpack(study.pieces)
