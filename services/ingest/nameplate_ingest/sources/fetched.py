"""Files out of archives onto the disk, under names of ours."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from nameplate.whole import user_may_write
from nameplate_ingest.archive.flow import Flow, Part, Seeking, Unpacked
from nameplate_ingest.archive.limits import Budget
from nameplate_ingest.archive.ranged import Ranged, Section, Window
from nameplate_ingest.archive.spool import spooled
from nameplate_ingest.archive.zipped import ZipFlow
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.candidate import NotAsListed, Place

_BLOCK = 1 << 20
_AHEAD = 4 << 20
"""Bytes of a member that are read at once, at most: mostly all of them."""
STREAM = 8 << 20
"""Bytes that are read at once of what can only be read from its start."""

Wanted = Sequence[tuple[tuple[Place, ...], Path]]
"""Files by where they are in an archive, and where each is to go."""
_Body = tuple[Place, Flow, Ranged | None]
"""A member one byte after another, and at any place if that is possible."""


def size_in(place: Place) -> int:
    """The bytes of a member."""
    return place.numbers[2] if place.form == "zip" else place.numbers[1]


def fetch(data: Ranged, wanted: Wanted, scratch: Path) -> dict[Path, Refused]:
    """Copy files out of one archive; an archive without any compression is read at those places alone.

    Gives the files that could not be read, by where they were to go. Raises BadArchive where that is true of
    the whole archive, NotAsListed for one that changed, TryAgain for a full disk.
    """
    return {target: refused for target, refused in fetching(data, wanted, scratch) if refused is not None}


def fetching(data: Ranged, wanted: Wanted, scratch: Path) -> Iterator[tuple[Path, Refused | None]]:
    """As ``fetch``: each file when it is there, in the order of the archive, or why it could not be read.

    A file may be taken back in this way that was there before.
    """
    yield from _fetching(data, wanted, _Fetch(Budget(data.size), scratch))


class _Fetch(NamedTuple):
    budget: Budget
    scratch: Path


def _fetching(data: Ranged | Flow, wanted: Wanted, how: _Fetch) -> Iterator[tuple[Path, Refused | None]]:
    inside: dict[Place, list[tuple[tuple[Place, ...], Path]]] = defaultdict(list)
    for (first, *rest), target in wanted:
        inside[first].append((tuple(rest), target))
    for place, flow, section in _bodies(data, inside, how):
        of_place = inside[place]
        try:
            if of_place[0][0]:
                yield from _fetching_inside(place, flow, section, of_place, how)
            else:
                _copy(flow, size_in(place), of_place[0][1])
                yield of_place[0][1], None
        except NotAsListed:
            raise
        except Refused as refused:
            # Of an archive inside also those that were copied: nothing is taken from one that is damaged.
            yield from ((target, refused) for _, target in of_place)


def _fetching_inside(
    place: Place, flow: Flow, section: Ranged | None, wanted: Wanted, how: _Fetch
) -> Iterator[tuple[Path, Refused | None]]:
    """Files of an archive inside an archive; Refused where it cannot be read."""
    form = wanted[0][0][0].form
    with ExitStack() as stack:
        data: Ranged | Flow = flow if section is None else section
        if form == "zip" and isinstance(data, Flow):
            data = stack.enter_context(spooled(data, size_in(place), how.scratch))
        yield from _fetching(data, wanted, how)


def _bodies(data: Ranged | Flow, places: Mapping[Place, object], how: _Fetch) -> Iterator[_Body]:
    """The members at some places of an archive, in the order in which they are there."""
    ordered = sorted(places, key=lambda place: place.numbers)
    form = ordered[0].form
    if form == "zip":
        assert not isinstance(data, Flow)
        for place in ordered:
            offset, packed, size, crc, method = place.numbers
            member = ZipFlow(data, (offset, packed, size, crc, method), how.budget, ahead=_AHEAD)
            yield place, member, member.section()
        return
    flow: Flow = data if isinstance(data, Flow) else Seeking(Window(data, STREAM) if form != "tar" else data)
    if form != "tar":
        flow = Unpacked(flow, form, how.budget)
    for place in ordered:
        start, size = place.numbers
        flow.skip_to(start)
        section = None if form != "tar" or isinstance(data, Flow) else Section(data, start, size)
        yield place, Part(flow, size), section


def _copy(flow: Flow, size: int, target: Path) -> None:
    """Write a member; Refused for one that is not of the size that was told."""
    with user_may_write(target.parent), target.open("wb") as file:
        while data := flow.read(_BLOCK):
            file.write(data)
    if flow.position != size:
        target.unlink()
        raise Refused("archive-damaged", "a member ends early")
