"""The files below a folder, each once: links are followed, and loops of links end."""

import os
import stat
from collections.abc import Iterator
from enum import Enum
from itertools import chain
from pathlib import Path

from nameplate.errors import UserError


class Obstacle(Enum):
    """Something below the folder that cannot be read as a file; the value is what the ledger says."""

    CLOSED = "a folder cannot be listed"
    DANGLING = "a link leads nowhere"
    SPECIAL = "not a regular file"


def files_of(source: Path, leave_out: Path | None = None) -> Iterator[str | Obstacle]:
    """What ``list_files`` yields for a folder that a person named.

    Raises UserError, which names the folder as it was typed, if it is none or holds nothing.
    """
    if not source.is_dir():
        raise UserError(f"{source}: not a folder" if source.exists() else f"{source}: no such file or folder")
    entries = list_files(source.absolute(), leave_out)
    first = next(entries, None)
    if first is None:
        raise UserError(f"{source}: the folder holds no files")
    return chain((first,), entries)


def list_files(source: Path, leave_out: Path | None) -> Iterator[str | Obstacle]:
    """The path of every file below ``source``, except below ``leave_out`` (our own output).

    First come the files that are really below ``source``, in sorted order; then those that links add, each
    under the path of its link. No folder and no linked file is listed twice, however many ways lead to it,
    so the result does not depend on the order in which the system lists a folder. Pipes, sockets and
    devices are never opened. Yields as it goes: a million paths are never in memory together.
    """
    own = None if leave_out is None else os.path.realpath(leave_out)
    walk = _Walk(os.path.realpath(source), own)
    yield from walk.below(str(source), walk.source)
    file_links: list[str] = []
    while walk.links:
        links, walk.links = sorted(walk.links), []
        for link in links:
            try:
                mode = Path(link).stat().st_mode
            except OSError:
                yield Obstacle.DANGLING
                continue
            if stat.S_ISDIR(mode):
                yield from walk.below(link, os.path.realpath(link))
            elif stat.S_ISREG(mode):
                # Later: a folder that is still to come may hold the same file.
                file_links.append(link)
            else:
                yield Obstacle.SPECIAL
    yield from walk.unlisted(sorted(file_links))


class _Walk:
    """Folders that were listed so far, and links that were not followed yet."""

    def __init__(self, source: str, own: str | None) -> None:
        self.source = source
        self.own = own
        self.links: list[str] = []
        self._visited: set[tuple[int, int] | str] = set()

    def below(self, folder: str, real: str) -> Iterator[str | Obstacle]:
        """What is below a folder without following links; ``real`` is its path without links."""
        stack = [(folder, real)]
        while stack:
            folder, real = stack.pop()
            files: list[str] = []
            folders: list[str] = []
            special = 0
            try:
                identity = _identity(folder, real)
                if self._is_own(real) or identity in self._visited:
                    continue
                self._visited.add(identity)
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.is_symlink():
                            self.links.append(entry.path)
                        elif entry.is_dir(follow_symlinks=False):
                            folders.append(entry.name)
                        elif entry.is_file(follow_symlinks=False):
                            files.append(entry.name)
                        else:
                            special += 1
            except OSError:
                yield Obstacle.CLOSED
            yield from (os.path.join(folder, name) for name in sorted(files))  # noqa: PTH118 (one per file)
            yield from (Obstacle.SPECIAL for _ in range(special))
            stack += [
                (f"{folder}{os.sep}{name}", f"{real}{os.sep}{name}") for name in sorted(folders, reverse=True)
            ]

    def unlisted(self, links: list[str]) -> Iterator[str]:
        """Of some links to files those that lead to a file which was not listed yet."""
        seen: set[tuple[int, int] | str] = set()
        for link in links:
            real = os.path.realpath(link)
            above = str(Path(real).parent)
            try:
                file, folder = _identity(link, real), _identity(above, above)
            except OSError:
                continue  # it was there a moment ago: deleted while we list
            if self._is_own(real) or folder in self._visited or file in seen:
                continue
            seen.add(file)
            yield link

    def _is_own(self, real: str) -> bool:
        """Whether a path is our own output, or below it; a source below the output is not."""
        if self.own is None:
            return False
        own = self.own.rstrip(os.sep) + os.sep
        return f"{real}{os.sep}".startswith(own) and not f"{self.source}{os.sep}".startswith(own)


def _identity(path: str, real: str) -> tuple[int, int] | str:
    """What is the same for every path to one file; file systems without numbers go by the path."""
    state = os.stat(path)  # noqa: PTH116 (once for every folder)
    return (state.st_dev, state.st_ino) if state.st_ino else real
