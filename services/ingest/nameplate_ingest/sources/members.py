"""The files of archives, and of archives inside them, as an index of studies."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from nameplate_ingest.archive.flow import Flow, Part, Seeking, Unpacked
from nameplate_ingest.archive.forms import ENOUGH, READ, form_of
from nameplate_ingest.archive.limits import LONGEST_NAME, MOST_OF_ONE, BadArchive, Budget
from nameplate_ingest.archive.ranged import Ranged, Section, Window
from nameplate_ingest.archive.spool import spooled
from nameplate_ingest.archive.tarred import is_header, tar_members
from nameplate_ingest.archive.zipped import ZipFlow, zip_members
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.candidate import Candidate, NotAsListed, Place
from nameplate_ingest.sources.fetched import STREAM
from nameplate_ingest.sources.index import Index, Reading, index_part, stray_of
from nameplate_ingest.sources.located import Located, note
from nameplate_ingest.sources.scan import RefusedFile

AHEAD = 16 << 10
"""Bytes that are read at once where a member starts: with them most headers are whole."""
PEEK = 8 << 10
_CHUNK = 256
_DEEPEST = 2
_ALL = 1 << 62
_DRIVE = re.compile(r"[A-Za-z]:/")

Found = Candidate | RefusedFile
Ahead = Callable[[Iterator[Found]], Iterator[Found]]


class Members:
    """A walk through archives; each file is read once, from its first byte to the end of its header."""

    def __init__(self, reading: Reading, ahead: Ahead = iter) -> None:
        """``ahead`` may read in advance, since it is given files that can be read in any order."""
        self._reading, self._ahead = reading, ahead
        self._budget = Budget(0)
        self._names: set[bytes] = set()
        self._repeated = 0
        """Members whose name another one had before."""

    def index(self, found: Iterable[Found]) -> Index:
        """The studies of some files, and of those in archives among them.

        An archive that is not what it says costs itself. Raises what their source raises.
        """
        index = Index()
        files = self._files(index, found)
        while (first := next(files, None)) is not None:
            places: dict[Path, Located] = {}
            chunk = chain((first,), islice(files, _CHUNK - 1))
            part = index_part(self._reading, _noted(chunk, places))
            note(part, self._reading.place, places)
            index.add(part)
        return index

    def _files(self, index: Index, found: Iterable[Found]) -> Iterator[Candidate]:
        """Those that are no archives; all else is put into the index."""
        for file in found:
            if isinstance(file, RefusedFile):
                index.strays[file] += 1
                continue
            form = form_of(file.peek(ENOUGH))
            if file.failed is not None:
                index.strays[self._lost(file)] += 1
            elif form is not None:
                index.add(self._archive(file, form))
            elif file.size > MOST_OF_ONE:
                seen = f"a file of more than {MOST_OF_ONE >> 30} GiB"
                index.strays[self._refused(file, "archive-bomb", seen)] += 1
            else:
                yield file
                if file.failed is not None:
                    self._lost(file)

    def _lost(self, file: Candidate) -> RefusedFile:
        """The refusal of a file that cannot be read; raises what tells that others cannot be either."""
        error = file.failed
        assert error is not None
        if isinstance(error, Refused | BadArchive) and not (
            file.places and isinstance(error, NotAsListed | BadArchive)
        ):
            return self._refused(file, error.rule, error.seen)
        raise error

    def _archive(self, file: Candidate, form: str) -> Index:
        """The index of one archive; of one that is not what it says its refusal."""
        if not file.places:
            self._budget, self._names = Budget(file.size), set()
        try:
            if form not in READ:
                raise BadArchive("archive-kind", f"a {form} archive, which is not read")
            if len(file.places) == _DEEPEST:
                raise BadArchive("archive-nested", "an archive in an archive in an archive")
            with ExitStack() as stack:
                return self.index(self._members(file, form, stack))
        except (BadArchive, Refused) as bad:
            return Index(strays=Counter((self._refused(file, bad.rule, bad.seen),)))

    def _refused(self, file: Candidate, rule: str, seen: str) -> RefusedFile:
        """Its pseudonym is of its first bytes and its size."""
        name = self._reading.pseudonyms.of("f", file.peek(ENOUGH)[:ENOUGH], str(file.size))
        return RefusedFile(name, rule, seen)

    def _members(self, file: Candidate, form: str, stack: ExitStack) -> Iterator[Found]:
        data = file.whole()
        if form == "zip":
            whole = stack.enter_context(spooled(data, file.size)) if isinstance(data, Flow) else data
            return self._ahead(self._of_zip(file, whole))
        return self._of_tar(file, data, form)

    def _of_zip(self, file: Candidate, data: Ranged) -> Iterator[Found]:
        for member in zip_members(data, self._budget):
            try:
                if member.refusal is not None:
                    raise Refused(*member.refusal)
                path = self._below(file.path, member.name)
            except Refused as refused:
                yield self._stray(refused)
                continue
            numbers = (member.offset, member.packed, member.size, member.crc, member.method)
            flow = ZipFlow(data, numbers, self._budget, ahead=AHEAD, raw_name=member.raw_name)
            yield Candidate(
                path,
                member.size,
                "\0".join((file.stamp, str(member.size), member.time, str(member.crc))),
                flow,
                home=file.home,
                places=(*file.places, Place(form="zip", numbers=numbers)),
                section=flow.section,
            )

    def _of_tar(self, file: Candidate, data: Ranged | Flow, form: str) -> Iterator[Found]:
        at_once = AHEAD if form == "tar" else STREAM
        flow: Flow = data if isinstance(data, Flow) else Seeking(Window(data, at_once))
        unpacked = None
        if form != "tar":
            unpacked = Unpacked(flow, form, self._budget)
            start = unpacked.read(ENOUGH)
            if not is_header(start):
                raise BadArchive("archive-kind", "compressed, but no tar inside")
            flow = Part(unpacked, _ALL, start)
        for member in tar_members(flow, self._budget):
            try:
                if member.odd:
                    raise Refused("archive-member", member.odd)
                path = self._below(file.path, member.name)
            except Refused as refused:
                yield self._stray(refused)
                continue
            place = member.offset, member.size
            at_any_place = None if form != "tar" or isinstance(data, Flow) else partial(Section, data, *place)
            yield Candidate(
                path,
                member.size,
                "\0".join((file.stamp, str(member.size), member.time)),
                flow,
                home=file.home,
                places=(*file.places, Place(form, place)),
                section=at_any_place or _none,
            )
        if unpacked is not None:
            unpacked.finish()

    def _below(self, above: Path, name: str) -> Path:
        """The path of a member, unlike all others of its archive.

        It is never a file's path here; but a name that climbs comes from no honest archive.
        """
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or _DRIVE.match(name):
            raise Refused("archive-member", "a name that leads out of the archive")
        if len(name) > LONGEST_NAME:
            raise Refused("archive-member", f"a name of more than {LONGEST_NAME} letters")
        if not path.parts:
            raise Refused("archive-member", "without a name")
        below = above / path
        told = hashlib.blake2b(str(below).encode("utf-8", "surrogateescape"), digest_size=8).digest()
        if told in self._names:
            # Both are read: which one is right is for the rules of copies.
            self._repeated += 1
            return Path(f"{below}\0{self._repeated}")
        self._names.add(told)
        return below

    def _stray(self, refused: Refused) -> RefusedFile:
        return stray_of(self._reading.pseudonyms, refused.rule, refused.rule, refused.seen)


def _none() -> None:
    """Not at any place."""


def _noted(files: Iterable[Candidate], places: dict[Path, Located]) -> Iterator[Candidate]:
    for file in files:
        assert file.path not in places, "a file's pixels would be taken from another one"
        places[file.path] = Located(file.home, file.places)
        yield file
