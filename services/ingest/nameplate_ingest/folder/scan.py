"""A folder of mixed files: what each one is, read only up to its pixels."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nameplate_ingest.dicom.enhanced import frames_of
from nameplate_ingest.dicom.header import Elements, read_elements
from nameplate_ingest.dicom.slice import Slice, may_hold_frames, slice_of
from nameplate_ingest.dicom.tags import WANTED
from nameplate_ingest.dicom.values import text
from nameplate_ingest.fields.pseudonym import Pseudonyms, in_shard
from nameplate_ingest.refusal import Refused

_ID_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file outside any series; ``id`` is a pseudonym of its content."""

    id: str
    rule: str
    seen: str


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A file of a study that another shard takes."""

    path: Path
    study: str
    """StudyInstanceUID."""


def scan_files(
    paths: Iterable[Path], pseudonyms: Pseudonyms, shard: tuple[int, int] | None
) -> Iterator[Slice | RefusedFile | OtherFile]:
    """Each file as a slice, a refusal or one of another shard; files outside any study belong to shard 0."""
    ours = None if shard is None else _ShardFilter(pseudonyms, shard)
    for path in paths:
        try:
            elements = read_elements(path, WANTED, ours)
            if elements is not None:
                yield from images_of(path, elements)
            elif ours is not None:
                yield OtherFile(path, ours.study)
        except Refused as refused:
            if is_first(shard):
                yield refused_file(path, pseudonyms, refused.rule, refused.seen)
        except Exception as error:
            # A file that nobody foresaw costs itself, not the run. Of the error only its kind is told: its
            # text may contain values of the patient.
            if is_first(shard):
                yield refused_file(path, pseudonyms, "error", type(error).__name__)


def images_of(path: Path, elements: Elements) -> Iterator[Slice]:
    """The image of a file, or each frame of a file of many.

    Raises Refused for a file outside any study; a file whose frames cannot be read is one refused image.
    """
    if not may_hold_frames(elements):
        yield slice_of(path, elements)
        return
    try:
        frames = frames_of(path, elements)
    except Refused as refused:
        yield replace(slice_of(path, elements), refusal=(refused.rule, refused.seen), grid=None, storage=None)
        return
    for number, frame in enumerate(frames):
        yield slice_of(path, frame, number, len(frames))


def is_first(shard: tuple[int, int] | None) -> bool:
    """Whether files outside any study belong to this shard."""
    return shard is None or shard[0] == 0


def refused_file(path: Path, pseudonyms: Pseudonyms, rule: str, seen: str) -> RefusedFile:
    """The refusal of a file that belongs to no series."""
    return RefusedFile(_file_id(path, pseudonyms), rule, seen)


class _ShardFilter:
    """Whether a study is of the shard, by its StudyInstanceUID as the file has it."""

    def __init__(self, pseudonyms: Pseudonyms, shard: tuple[int, int]) -> None:
        self._pseudonyms, self._shard = pseudonyms, shard
        self._known: dict[bytes, tuple[str, bool]] = {}
        self.study = ""
        """The study that was asked about last."""

    def __call__(self, raw: bytes) -> bool:
        if raw not in self._known:
            uid = text(raw)
            # Without a UID the file is refused later, by every shard.
            self._known[raw] = uid, not uid or in_shard(self._pseudonyms.of("e", uid), self._shard)
        self.study, ours = self._known[raw]
        return ours


def _file_id(path: Path, pseudonyms: Pseudonyms) -> str:
    """A pseudonym of the content (its first MiB and size), so that it does not depend on the name."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            size = os.fstat(descriptor).st_size
            return pseudonyms.of("f", os.pread(descriptor, _ID_BYTES, 0), str(size))
        finally:
            os.close(descriptor)
    except OSError:
        return pseudonyms.of("f", "unreadable")
