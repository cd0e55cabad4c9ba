"""Archives are told by what is in them."""

import io
import zipfile

import pytest
from archive_maker import gz_of, tar_of, two_frames_of, zip_of, zst_of

from nameplate_ingest.archive.forms import ENOUGH, form_of

TAR = tar_of({"a": b"content"})


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (zip_of({"a": b"x"}), "zip"),
        (zip_of({}), "zip"),
        (TAR, "tar"),
        (gz_of(TAR), "gzip"),
        (zst_of(TAR), "zstd"),
        (two_frames_of(TAR), "zstd"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07\x01\0", "rar"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"", None),
        (b"PK", None),
        (bytes(ENOUGH), None),
        (b"notes", None),
        (b"PK\x03\x04".ljust(128, b"\0") + b"DICM", None),
        (TAR[:128] + b"DICM" + TAR[132:], None),
    ],
)
def test_a_form_is_told_by_its_first_bytes(data: bytes, form: str | None) -> None:
    assert form_of(data[:ENOUGH]) == form


def test_an_archive_that_was_written_as_parts_is_a_zip() -> None:
    data = io.BytesIO(b"PK\x07\x08")
    data.seek(4)
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("a", b"x")
    assert form_of(data.getvalue()) == "zip"
