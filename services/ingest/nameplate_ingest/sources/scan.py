"""Mixed files: what each one is, read only up to its pixels."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from nameplate_ingest.dicom.content import Content
from nameplate_ingest.dicom.enhanced import frames_of
from nameplate_ingest.dicom.header import Elements, read_elements
from nameplate_ingest.dicom.slice import Slice, may_hold_frames, slice_of
from nameplate_ingest.dicom.tags import WANTED
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.refusal import Refused

_ID_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file outside any series; ``id`` is a pseudonym of its content."""

    id: str
    rule: str
    seen: str


def scan_files(files: Iterable[Content], pseudonyms: Pseudonyms) -> Iterator[Slice | RefusedFile]:
    """Each file as a slice, as several if it holds many frames, or as a refusal."""
    for file in files:
        try:
            yield from images_of(file, read_elements(file, WANTED))
        except Refused as refused:
            yield refused_file(file, pseudonyms, refused.rule, refused.seen)
        except Exception as error:
            # A file that nobody foresaw costs itself, not the run. Of the error only its kind is told: its
            # text may contain values of the patient.
            yield refused_file(file, pseudonyms, "error", type(error).__name__)


def images_of(file: Content, elements: Elements) -> Iterator[Slice]:
    """The image of a file, or each frame of a file of many.

    Raises Refused for a file outside any study; a file whose frames cannot be read is one refused image.
    """
    path = file.path
    if not may_hold_frames(elements):
        yield slice_of(path, elements)
        return
    try:
        frames = frames_of(file, elements)
    except Refused as refused:
        yield replace(slice_of(path, elements), refusal=(refused.rule, refused.seen), grid=None, storage=None)
        return
    for number, frame in enumerate(frames):
        yield slice_of(path, frame, number, len(frames))


def refused_file(file: Content, pseudonyms: Pseudonyms, rule: str, seen: str) -> RefusedFile:
    """The refusal of a file that belongs to no series.

    Its pseudonym is of its content (the first MiB and the size), so that it does not depend on the name.
    """
    try:
        name = pseudonyms.of("f", file.start(_ID_BYTES), str(file.size))
    except OSError:
        name = pseudonyms.of("f", "unreadable")
    return RefusedFile(name, rule, seen)
