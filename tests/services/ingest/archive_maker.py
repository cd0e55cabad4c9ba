"""Archives for tests: a tree of files in every form that a source may have them in."""

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import zstandard

from nameplate_ingest.conversion import Conversion, Work, convert
from nameplate_ingest.results.journal import Outcome
from nameplate_ingest.sources.archive import _index_archive
from nameplate_ingest.sources.index import Index, Reading

Files = Mapping[str, bytes]


def tree(folder: Path) -> dict[str, bytes]:
    """The files below a folder by their names there."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def tar_of(files: Files) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return data.getvalue()


def zip_of(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return data.getvalue()


def stored_zip_of(files: Files) -> bytes:
    return zip_of(files, zipfile.ZIP_STORED)


def gz_of(data: bytes) -> bytes:
    return gzip.compress(data, 6, mtime=0)


def zst_of(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def two_frames_of(data: bytes) -> bytes:
    """As pzstd writes: several frames, and one that is to be skipped before each."""
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0none"
    half = len(data) // 2
    return skipped + zst_of(data[:half]) + skipped + zst_of(data[half:])


FORMS: dict[str, Callable[[Files], bytes]] = {
    "zip": zip_of,
    "zip, stored": stored_zip_of,
    "tar": tar_of,
    "tar.gz": lambda files: gz_of(tar_of(files)),
    "tar.zst": lambda files: zst_of(tar_of(files)),
    "tar.zst of several frames": lambda files: two_frames_of(tar_of(files)),
    "zip in tar": lambda files: tar_of({"all/inner.zip": zip_of(files)}),
    "stored zip in tar": lambda files: tar_of({"inner.zip": stored_zip_of(files)}),
    "zip in zip": lambda files: zip_of({"inner": zip_of(files)}),
    "zip in stored zip": lambda files: stored_zip_of({"inner.zip": zip_of(files)}),
    "zip in tar.gz": lambda files: gz_of(tar_of({"inner.zip": zip_of(files)})),
    "tar in tar.zst": lambda files: zst_of(tar_of({"a": tar_of(files)})),
    "tar.gz in zip": lambda files: zip_of({"a.tgz": gz_of(tar_of(files))}),
    "tar in tar": lambda files: tar_of({"a": tar_of(files)}),
}


def dies_of_one(reading: Reading, path: str) -> Index:
    """Reads an archive, but one that ends the process, as the system does when memory is short.

    Here, and not beside the test, because a process that is started anew must find it.
    """
    if path.endswith("deadly"):
        os._exit(9)
    return _index_archive(reading, path)


def dies_once(conversion: Conversion, work: Work) -> Outcome:
    """Converts studies, but ends the process behind the first one that was fetched ahead."""
    outcome = convert(conversion, work)
    died = Path(os.environ["NAMEPLATE_TEST_DIED"])
    if work.is_fetched and not died.exists():
        died.touch()
        os._exit(9)
    return outcome
