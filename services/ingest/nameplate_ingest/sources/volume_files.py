"""Which file is the volume of which row of the table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from nameplate_ingest.sources.volume_table import Row
from nameplate_ingest.voxels.header import ending_of

_mended = re.compile(r"(.+?)((?:_Tilt(?:_\d+)?)?(?:_Eq(?:_\d+)?)?)", re.DOTALL).fullmatch
"""A name, and what dcm2niix adds to it where it has put right tilt or uneven slices; maybe nothing."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a row and the files have in common."""

    file: str | None = None
    """The volume's path below the folder."""
    refusal: tuple[str, str] | None = None
    """A rule and what it saw, where the row names no file that can be used."""


@dataclass(slots=True)
class Matches:
    """All rows with their files."""

    of_exam: dict[str, Match] = field(default_factory=dict)
    missing: int = 0
    """Rows that no file is of."""
    unnamed: list[str] = field(default_factory=list)
    """Files that no row is of."""


def matched(rows: Sequence[Row], files: Iterable[str], volume: str | None, *, by_column: bool) -> Matches:
    """Each row's file: by the column of files, by the pattern ``volume``, or by the exam's name.

    By its name it is the one file that is called so, else the one in a folder that is called so, else the one
    somewhere below such a folder. A file of two rows is nobody's. Where dcm2niix has put a file with even
    slices beside one, by its name that one is meant, and the other is refused where it is told.
    """
    names = {str(PurePosixPath(file)): file for file in files}
    better = _better(names.values())
    found = Matches()
    by_name = volume is None and not by_column
    called = _called(file for file in names.values() if file not in better) if by_name else {}
    used: dict[str, list[str]] = {}
    for row in rows:
        if by_column or volume is not None:
            told = row.values.get("file") if by_column else (volume or "").replace("{exam}", row.exam)
            match = _told(told, names)
            if match is not None and match.file in better:
                seen = "dcm2niix has put one with even slices beside it (_Tilt or _Eq): name that one"
                used.setdefault(match.file, [])
                match = Match(refusal=("file-uneven", seen))
        else:
            match = _by_name(row.exam, called)
        if match is None:
            found.missing += 1
            continue
        found.of_exam[row.exam] = match
        if match.file is not None:
            used.setdefault(match.file, []).append(row.exam)
    for exams in used.values():
        if len(exams) > 1:
            refusal = "file-shared", f"one file for {len(exams)} exams"
            found.of_exam |= {exam: Match(refusal=refusal) for exam in exams}
    found.unnamed = sorted(set(names.values()) - used.keys() - (better if by_name else set()))
    return found


def _better(files: Iterable[str]) -> set[str]:
    """Files beside which there is a better one of the same name."""
    best: dict[str, tuple[int, str]] = {}
    worse: set[str] = set()
    for file in sorted(files):
        mended = _mended(_plain(file))
        name, degree = (mended[1], len(mended[2])) if mended else (_plain(file), 0)
        other = best.get(name)
        if other is None or degree > other[0]:
            best[name] = degree, file
            worse |= set() if other is None else {other[1]}
        elif degree < other[0]:
            worse.add(file)
    return worse


def _plain(file: str) -> str:
    return file[: -len(ending_of(file) or "")]


def _told(path: str | None, names: Mapping[str, str]) -> Match | None:
    """A path that the table tells; never one that leads out of the folder."""
    if path is None:
        return None
    told = PurePosixPath(path.replace("\\", "/"))
    if told.is_absolute() or ".." in told.parts:
        return Match(refusal=("path", "leads out of the folder of the volumes"))
    file = names.get(str(told))
    return None if file is None else Match(file)


def _called(files: Iterable[str]) -> dict[str, tuple[list[str], list[str], list[str]]]:
    """Files by what they may be called after: their name, the folder they are in, any folder above."""
    called: dict[str, tuple[list[str], list[str], list[str]]] = {}
    for file in files:
        path = PurePosixPath(file)
        name = _plain(path.name)
        mended = _mended(name)
        for one in {name, mended[1] if mended else name}:
            called.setdefault(one, ([], [], []))[0].append(file)
        for depth, folder in enumerate(path.parents):
            if folder.name:
                called.setdefault(folder.name, ([], [], []))[2 if depth else 1].append(file)
    return called


def _by_name(exam: str, called: Mapping[str, tuple[list[str], list[str], list[str]]]) -> Match | None:
    for files in called.get(exam, ()):
        if len(files) == 1:
            return Match(files[0])
        if files:
            return Match(refusal=("file-ambiguous", f"{len(files)} files are called after it"))
    return None
