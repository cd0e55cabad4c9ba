"""Zip archives: what zipfile reads is read, and what lies is found out."""

import io
import struct
import zipfile
from typing import Any

import pytest
from archive_maker import stored_zip_of, zip_of
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.archive.limits import BadArchive, Budget
from nameplate_ingest.archive.ranged import Section
from nameplate_ingest.archive.zipped import ZipFlow, ZipMember, zip_members
from nameplate_ingest.refusal import Refused


class Memory:
    """Bytes at places, and how many of them were asked for."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size, self.asked = data, len(data), 0

    def read(self, start: int, count: int) -> bytes:
        self.asked += count
        return self.data[start : start + count] if start >= 0 else b""


def members(data: bytes) -> list[ZipMember]:
    return list(zip_members(Memory(data), Budget(len(data))))


def flow(data: bytes, member: ZipMember, **options: Any) -> ZipFlow:
    place = member.offset, member.packed, member.size, member.crc, member.method
    return ZipFlow(Memory(data), place, Budget(len(data)), ahead=1 << 14, raw_name=member.raw_name, **options)


def content(data: bytes, member: ZipMember) -> bytes:
    return flow(data, member).read(1 << 30)


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.binary(max_size=300), max_size=5), st.booleans())
def test_what_zipfile_writes_is_read(files: dict[str, bytes], stored: bool) -> None:
    files = {f"a{name}.dcm".replace("\0", "").replace("\\", ""): data for name, data in files.items()}
    files = {name.encode("utf-8", "replace").decode(): data for name, data in files.items()}
    data = stored_zip_of(files) if stored else zip_of(files)
    assert {member.name: content(data, member) for member in members(data)} == files
    before = b"MZ something before the archive" + data
    assert {member.name: content(before, member) for member in members(before)} == files


def test_folders_are_no_members_and_streamed_archives_are_read() -> None:
    class OneWay(io.RawIOBase):
        """As a pipe: sizes stand behind each member."""

        written = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any, /) -> int:
            self.written += bytes(data)
            return len(data)

    out = OneWay()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("folder")
        archive.writestr("folder/a", b"x" * 5000)
        archive.comment = b"PK\x05\x06 in a comment"
    (member,) = members(out.written)
    assert (member.name, content(out.written, member)) == ("folder/a", b"x" * 5000)


def test_large_archives_have_their_numbers_in_other_places() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive, archive.open("a", "w", force_zip64=True) as file:
        file.write(b"content")
    (member,) = members(data.getvalue())
    assert content(data.getvalue(), member) == b"content"
    # As if the member lay beyond 4 GiB: its directory entry has full numbers, and the real ones behind.
    small = stored_zip_of({"a": b"content"})
    at = small.index(b"PK\x01\x02")
    extra = struct.pack("<HHQQQ", 1, 24, 7, 7, 0)
    head = bytearray(small[at : at + 46])
    head[20:28], head[42:46], head[30:32] = b"\xff" * 8, b"\xff" * 4, struct.pack("<H", len(extra))
    directory = bytes(head) + b"a" + extra
    end_64 = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(directory), at)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at + len(directory), 1)
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    large = small[:at] + directory + end_64 + locator + end
    for data_ in (large, b"before" + large):
        (member,) = members(data_)
        assert content(data_, member) == b"content"


def test_more_members_than_a_plain_zip_can_count() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number in range(66_000):
            archive.writestr(f"{number}", b"")
    assert len(members(data.getvalue())) == 66_000


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        (b"M\x81ller", 0, "Müller"),  # as old programs write
        ("Müller".encode(), 0, "Müller"),
        (b"a\xff\xfe", 0x800, "a\udcff\udcfe"),
        (b"a\\b", 0, "a/b"),
    ],
)
def test_names_in_any_encoding(raw: bytes, flags: int, name: str) -> None:
    data = stored_zip_of({"x" * len(raw): b"content"}).replace(b"x" * len(raw), raw)
    at = data.index(b"PK\x01\x02") + 8
    data = data[:at] + struct.pack("<H", flags) + data[at + 2 :]
    (member,) = members(data)
    assert member.name == name
    assert content(data, member) == b"content"


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


DATA = bytes(range(256)) * 40


@pytest.mark.parametrize("make", [zip_of, stored_zip_of])
@pytest.mark.parametrize(
    ("local", "seen"), [(0, "no header"), (8, "disagree"), (14, "disagree"), (31, "disagree")]
)
def test_a_header_that_disagrees_with_the_directory(make: Any, local: int, seen: str) -> None:
    data = make({"abc": DATA})
    data = patched(data, local, bytes((data[local] ^ 1,)))
    (member,) = members(data)
    with pytest.raises(Refused, match=seen):
        content(data, member)


@pytest.mark.parametrize("make", [zip_of, stored_zip_of])
@pytest.mark.parametrize("size", [0, 1, len(DATA) - 1, len(DATA) + 1, 1 << 30])
def test_a_member_that_lies_about_its_size(make: Any, size: int) -> None:
    data = make({"abc": DATA})
    for at in (22, data.index(b"PK\x01\x02") + 24):
        data = patched(data, at, struct.pack("<L", size))
    (member,) = members(data)
    if member.refusal is not None:
        assert member.refusal[0] == "archive-bomb"
        return
    body = flow(data, member)
    if size == 0:
        assert body.read(10) == b""
        return
    with pytest.raises(Refused):
        body.read(size)
    assert body.position <= size


def test_a_wrong_checksum_is_told_at_the_end() -> None:
    data = stored_zip_of({"abc": DATA})
    data = patched(data, 5000, b"\xff")
    (member,) = members(data)
    body = flow(data, member)
    assert len(body.read(len(DATA) - 1)) == len(DATA) - 1
    with pytest.raises(Refused, match="checksum"):
        body.read(1)


def entry(data: bytes, at: int, value: bytes) -> bytes:
    """With other bytes in the first entry of the directory."""
    return patched(data, data.index(b"PK\x01\x02") + at, value)


@pytest.mark.parametrize(
    ("at", "value", "rule"),
    [
        (8, b"\x01\0", "archive-encrypted"),
        (10, b"\x63\0", "archive-encrypted"),
        (10, b"\x0e\0", "archive-kind"),
        (4, b"\x14\x03", ""),
        (24, struct.pack("<L", 200 << 20), "archive-bomb"),
    ],
)
def test_members_that_are_not_read(at: int, value: bytes, rule: str) -> None:
    (member,) = members(entry(zip_of({"abc": DATA}), at, value))
    assert (member.refusal or ("",))[0] == rule


def test_links_in_a_zip_are_told_by_their_mode() -> None:
    data = entry(
        entry(stored_zip_of({"abc": b"/etc/passwd"}), 4, b"\x14\x03"), 38, struct.pack("<L", 0o120777 << 16)
    )
    (member,) = members(data)
    assert member.refusal == ("archive-member", "a link")


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"PK\x03\x04" + bytes(100), "archive-damaged"),
        (zip_of({"abc": DATA})[:-23], "archive-damaged"),
        (zip_of({"abc": DATA}).replace(b"PK\x01\x02", b"PK\x01\x03"), "archive-damaged"),
        (zip_of({"abc": DATA})[:-12] + b"\xff" * 8 + bytes(4), "archive-damaged"),
        (zip_of({"abc": DATA})[:-18] + b"\x01\0" + zip_of({"abc": DATA})[-16:], "archive-kind"),
        (entry(zip_of({"abc": DATA}), 20, b"\xff\xff\xff\xff"), "archive-damaged"),
        (entry(zip_of({"abc": DATA}), 20, b"\xff\xff\xff\x7f"), "archive-bomb"),
    ],
)
def test_archives_that_cannot_be_read(data: bytes, rule: str) -> None:
    with pytest.raises(BadArchive) as caught:
        members(data)
    assert caught.value.rule == rule


def test_members_that_overlap_are_a_bomb() -> None:
    """As the known bomb has it: a million entries of the directory for the same packed bytes."""
    data = zip_of({"abc": DATA})
    at, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    directory = data[at:end] * 1000
    last = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 1000, 1000, len(directory), at, 0)
    with pytest.raises(BadArchive, match="overlap"):
        members(data[:at] + directory + last)


def test_a_member_is_read_no_further_than_asked() -> None:
    data = stored_zip_of({"a": bytes(1 << 20), "b": b"end"})
    source = Memory(data)
    first = next(zip_members(source, Budget(source.size)))
    source.asked = 0
    place = first.offset, first.packed, first.size, first.crc, first.method
    body = ZipFlow(source, place, Budget(source.size), ahead=1 << 14)
    assert body.read(8192) == bytes(8192)
    assert source.asked == 1 << 14
    section = body.section()
    assert isinstance(section, Section)
    assert (section.size, section.read((1 << 20) - 1, 10)) == (1 << 20, b"\0")


@given(st.data())
def test_changed_archives_are_refused_or_read(draw: st.DataObject) -> None:
    plain = zip_of({"a/b": DATA, "c": b"small"}) if draw.draw(st.booleans()) else stored_zip_of({"a/b": DATA})
    data = bytearray(plain)
    for _ in range(draw.draw(st.integers(1, 6))):
        start = 0 if draw.draw(st.booleans()) else max(0, plain.index(b"PK\x01\x02"))
        at = draw.draw(st.integers(start, len(data) - 1))
        data[at] = draw.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, data[at] ^ 1]))
    cut = bytes(data[: draw.draw(st.integers(0, len(data)))]) if draw.draw(st.booleans()) else bytes(data)
    try:
        found = members(cut)
    except BadArchive:
        return
    for member in found:
        try:
            assert len(content(cut, member)) <= member.size
        except (Refused, BadArchive):
            continue
