"""A folder as one tar file and back: thousands of small files travel as one object."""

import tarfile
from pathlib import Path

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
    """Unpack what ``pack_folder`` wrote; raises DamagedObject for links, outside paths or too many bytes."""
    total = 0
    with tarfile.open(archive, "r:") as tar:
        for entry in tar:
            total += entry.size
            if not entry.isfile() or total > limit_bytes:
                raise DamagedObject(
                    f"an archive holds an entry that is no plain file, or more than {limit_bytes} bytes"
                )
            try:
                tar.extract(entry, folder, filter="data")
            except tarfile.TarError as error:
                raise DamagedObject(f"an archive holds an entry that may not be unpacked: {error}") from None
