"""The DICOM files of a cohort that is read from a folder: where they are, and whether they changed."""

import hashlib
import hmac
import os
from pathlib import Path

from nameplate.campaign import Campaign
from nameplate.campaign.cohort import CohortSettings
from nameplate.errors import CohortError, UserError
from nameplate.secret import patient_key


def source_folder(cohort: CohortSettings, campaign_folder: Path) -> Path:
    """The cohort's folder; a relative path starts at the campaign file."""
    assert cohort.folder is not None
    return campaign_folder / Path(cohort.folder).expanduser()


def manufacturers_csv(cohort: CohortSettings, campaign_folder: Path) -> Path | None:
    """The user's table of makers by study, where the cohort names one."""
    if cohort.manufacturers_csv is None:
        return None
    return campaign_folder / Path(cohort.manufacturers_csv).expanduser()


def source_digests(campaign: Campaign, campaign_folder: Path) -> dict[str, str]:
    """A keyed digest of names, sizes and times of each folder's files, by cohort.

    A changed folder or key makes the ingest run again. Raises CohortError for a folder that is
    absent or holds no file.
    """
    digests = {}
    for name, cohort in campaign.cohorts.items():
        if cohort.folder is None:
            continue
        folder = source_folder(cohort, campaign_folder)
        if not folder.is_dir():
            raise CohortError(f"cohorts.{name}.folder: {folder}: no such folder")
        digest = hmac.new(patient_key(), digestmod=hashlib.sha256)
        count = 0
        for place, folders, names in os.walk(folder):
            folders.sort()
            for file in sorted(names):
                path = Path(place, file)
                state = path.lstat()
                line = f"{path.relative_to(folder)}\0{state.st_size}\0{state.st_mtime_ns}\n"
                digest.update(line.encode("utf-8", "surrogateescape"))
                count += 1
        if count == 0:
            raise CohortError(f"cohorts.{name}.folder: {folder}: holds no files")
        if (table := manufacturers_csv(cohort, campaign_folder)) is not None:
            try:
                digest.update(table.read_bytes())
            except OSError as error:
                raise UserError(f"{table}: cannot be read: {error.strerror}") from error
        digests[name] = digest.hexdigest()
    return digests
