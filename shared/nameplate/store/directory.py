"""A store in a local directory: one file per object, written under a temporary name and renamed."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nameplate.errors import StoreError
from nameplate.store.store import COMMITS, NoSuchKey, check_key
from nameplate.whole import whole_file


class DirectoryStore:
    """Objects as files below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = str(root)
        if root.exists() and not root.is_dir():
            raise StoreError(f"{root}: expected a folder, found a file")

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def get(self, key: str) -> bytes:
        """The object; raises NoSuchKey."""
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NoSuchKey(f"{self.url}: nothing under {key}") from None
        except OSError as error:
            raise StoreError(f"{self.url}: cannot read {key}: {error.strerror}") from error

    def put(self, key: str, data: bytes) -> None:
        """Store the object, replacing what was there."""
        with self._writing(key) as temporary, temporary.open("wb") as file:
            file.write(data)
            if key.startswith(COMMITS) or "/" not in key:
                # A commit must survive a power cut whole; lost outputs are noticed later.
                file.flush()
                os.fsync(file.fileno())

    def put_file(self, key: str, path: Path) -> None:
        """Copy a file into the store."""
        with self._writing(key) as temporary:
            shutil.copyfile(path, temporary)

    @contextmanager
    def _writing(self, key: str) -> Iterator[Path]:
        """A temporary file, which becomes the object if the block succeeds and is deleted if not."""
        target = self._path(key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # No valid key starts with a dot, so half-written files are never listed as objects.
            with whole_file(target) as temporary:
                yield temporary
                temporary.chmod(0o644)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreError(f"{self.url}: the disk is full; {key} was not written") from error
            raise StoreError(f"{self.url}: cannot write {key}: {error.strerror}") from error

    def fetch(self, key: str, cache: Path) -> Path:  # noqa: ARG002 (remote stores need it)
        """The object's own file."""
        path = self._path(key)
        if not path.is_file():
            raise NoSuchKey(f"{self.url}: nothing under {key}")
        return path

    def exists(self, key: str) -> bool:
        """Whether something is stored under this key."""
        return self._path(key).is_file()

    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of every object whose key starts with ``prefix``, by key in sorted order."""
        # Only the folder named by the prefix can hold matches; walk no more than that.
        start = self.root / prefix.rpartition("/")[0]
        sizes: dict[str, int] = {}
        for folder, _, names in os.walk(start):
            for name in names:
                path = Path(folder, name)
                key = path.relative_to(self.root).as_posix()
                if key.startswith(prefix) and not name.startswith("."):
                    sizes[key] = path.lstat().st_size
        return dict(sorted(sizes.items()))

    def delete(self, key: str) -> None:
        """Delete the object."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self.url}: cannot delete {key}: {error.strerror}") from error

    def folder(self, prefix: str) -> Path | None:
        """The folder of this prefix, created if missing."""
        path = self._path(prefix)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.url}: cannot write {prefix}: {error.strerror}") from error
        return path
