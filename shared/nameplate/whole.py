"""Files and folders that appear whole, or not at all."""

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from nameplate.errors import TryAgain, UserError

_PARTIAL = re.compile(r"\.tmp-[0-9a-f]{12}-.+", re.DOTALL)
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """A path to write to, which becomes ``target`` if the block succeeds and is deleted if not.

    It is in the same folder; its name starts with a dot and ends with the target's name.
    """
    partial = _partial(target)
    try:
        yield partial
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """An empty folder to fill, which becomes ``target`` if the block succeeds and is deleted if not.

    Raises UserError unless ``target`` is new or an empty folder, and can be written.
    """
    check_empty(target)
    target = target.resolve()
    partial = _partial(target)
    try:
        with user_may_write(target):
            partial.mkdir(parents=True)
        yield partial
        with user_may_write(target):
            if target.exists():
                target.rmdir()
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def delete_partial(folder: Path) -> None:
    """Delete what processes that were killed have left half-written in and below ``folder``.

    For a caller who knows that nobody writes there now. What may not be deleted stays.
    """
    for place, folders, files in os.walk(folder):
        for name in filter(_PARTIAL.fullmatch, files):
            with contextlib.suppress(OSError):
                Path(place, name).unlink(missing_ok=True)
        for name in list(filter(_PARTIAL.fullmatch, folders)):
            shutil.rmtree(Path(place, name), ignore_errors=True)
            folders.remove(name)


def _partial(target: Path) -> Path:
    return target.with_name(f".tmp-{secrets.token_hex(6)}-{target.name}")


def write_whole(target: Path, files: Mapping[str, bytes]) -> None:
    """Write files by name below ``target``, as in ``whole_folder``."""
    with whole_folder(target) as folder:
        for name, data in files.items():
            path = folder / name
            with user_may_write(target):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)


def check_empty(target: Path) -> None:
    """Raise UserError unless ``target`` is new or an empty folder."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"{target}: not an empty folder")


@contextlib.contextmanager
def user_may_write(target: Path) -> Iterator[None]:
    """Turn the system's refusals to write into an error that names the place.

    UserError, or TryAgain where there is no room left: the same command may succeed later.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise TryAgain(
                f"{target}: no room left ({error.strerror}); free some, and run the same command again"
            ) from error
        raise UserError(f"{target}: cannot be written ({error.strerror})") from error
