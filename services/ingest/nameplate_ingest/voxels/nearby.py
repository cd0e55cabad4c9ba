"""Files that a header names: only those that are really below the folder of the volumes."""

import os
from pathlib import Path

from nameplate_ingest.refusal import Refused

_LONGEST = 1024


def inside(folder: Path, path: Path) -> Path:
    """The file without links, if it is below ``folder`` without links.

    Raises Refused for a path that leads out of the folder, whether by ``..``, by a link or from the root, and
    for what is no regular file.
    """
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(folder)):
        raise Refused("path", "leads out of the folder of the volumes")
    try:
        there = real.is_file()
    except OSError:  # a name that is too long, say
        there = False
    if not there:
        raise Refused("path", "no such file")
    return real


def named_by(header: Path, name: str, folder: Path) -> Path:
    """The file that a header names, relative to its own place; raises Refused as ``inside`` does."""
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise Refused("path", "the header names no file")
    return inside(folder, header.parent / name)


def header_lines(path: Path, most: int) -> list[bytes]:
    """The lines at the start of a file, with their ends: at most ``most`` bytes, so that the last may be cut.

    Raises Refused for a file that cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most).splitlines(keepends=True)
    except OSError as error:
        raise Refused("unreadable", "the file cannot be read") from error


def floats(text: str, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` numbers, with blanks or commas between them; None for anything else."""
    try:
        values = tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        return None
    return values if len(values) == count and all(abs(value) < 1e9 for value in values) else None


def whole_numbers(text: str) -> tuple[int, ...]:
    """Whole numbers of at most nine digits, with blanks between them; empty for anything else."""
    parts = text.split()
    return tuple(map(int, parts)) if all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts) else ()
