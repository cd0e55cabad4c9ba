"""Which file is the volume of which row of the table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from nameplate_ingest.sources.volume_table import Row
from nameplate_ingest.voxels.header import ending_of


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
    somewhere below such a folder. A file of two rows is nobody's.
    """
    names = {str(PurePosixPath(file)): file for file in files}
    found = Matches()
    called = _called(names.values()) if volume is None and not by_column else {}
    used: dict[str, list[str]] = {}
    for row in rows:
        if by_column or volume is not None:
            told = row.values.get("file") if by_column else (volume or "").replace("{exam}", row.exam)
            match = _told(told, names)
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
    found.unnamed = sorted(set(names.values()) - used.keys())
    return found


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
        name = path.name[: -len(ending_of(path.name) or "")]
        called.setdefault(name, ([], [], []))[0].append(file)
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
