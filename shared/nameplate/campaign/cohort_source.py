"""Where a cohort's exams are on this machine, and whether they changed."""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nameplate.campaign.campaign import Campaign
from nameplate.campaign.pseudonym_key import pseudonym_key
from nameplate.campaign.sources import ArchiveSource, FolderSource, SourceSettings
from nameplate.errors import CohortError, UserError


@dataclass(frozen=True, kw_only=True)
class CohortSource:
    """Where the exams of one cohort are, and what the user says of them, on this machine."""

    name: str
    """The cohort."""
    settings: SourceSettings
    folder: Path
    """Where relative paths start: the folder of the campaign file."""
    manufacturers_csv: Path | None = None
    """The user's table of manufacturers by study, if the cohort names one."""
    fields_csv: Path | None = None
    """The user's table of further fields by study, if the cohort names one."""
    fields: tuple[str, ...] = ()
    """The columns of it, or of the source's own table, that may leave the ingest."""
    masks: Path | None = None
    """The folder of the user's masks, if the cohort names one."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether no look at this machine's files can tell that its exams changed."""
        return not self.settings.paths

    def path(self, name: str) -> Path:
        """A path among the source's settings."""
        return self.folder / Path(str(getattr(self.settings, name))).expanduser()

    @cached_property
    def digest(self) -> str:
        """Keyed, over names, sizes and times of all files and masks and over the tables.

        The folders' own paths are left out, since they decide no result. Of exams elsewhere it holds the
        settings that find them.

        Raises CohortError for a path that is missing, holds no file (of masks: no NIfTI file) or may not be
        read in whole, UserError for a table that cannot be read.
        """
        digest = hmac.new(pseudonym_key(), digestmod=hashlib.sha256)
        setting = "folder" if isinstance(self.settings, FolderSource) else "source.path"
        digest.update(f"{self.settings.kind}\0\n".encode())
        told = self.settings.model_dump(mode="json", exclude={*self.settings.manner, *self.settings.paths})
        digest.update(json.dumps(told, sort_keys=True).encode() + b"\n")
        if "path" in self.settings.paths:
            place, path = f"cohorts.{self.name}.{setting}", self.path("path")
            _add_files(digest, place, path, one_file=isinstance(self.settings, ArchiveSource))
        own = self.path("table") if "table" in self.settings.paths else None
        tables = {"manufacturers": self.manufacturers_csv, "fields": self.fields_csv, "table": own}
        for kind, table in tables.items():
            if table is not None:
                try:
                    data = table.read_bytes()
                except OSError as error:
                    raise UserError(f"{table}: cannot be read: {error.strerror}") from error
                # With its length: the end of one table must not pass for the beginning of the next.
                digest.update(f"{kind}\0{len(data)}\n".encode() + data)
        if self.masks is not None:
            digest.update(b"masks\0\n")  # no line of a file looks like this one
            _add_files(digest, f"cohorts.{self.name}.masks", self.masks, nifti=True)
        return digest.hexdigest()


def sources_of(campaign: Campaign, campaign_folder: Path) -> dict[str, CohortSource]:
    """The source of each cohort whose exams are read; relative paths start at the campaign file.

    A simulated cohort has none, nor has a derived one: what its exams were read from is the source of the
    cohort that it names.
    """

    def place(setting: str | None) -> Path | None:
        return None if setting is None else campaign_folder / Path(setting).expanduser()

    return {
        name: CohortSource(
            name=name,
            settings=cohort.source,
            folder=campaign_folder,
            manufacturers_csv=place(cohort.manufacturers_csv),
            fields_csv=place(cohort.fields_csv),
            fields=cohort.fields,
            masks=place(cohort.masks),
        )
        for name, cohort in campaign.cohorts.items()
        if cohort.source is not None and cohort.phantom is None
    }


def digests_of(sources: Mapping[str, CohortSource]) -> dict[str, str]:
    """The digest of every source, by cohort: a change of one makes its exams be listed again."""
    return {name: source.digest for name, source in sources.items()}


def is_nifti(path: Path) -> bool:
    """Whether a file's name is that of a NIfTI file."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def _add_files(
    digest: hmac.HMAC, place: str, folder: Path, *, nifti: bool = False, one_file: bool = False
) -> None:
    """Name, size and time of every file, or of NIfTI files alone; ``place`` names the setting in errors.

    With ``one_file`` the folder may be a single file.
    """
    if one_file and folder.is_file():
        state = folder.stat()
        digest.update(
            f"{folder.name}\0{state.st_size}\0{state.st_mtime_ns}\n".encode("utf-8", "surrogateescape")
        )
        return
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
