"""Heads of codestreams: from real encoders, and altered where no encoder here writes the variant."""

import struct
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames

from nameplate_ingest.dicom.codestream import Codestream, codestream_of
from nameplate_ingest.refusal import Refused

JPEG_LS, JPEG_2000 = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"


def frame_of(name: str) -> tuple[bytes, str]:
    """The first frame of a bundled file, and its syntax."""
    path = Path(str(get_testdata_file(name)))
    dataset = pydicom.dcmread(path)
    count = int(dataset.get("NumberOfFrames", 1) or 1)
    return next(
        generate_frames(dataset.PixelData, number_of_frames=count)
    ), dataset.file_meta.TransferSyntaxUID


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MR_small_jp2klossless.dcm", Codestream("jpeg-2000", 64, 64, 1, 16, True, True)),
        ("MR_small_jpeg_ls_lossless.dcm", Codestream("jpeg-ls", 64, 64, 1, 16, False, True)),
        ("J2K_pixelrep_mismatch.dcm", Codestream("jpeg-2000", 512, 512, 1, 13, False, True)),
        ("JPEG2000.dcm", Codestream("jpeg-2000", 1024, 256, 1, 16, True, False)),
        ("JPEGLSNearLossless_16.dcm", Codestream("jpeg-ls", 50, 10, 1, 16, False, False)),
        ("JPEG-lossy.dcm", Codestream("jpeg", 1024, 256, 1, 12, False, False)),
        ("MR_small_RLE.dcm", Codestream("rle", 0, 0, 1, 16, False, True)),
    ],
)
def test_heads_of_real_codestreams(name: str, expected: Codestream) -> None:
    assert codestream_of(*frame_of(name)) == expected


def lossless_jpeg(precision: int = 16, dropped_bits: int = 0) -> bytes:
    """The head of a lossless JPEG of 4 x 6 pixels, with an empty scan."""
    frame = struct.pack(">HHBHHBBBB", 0xFFC3, 11, precision, 4, 6, 1, 1, 0x11, 0)
    scan = struct.pack(">HHBBBBBB", 0xFFDA, 8, 1, 1, 0, 1, 0, dropped_bits)
    return b"\xff\xd8" + frame + scan + bytes(8) + b"\xff\xd9"


@pytest.mark.parametrize(("dropped", "reversible"), [(0, True), (1, False), (4, False)])
def test_lossless_jpeg_that_drops_low_bits(dropped: int, reversible: bool) -> None:
    stream = codestream_of(lossless_jpeg(dropped_bits=dropped), "")
    assert stream == Codestream("jpeg", 4, 6, 1, 16, False, reversible)


def coding_style(wavelet: int) -> bytes:
    return struct.pack(">HHBBHBBBBBB", 0xFF52, 12, 0, 0, 1, 0, 5, 4, 4, 0, wavelet)


@pytest.mark.parametrize(
    ("segment", "reversible"),
    [
        (coding_style(1), True),
        (coding_style(0), False),
        (struct.pack(">HHBBBBBBB", 0xFF53, 9, 0, 0, 5, 4, 4, 0, 0), False),
        (struct.pack(">HHBB", 0xFF5C, 4, 0x40, 0x48), True),
        (struct.pack(">HHBH", 0xFF5C, 5, 0x41, 0x4848), False),
        (struct.pack(">HHBBH", 0xFF5D, 6, 0, 0x42, 0x4848), False),
    ],
)
@pytest.mark.parametrize("place", ["main", "tile-part", "second tile-part"])
def test_the_transform_is_looked_for_in_every_header(segment: bytes, reversible: bool, place: str) -> None:
    frame, syntax = frame_of("MR_small_jp2klossless.dcm")
    at = frame.index(b"\xff\x90")
    size = struct.unpack_from(">I", frame, at + 6)[0] or len(frame) - at - 2
    if place == "main":
        frame = frame[:at] + segment + frame[at:]
    else:
        part = frame[at : at + 6] + struct.pack(">I", size + len(segment)) + frame[at + 10 : at + 12]
        part += segment + frame[at + 12 : at + size]
        first = frame[at : at + 6] + struct.pack(">I", 16) + frame[at + 10 : at + 12] + b"\xff\x93\0\0"
        frame = frame[:at] + (first if place == "second tile-part" else b"") + part + b"\xff\xd9"
    assert codestream_of(frame, syntax).reversible is reversible


def picture(width: int, tile: int, style: bytes) -> bytes:
    """The main header of a JPEG 2000 picture, square and with square tiles."""
    size = struct.pack(">HIIIIIIIIHBBB", 0, width, width, 0, 0, tile, tile, 0, 0, 1, 15, 1, 1)
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size + style


def precincts(layers: int, *sizes: int) -> bytes:
    """A coding style with one size of precincts for each resolution, as two exponents of 2."""
    levels = max(len(sizes) - 1, 5)
    style = struct.pack(">BBHBBBBBB", bool(sizes), 0, layers, 0, levels, 4, 4, 0, 1) + bytes(sizes)
    return b"\xff\x52" + struct.pack(">H", len(style) + 2) + style


@pytest.mark.parametrize(
    ("width", "tile", "style", "fine"),
    [
        (2048, 2048, precincts(1), True),
        (2048, 64, precincts(12), True),
        (2048, 32, precincts(1), True),
        (2048, 31, precincts(1), False),
        (512, 3, precincts(1), False),
        (2048, 2048, precincts(5, *[0x77] * 6), True),
        (2048, 2048, precincts(1, *[0x44] * 6), True),
        (2048, 2048, precincts(1, *[0x22] * 6), False),
        (2048, 2048, precincts(1, *[0x77] * 5, 0x02), False),
        (512, 512, precincts(1, *[0x11] * 6), True),
        (512, 512, precincts(2, *[0x11] * 6), False),
        (512, 512, precincts(65535), False),
    ],
)
def test_a_picture_in_too_many_parts_is_not_decoded(width: int, tile: int, style: bytes, fine: bool) -> None:
    """A few bytes of a header can ask for gigabytes, or for a minute."""
    frame = picture(width, tile, style)
    if fine:
        assert codestream_of(frame, JPEG_2000).rows == width
        return
    with pytest.raises(Refused) as refused:
        codestream_of(frame, JPEG_2000)
    assert refused.value.rule == "compressed-pixels"
    assert "JPEG 2000" in refused.value.seen


def test_a_jp2_box_before_the_codestream() -> None:
    frame, syntax = frame_of("MR_small_jp2klossless.dcm")
    box = b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40)
    assert codestream_of(box + frame, syntax) == codestream_of(frame, syntax)


@pytest.mark.parametrize("frame", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", bytes(200), b"\xff\x4f\xff\x51"])
def test_what_is_no_codestream(frame: bytes) -> None:
    with pytest.raises(Refused) as refused:
        codestream_of(frame, JPEG_2000)
    assert refused.value.rule == "compressed-pixels"


@given(
    data=st.data(),
    name=st.sampled_from(("MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "JPEG-lossy.dcm")),
)
def test_damage_is_refused_or_read(data: st.DataObject, name: str) -> None:
    frame, syntax = frame_of(name)
    damaged: Any = bytearray(frame[: data.draw(st.integers(0, len(frame)))])
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6)):
        damaged[place : place + 1] = bytes([value])
    try:
        stream = codestream_of(bytes(damaged), syntax)
    except Refused:
        return
    assert 1 <= stream.precision <= 256
