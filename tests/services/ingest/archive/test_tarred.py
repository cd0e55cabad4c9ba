"""Tar archives: what tarfile writes is read, and what lies is found out."""

import io
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from archive_maker import tar_of
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.archive.flow import Seeking
from nameplate_ingest.archive.limits import BadArchive, Budget
from nameplate_ingest.archive.ranged import Section, disk_bytes
from nameplate_ingest.archive.tarred import BLOCK, TarMember, is_header, tar_members


class Memory:
    """Bytes at places."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read(self, start: int, count: int) -> bytes:
        return self.data[start : start + count]


def members(data: bytes) -> list[TarMember]:
    return list(tar_members(Seeking(Memory(data)), Budget(len(data))))


def contents(data: bytes) -> dict[str, bytes]:
    return {one.name: data[one.offset : one.offset + one.size] for one in members(data)}


def tar_with(*infos: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=form) as tar:
        for info in infos:
            tar.addfile(info, io.BytesIO(b"x" * info.size))
    return data.getvalue()


def info(name: str, **fields: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def mended(block: bytes) -> bytes:
    """A header with the checksum that it should have."""
    total = sum(block[:148]) + sum(block[156:BLOCK]) + 8 * 32
    return block[:148] + b"%06o\0 " % total + block[156:]


def patched(data: bytes, at: int, value: bytes) -> bytes:
    data = data[:at] + value + data[at + len(value) :]
    return mended(data[:BLOCK]) + data[BLOCK:]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["a", "folder/b", "d/" * 60 + "long", "n" * 90, "Müller/ä"])
def test_what_tarfile_writes_is_read(form: int, name: str) -> None:
    data = tar_with(info(name, size=700), info("folder", type=tarfile.DIRTYPE), info("z", size=1), form=form)
    assert contents(data) == {name: b"x" * 700, "z": b"x"}


def test_very_long_names_and_names_that_are_no_text() -> None:
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        long = "n" * 300 + "/x"
        assert contents(tar_with(info(long, size=3), form=form)) == {long: b"xxx"}
        odd = b"a\xff\xfeb".decode("utf-8", "surrogateescape")
        assert contents(tar_with(info(odd, size=3), form=form)) == {odd: b"xxx"}


def test_sizes_in_binary_and_in_extended_headers() -> None:
    big = 9 << 30
    data = tar_with(info("big", size=0), form=tarfile.GNU_FORMAT)
    data = patched(data, 124, b"\x80" + big.to_bytes(11, "big"))
    stream = tar_members(Seeking(Memory(data)), Budget(1))
    assert next(stream).size == big
    with pytest.raises(BadArchive, match="early"):
        next(stream)
    assert contents(tar_with(info("pax", size=5, pax_headers={"size": "5", "comment": "x"}))) == {
        "pax": b"xxxxx"
    }


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a pipe"),
        (b"V", "not a file"),
    ],
)
def test_what_is_no_file_is_told(kind: bytes, odd: str) -> None:
    data = tar_with(info("a", type=kind, linkname="/etc/passwd"), info("b", size=2))
    assert [(one.name, one.odd) for one in members(data)] == [("a", odd), ("b", "")]


def test_sparse_files_are_passed_whole() -> None:
    """A file with holes by GNU's headers: descriptions of more holes stand between header and bytes."""
    header = tar_with(info("a", size=0), form=tarfile.GNU_FORMAT)[:BLOCK]
    header = mended(header[:156] + b"S" + header[157:482] + b"\x01" + header[483:])
    header = patched(header, 124, b"%011o\0" % 3)
    data = header + bytes(504) + b"\x01" + bytes(7) + bytes(BLOCK) + b"xyz".ljust(BLOCK, b"\0")
    data += tar_of({"b": b"content"})
    assert [(one.name, one.odd) for one in members(data)] == [("a", "a sparse file"), ("b", "")]


@pytest.mark.parametrize("cut", [100, 512, 600, 1024, 1500, 2048, 2100])
def test_an_archive_that_ends_early(cut: int) -> None:
    data = tar_of({"a": b"x" * 600, "b": b"y"})
    with pytest.raises(BadArchive, match="early"):
        members(data[:cut])


def test_a_broken_header_in_the_middle_is_no_end() -> None:
    data = tar_of({"a": b"x" * 600, "b": b"y", "c": b"z"})
    with pytest.raises(BadArchive, match="header"):
        members(data[:1540] + b"?" + data[1541:])


@pytest.mark.parametrize(
    "records", [b"99 path=x\n", b"path=x\n", b"10 size=-1\n", b"9 pathxx\n", b"0 path=x\n"]
)
def test_extended_headers_that_make_no_sense(records: bytes) -> None:
    head = mended(tar_of({"x": records})[:156] + b"x" + tar_of({"x": records})[157:BLOCK])
    with pytest.raises(BadArchive, match="header"):
        members(head + records.ljust(BLOCK, b"\0") + tar_of({"b": b"y"}))


def test_an_extended_header_of_a_gigabyte_is_not_read() -> None:
    for kind in (b"x", b"L"):
        data = patched(tar_of({"a": b"x"}), 124, b"%011o\0" % (1 << 30))
        with pytest.raises(BadArchive, match="MiB"):
            members(patched(data, 156, kind))


def test_a_tar_of_more_members_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nameplate_ingest.archive.limits.MOST_MEMBERS", 3)
    assert len(members(tar_of({str(number): b"" for number in range(3)}))) == 3
    with pytest.raises(BadArchive, match="members"):
        members(tar_of({str(number): b"" for number in range(4)}))


def test_old_headers_are_headers_and_other_blocks_are_not() -> None:
    header = tar_of({"a": b""})[:BLOCK]
    old = mended(header[:257] + bytes(255))
    assert is_header(old)
    assert not is_header(bytes(BLOCK))
    assert not is_header(header[:-1])
    assert not is_header(b"x" * BLOCK)
    name = tar_with(info("Müller"), form=tarfile.USTAR_FORMAT)[:BLOCK]
    signed = sum(name[:148]) + sum(name[156:]) + 256 - 256 * sum(byte > 127 for byte in name)
    assert is_header(name[:148] + b"%06o\0 " % signed + name[156:])


def test_a_part_of_a_file_is_read_as_a_file(tmp_path: Path) -> None:
    data = tar_of({"a": b"content"})
    path = tmp_path / "x"
    path.write_bytes(b"before" + data + b"behind")
    with disk_bytes(path) as disk:
        inner = Section(disk, 6, len(data))
        assert [one.name for one in tar_members(Seeking(inner), Budget(1))] == ["a"]


@given(st.data())
def test_changed_archives_are_refused_or_read(draw: st.DataObject) -> None:
    data = bytearray(tar_with(info("a", size=700), info("n" * 200, size=3), info("z", size=1)))
    for _ in range(draw.draw(st.integers(1, 4))):
        at = draw.draw(st.integers(0, 8)) * BLOCK
        place = at + draw.draw(st.integers(0, BLOCK - 1))
        data[place] = draw.draw(st.integers(0, 255))
        if draw.draw(st.booleans()):
            data[at : at + BLOCK] = mended(bytes(data[at : at + BLOCK]))
    cut = bytes(data[: draw.draw(st.integers(0, len(data)))])
    with suppress(BadArchive):
        assert all(one.offset + one.size <= len(cut) for one in members(cut))
