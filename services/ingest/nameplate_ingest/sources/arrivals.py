"""What comes when one study is fetched: each image once, and nothing of another study."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from nameplate.errors import NameplateError
from nameplate.whole import user_may_write
from nameplate_ingest.archive.limits import MOST_MEMBERS, MOST_OF_A_STUDY
from nameplate_ingest.dicom.content import DiskFile
from nameplate_ingest.dicom.header import read_elements
from nameplate_ingest.dicom.tags import SOP_INSTANCE, STUDY_UID
from nameplate_ingest.dicom.values import text
from nameplate_ingest.refusal import Refused

_NAMES = frozenset((STUDY_UID, SOP_INSTANCE))


class Arrivals:
    """The files of a study in a folder of its own; several connections may bring some at the same time."""

    def __init__(self, uid: str, folder: Path) -> None:
        self._uid, self._folder = uid, folder
        self._lock = threading.Lock()
        self._number = 0
        self._seen: set[str] = set()
        self.files: list[DiskFile] = []
        self._room = MOST_OF_A_STUDY
        """Bytes that may still come."""
        self.error: NameplateError | Refused | None = None
        """Why a file could not be taken."""
        self.last = time.monotonic()
        """When the last one came."""

    def take(self, pieces: Iterable[bytes]) -> bool:
        """Write the next file; returns whether it is of the study, for all that can be told.

        Raises TryAgain when the disk is full, Refused for a study that has no end.
        """
        with self._lock:
            self._number += 1
            path = self._folder / f"{self._number:06d}"
        try:
            if self._number > MOST_MEMBERS:
                raise Refused("too-large", f"a study of more than {MOST_MEMBERS} files")
            with user_may_write(path), path.open("wb") as file:
                for piece in pieces:
                    with self._lock:
                        self._room -= len(piece)
                    if self._room < 0:
                        raise Refused("too-large", f"a study of more than {MOST_OF_A_STUDY >> 30} GiB")
                    file.write(piece)
        except (NameplateError, Refused) as error:
            self.error = error
            raise
        with self._lock:
            self.last = time.monotonic()
            is_ours, is_new = self._told(path)
            if is_new:
                self.files.append(DiskFile(path))
                return True
        with suppress(OSError):
            path.unlink()
        return is_ours

    def _told(self, path: Path) -> tuple[bool, bool]:
        """Whether a file is of the study, and whether it has not come before."""
        try:
            names = read_elements(path, _NAMES).values
        except Refused:
            return True, True  # the ledger will say what it is
        if text(names.get(STUDY_UID)) != self._uid:
            return False, False
        instance = text(names.get(SOP_INSTANCE))
        if instance and instance in self._seen:
            return True, False
        self._seen.add(instance)
        return True, True
