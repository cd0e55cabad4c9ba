"""Folders as tar files."""

import io
import tarfile
from pathlib import Path

import pytest

from nameplate.errors import DamagedObject
from nameplate.store.folder_tar import pack_folder, unpack_folder


def test_round_trip_and_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name
        for path in ("b/2.dcm", "a/1.dcm") if name == "one" else ("a/1.dcm", "b/2.dcm"):
            (folder / path).parent.mkdir(parents=True)
            (folder / path).write_text(path)
        pack_folder(folder, tmp_path / f"{name}.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    unpack_folder(tmp_path / "one.tar", tmp_path / "out")
    assert (tmp_path / "out" / "b" / "2.dcm").read_text() == "b/2.dcm"


@pytest.mark.parametrize("kind", ["link", "outside"])
def test_hostile_entries_are_refused(tmp_path: Path, kind: str) -> None:
    entry = tarfile.TarInfo("../escaped" if kind == "outside" else "link")
    if kind == "link":
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.addfile(entry, io.BytesIO())
    with pytest.raises(DamagedObject):
        unpack_folder(tmp_path / "bad.tar", tmp_path / "out")
    assert not (tmp_path / "escaped").exists()


def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "big").write_bytes(b"x" * 2000)
    pack_folder(tmp_path / "in", tmp_path / "big.tar")
    with pytest.raises(DamagedObject, match="1000 bytes"):
        unpack_folder(tmp_path / "big.tar", tmp_path / "out", limit_bytes=1000)
