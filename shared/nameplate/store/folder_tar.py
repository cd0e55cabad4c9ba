"""A folder as one tar file and back, so that thousands of small files are one object."""

import shutil
import tarfile
from pathlib import Path, PurePosixPath

from nameplate.errors import DamagedObject


def pack_folder(folder: Path, archive: Path) -> None:
    """Write every file below ``folder`` to an uncompressed tar; the same files give the same bytes.

    Names are sorted; owner, mode and time are constants.
    """
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size = path.stat().st_size
            entry.mode = 0o644
            with path.open("rb") as file:
                tar.addfile(entry, file)


def unpack_folder(archive: Path, folder: Path, *, limit_bytes: int = 1 << 40) -> None:
    """Unpack what ``pack_folder`` wrote; raises DamagedObject for links, outside paths or too many bytes.

    Files are written one by one: the filters of tarfile's own extraction need Python 3.11.4.
    """
    total = 0
    with tarfile.open(archive, "r:") as tar:
        for entry in tar:
            total += entry.size
            name = PurePosixPath(entry.name)
            content = tar.extractfile(entry) if entry.isfile() else None
            if content is None or name.is_absolute() or ".." in name.parts or total > limit_bytes:
                raise DamagedObject(
                    f"an archive contains more than plain files, or more than {limit_bytes} bytes"
                )
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)
