"""The header reader is held against pydicom on every file that ships with it."""

import contextlib
import random
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from nameplate_ingest.dicom import header
from nameplate_ingest.dicom.header import DEFLATED, EXPLICIT, IMPLICIT, PIXEL_DATA, read_elements
from nameplate_ingest.dicom.tags import WANTED
from nameplate_ingest.refusal import Refused

BUNDLE = Path(str(get_testdata_file("CT_small.dcm"))).parent
FILES = sorted(path for path in BUNDLE.rglob("*") if path.is_file() and path.suffix in (".dcm", ""))
NOT_DICOM = {"README", "no_meta.dcm"}  # the latter lost its first bytes and is read by nobody


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(BUNDLE)))
def test_reads_what_pydicom_reads(path: Path) -> None:
    if path.name in NOT_DICOM:
        with pytest.raises(Refused) as refused:
            read_elements(path, WANTED)
        assert refused.value.rule == "not-dicom"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pydicom.dcmread(path, force=True)
        mine = read_elements(path, WANTED)
        assert mine is not None
        for tag in WANTED:
            item = theirs.get_item(tag)
            if item is None:
                assert tag not in mine.values
            elif isinstance(item.value, bytes):
                assert mine.values[tag] == item.value[:4096]
            else:
                assert tag in mine.values
        item = theirs.get_item(PIXEL_DATA)
        assert (item is None) == (mine.pixel_offset < 0)
        if item is not None and mine.pixel_length >= 0 and mine.syntax != DEFLATED:
            data = path.read_bytes()[mine.pixel_offset :][: mine.pixel_length]
            assert data == item.value


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_plain_syntax_gives_the_same_texts(
    tmp_path: Path, make_slice: Callable[..., Dataset], syntax: str
) -> None:
    dataset = make_slice()
    path = tmp_path / "a"
    dataset.save_as(path, enforce_file_format=True)
    first = read_elements(path, WANTED)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset["PixelData"].VR = "OW"
        dataset.save_as(path, implicit_vr=False, little_endian=False, enforce_file_format=True)
    else:
        dataset.save_as(path, enforce_file_format=True)
    other = read_elements(path, WANTED)
    assert first is not None
    assert other is not None
    assert other.syntax == syntax
    texts = [tag for tag in WANTED if tag >> 16 != 0x0028]
    assert {tag: first.values.get(tag) for tag in texts} == {tag: other.values.get(tag) for tag in texts}


@pytest.mark.parametrize(("implicit", "expected"), [(True, IMPLICIT), (False, EXPLICIT)])
def test_a_data_set_without_meta_or_preamble_is_recognised(
    tmp_path: Path, make_slice: Callable[..., Dataset], implicit: bool, expected: str
) -> None:
    dataset = make_slice()
    del dataset.file_meta
    path = tmp_path / "a"
    pydicom.dcmwrite(path, dataset, implicit_vr=implicit, little_endian=True)
    elements = read_elements(path, WANTED)
    assert elements is not None
    assert elements.syntax == expected
    assert elements.pixel_length == 64 * 64 * 2


def test_a_deflate_bomb_is_refused_before_it_inflates(
    tmp_path: Path, make_slice: Callable[..., Dataset]
) -> None:
    dataset = make_slice()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = tmp_path / "bomb"
    dataset.save_as(path, enforce_file_format=True)
    start = header._meta(path.read_bytes())[0]
    machine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = bytes(1 << 20)
    bomb = b"".join(machine.compress(zeros) for _ in range(160)) + machine.flush()
    path.write_bytes(path.read_bytes()[:start] + bomb)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(Refused) as refused:
        read_elements(path, WANTED)
    assert refused.value.rule == "too-large"


def test_nested_sequences_cannot_exhaust_the_stack(tmp_path: Path) -> None:
    sequence = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    deep = sequence + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    path = tmp_path / "deep"
    path.write_bytes(deep * 20000)
    with pytest.raises(Refused) as refused:
        read_elements(path, WANTED)
    assert refused.value.rule == "unreadable"


