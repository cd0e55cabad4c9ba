"""Which kind of archive some bytes start; names say nothing."""

import re

from nameplate_ingest.archive.tarred import BLOCK, is_header

READ = ("zip", "tar", "gzip", "zstd")
"""Forms that are read; gzip and zstd with a tar inside."""
ENOUGH = BLOCK
"""Bytes that tell."""
_STARTS = {
    "zip": rb"PK(\x03\x04|\x05\x06|\x07\x08PK\x03\x04)",
    "gzip": rb"\x1f\x8b\x08",
    "zstd": rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18",
    "7z": rb"7z\xbc\xaf\x27\x1c",
    "rar": rb"Rar!\x1a\x07",
    "bzip2": rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)",
    "xz": rb"\xfd7zXZ\x00",
}
_FORMS = {name: re.compile(start, re.DOTALL) for name, start in _STARTS.items()}


def form_of(start: bytes) -> str | None:
    """One of ``READ``, the name of an archive that is not read, or None for any other file.

    A DICOM file may have anything before its mark.
    """
    if start[128:132] == b"DICM":
        return None
    for name, pattern in _FORMS.items():
        if pattern.match(start):
            return name
    return "tar" if is_header(start) else None
