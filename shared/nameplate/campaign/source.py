"""The files of a cohort read from a folder: where they are, and whether they changed."""

import hashlib
import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nameplate.campaign.campaign import Campaign
from nameplate.campaign.cohort import CohortSettings
from nameplate.campaign.pseudonym_key import pseudonym_key
from nameplate.errors import CohortError, UserError


@dataclass(frozen=True, kw_only=True)
class Source:
    """The files of one cohort on this machine."""

    folder: Path
    manufacturers_csv: Path | None
    """The user's table of manufacturers by study, if the cohort names one."""
    fields_csv: Path | None = None
    """The user's table of further fields by study, if the cohort names one."""
    masks: Path | None = None
    """The folder of the user's masks, if the cohort names one."""
    digest: str
    """Keyed, over names, sizes and times of all files and masks and over the tables; the folders' own paths
    are left out, since they decide no result."""


def sources_of(campaign: Campaign, campaign_folder: Path) -> dict[str, Source]:
    """The source of each cohort read from a folder; relative paths start at the campaign file.

    A derived cohort has none: what its exams were read from is the source of the cohort that it names.

    A changed folder or key makes the ingest run again. Raises CohortError for a folder that is missing,
    holds no file (of masks: no NIfTI file) or may not be read in whole, UserError for a table that cannot be
    read.
    """
    return {
        name: _source(name, cohort, campaign_folder)
        for name, cohort in campaign.cohorts.items()
        if cohort.folder is not None
    }


def _source(name: str, cohort: CohortSettings, campaign_folder: Path) -> Source:
    assert cohort.folder is not None
    digest = hmac.new(pseudonym_key(), digestmod=hashlib.sha256)
    folder = campaign_folder / Path(cohort.folder).expanduser()
    _add_files(digest, f"cohorts.{name}.folder", folder)
    tables: dict[str, Path | None] = {}
    for kind, place in (("manufacturers", cohort.manufacturers_csv), ("fields", cohort.fields_csv)):
        table = None if place is None else campaign_folder / Path(place).expanduser()
        tables[kind] = table
        if table is not None:
            try:
                data = table.read_bytes()
            except OSError as error:
                raise UserError(f"{table}: cannot be read: {error.strerror}") from error
            # With its length: the end of one table must not pass for the beginning of the next.
            digest.update(f"{kind}\0{len(data)}\n".encode() + data)
    masks = None if cohort.masks is None else campaign_folder / Path(cohort.masks).expanduser()
    if masks is not None:
        digest.update(b"masks\0\n")  # no line of a file looks like this one
        _add_files(digest, f"cohorts.{name}.masks", masks, nifti=True)
    return Source(
        folder=folder,
        manufacturers_csv=tables["manufacturers"],
        fields_csv=tables["fields"],
        masks=masks,
        digest=digest.hexdigest(),
    )


def is_nifti(path: Path) -> bool:
    """Whether a file's name is that of a NIfTI file."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def _add_files(digest: hmac.HMAC, place: str, folder: Path, *, nifti: bool = False) -> None:
    """Name, size and time of every file, or of NIfTI files alone; ``place`` names the setting in errors."""
    if not folder.is_dir():
        raise CohortError(f"{place}: {folder}: no such folder")
    count = 0
    closed: list[OSError] = []
    for path in _files(folder, closed):
        if nifti and not is_nifti(path):
            continue
        state = path.stat() if path.exists() else path.lstat()
        line = f"{path.relative_to(folder)}\0{state.st_size}\0{state.st_mtime_ns}\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
        count += 1
    if closed:
        # Before all else: exams that nobody sees would be missing without a word.
        which = "it" if closed[0].filename == str(folder) else f"{len(closed)} of its folders"
        raise CohortError(
            f"{place}: {folder}: {which} may not be read by this user (uid {os.geteuid()}):"
            f" {closed[0].strerror}; give that user or one of its groups the right to read"
        )
    if count == 0:
        raise CohortError(
            f"{place}: {folder}: holds no {'NIfTI files (.nii, .nii.gz)' if nifti else 'files'}"
        )


_OWN_FOLDER = "lost+found"
"""What a file system keeps for itself, for root alone, at the top of many volumes."""


def _files(folder: Path, closed: list[OSError]) -> Iterator[Path]:
    """Every file below the folder in a fixed order; linked folders are followed, each folder once.

    Folders that may not be read are added to ``closed``.
    """

    def unread(error: OSError) -> None:
        if Path(str(error.filename)).name != _OWN_FOLDER:
            closed.append(error)

    visited: set[tuple[int, int]] = set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=unread):
        state = Path(place).stat()
        if (state.st_dev, state.st_ino) in visited:
            folders.clear()
            continue
        visited.add((state.st_dev, state.st_ino))
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))