def test_no_cut_and_no_flipped_byte_escapes_as_another_error(
    tmp_path: Path, make_slice: Callable[..., Dataset]
) -> None:
    path = tmp_path / "a"
    make_slice().save_as(path, enforce_file_format=True)
    whole = path.read_bytes()
    dice = random.Random(5)
    for _ in range(500):
        damaged = bytearray(whole[:2200])
        for _ in range(dice.randint(1, 6)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        path.write_bytes(damaged[: dice.randint(1, len(damaged))])
        with contextlib.suppress(Refused):
            read_elements(path, WANTED)


def explicit_element(tag: tuple[int, int], vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", *tag, vr, len(value)) + value


def implicit_element(tag: tuple[int, int], value: bytes) -> bytes:
    return struct.pack("<HHI", *tag, len(value)) + value


ITEM, ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF), struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
NESTED = struct.pack("<HHHHI", 0x0008, 0x1140, int.from_bytes(b"SQ", "little"), 0, 0xFFFFFFFF)


@pytest.mark.parametrize(
    "item",
    [
        explicit_element((8, 0x0100), b"SH", b"T-A0100 ") + explicit_element((8, 0x0102), b"SH", b"SRT "),
        implicit_element((8, 0x0100), b"T-A0100 ") + implicit_element((8, 0x0102), b"SRT "),
        explicit_element((8, 0x0100), b"SH", b""),
        NESTED + ITEM + explicit_element((8, 0x0100), b"SH", b"T-A0100 ") + ITEM_END + SEQUENCE_END,
        explicit_element((8, 0x0100), b"SH", b"X ")
        + struct.pack("<HH2sHI", 9, 0x1001, b"UN", 0, 0xFFFFFFFF)
        + (ITEM + implicit_element((8, 0x0100), b"T-A0100 ") + ITEM_END + SEQUENCE_END),
        b"",
    ],
    ids=["explicit", "implicit", "empty value", "nested", "both", "empty item"],
)
def test_unknown_sequences_with_explicit_or_implicit_items(
    tmp_path: Path, make_slice: Callable[..., Dataset], item: bytes
) -> None:
    path = tmp_path / "a"
    make_slice().save_as(path, enforce_file_format=True)
    data = path.read_bytes()
    expected = read_elements(path, WANTED)
    at = data.index(b"\x10\0\x10\0PN")
    unknown = struct.pack("<HH2sHI", 9, 0x1010, b"UN", 0, 0xFFFFFFFF)
    sequence = unknown + (ITEM + item + ITEM_END) * 2 + SEQUENCE_END
    path.write_bytes(data[:at] + sequence + data[at:])
    elements = read_elements(path, WANTED)
    assert elements is not None
    assert expected is not None
    assert elements.values == expected.values
    assert elements.pixel_offset == expected.pixel_offset + len(sequence)


@pytest.mark.parametrize("filler", [b"\x08\0\x05\0\0\0\0\0", b"\xfe\xff\x00\xe0\0\0\0\0"])
def test_millions_of_empty_elements_are_given_up(
    tmp_path: Path, make_slice: Callable[..., Dataset], filler: bytes
) -> None:
    """Steps of eight bytes through a large file would take many seconds."""
    path = tmp_path / "a"
    make_slice().save_as(path, enforce_file_format=True)
    data = path.read_bytes()
    at = data.index(b"\x10\0\x10\0PN")
    sequence = struct.pack("<HH2sHI", 9, 0x1010, b"SQ", 0, 0xFFFFFFFF)
    start = sequence if filler[0] == 0xFE else b""
    path.write_bytes(data[:at] + start + filler * (1 << 20))
    with pytest.raises(Refused) as refused:
        read_elements(path, WANTED)
    assert refused.value.seen == f"more than {1 << 19} elements"
