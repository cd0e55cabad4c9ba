"""What sources have in common whose files may be in archives, or elsewhere: they are copied when needed."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from nameplate.errors import NameplateError
from nameplate_ingest.archive.limits import MOST_OF_A_STUDY, BadArchive
from nameplate_ingest.archive.ranged import Ranged
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.candidate import Home
from nameplate_ingest.sources.fetched import Wanted, fetch
from nameplate_ingest.sources.index import Study
from nameplate_ingest.sources.located import Located, located
from nameplate_ingest.sources.one_pass import OnePass, given, local_names, passes_of, unpacked_bytes
from nameplate_ingest.sources.packed import unpack
from nameplate_ingest.sources.source import Source


class Archived(Source):
    """A source whose index notes where each file is."""

    @abstractmethod
    def opened(self, home: Home) -> AbstractContextManager[Ranged]:
        """An archive's bytes; raises NotAsListed where it is there no more, or is another one by now."""

    def fetch(self, jobs: Sequence[tuple[Home, Wanted]], scratch: Path) -> dict[Path, Refused]:
        """Copy files, by what they are in; gives those that cannot be read."""
        lost: dict[Path, Refused] = {}
        for home, wanted in jobs:
            with self.opened(home) as data:
                lost |= fetch(data, wanted, scratch)
        return lost

    @contextmanager
    def slices(self, uid: str, study: Study, scratch: Path) -> Iterator[list[Slice]]:  # noqa: ARG002
        """The study's files below ``scratch``, in the order of their own names; no others are read."""
        slices, files = unpack(study.pieces), located(study, self.place)
        local = local_names(slices, files, scratch)
        if (lost := given(scratch)) is None:
            lost = self._fetched(local, files, scratch)
        yield [_local(slice_, local, lost) for slice_ in slices]

    def _fetched(
        self, local: Mapping[Path, Path], files: Mapping[Path, Located], scratch: Path
    ) -> dict[Path, Refused]:
        by_home: dict[Home, list[Path]] = defaultdict(list)
        for path in local:
            by_home[files[path].home].append(path)
        if unpacked_bytes(files[path] for path in local) > MOST_OF_A_STUDY:
            raise Refused("archive-bomb", f"a study of more than {MOST_OF_A_STUDY >> 30} GiB")
        jobs = [
            (home, [(files[path].places, local[path]) for path in members])
            for home, members in by_home.items()
        ]
        try:
            return self.fetch(jobs, scratch)
        except BadArchive as bad:
            raise Refused(bad.rule, bad.seen) from bad

    def ahead(
        self, studies: Mapping[str, Study], folder_of: Callable[[str], Path], scratch: Path
    ) -> Iterator[str]:
        """Those of archives that can only be read from their start, in so many passes as the disk allows."""
        for home, together in passes_of(studies, self.place):
            before = len(together) + 1
            while 1 < len(together) < before:
                before = len(together)
                one_pass = OnePass(together, self.place, folder_of)
                # Whatever is wrong is found out again where a study is fetched for itself.
                with suppress(Refused, BadArchive, NameplateError), self.opened(home) as data:
                    for uid in one_pass.read(data, scratch):
                        yield uid
                        del together[uid]


def _local(slice_: Slice, local: dict[Path, Path], lost: dict[Path, Refused]) -> Slice:
    """An image with its file on the disk; one without is refused as a broken file is."""
    path = local.get(slice_.path, slice_.path)
    refused = lost.get(path)
    if refused is None:
        return replace(slice_, path=path)
    refusal = slice_.refusal or (refused.rule, refused.seen)
    return replace(slice_, path=path, refusal=refusal, grid=None, storage=None)
