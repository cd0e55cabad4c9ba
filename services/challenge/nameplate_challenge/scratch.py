"""The folder in which the model works: in memory where there is room, and gone at the end."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nameplate.whole import user_may_write

MEMORY = Path("/dev/shm")
_ROOM_BYTES = 1 << 30
"""That must be free there; images of cases take a few MB each."""
_PREFIX = "nameplate-challenge-"
_NOTE = ".scratch"


@contextmanager
def scratch_folder(out: Path, parent: Path | None) -> Iterator[Path]:
    """An empty folder of its own for this run; that of a run into ``out`` which was killed is deleted."""
    note = out / _NOTE
    if note.is_file():
        left = Path(note.read_text(errors="replace"))
        # Whatever the note says, only a folder of that name that is ours.
        is_ours = left.name.startswith(_PREFIX) and left.is_dir() and not left.is_symlink()
        if is_ours and left.stat().st_uid == os.getuid():
            shutil.rmtree(left, ignore_errors=True)
    parent = parent or (MEMORY if _has_room(MEMORY) else Path(tempfile.gettempdir()))
    with user_may_write(parent):
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent)).resolve()
    try:
        with user_may_write(note):
            note.write_text(str(folder))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        note.unlink(missing_ok=True)


def _has_room(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= _ROOM_BYTES
