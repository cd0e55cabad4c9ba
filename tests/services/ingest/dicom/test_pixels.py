import struct
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from nameplate_ingest.dicom.geometry import SliceGeometry
from nameplate_ingest.dicom.header import EXPLICIT, read_elements
from nameplate_ingest.dicom.pixels import hounsfield, raw_words, stored_values
from nameplate_ingest.dicom.slice import Slice, Storage, slice_of
from nameplate_ingest.dicom.tags import WANTED
from nameplate_ingest.refusal import Refused

COMPRESSED = {
    "1.2.840.10008.1.2.4.70": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "1.2.840.10008.1.2.4.80": gdcm.TransferSyntax.JPEGLSLossless,
    "1.2.840.10008.1.2.4.90": gdcm.TransferSyntax.JPEG2000Lossless,
    "1.2.840.10008.1.2.4.91": gdcm.TransferSyntax.JPEG2000,
    "1.2.840.10008.1.2.5": gdcm.TransferSyntax.RLELossless,
}


def read(path: Path) -> Slice:
    elements = read_elements(path, WANTED)
    assert elements is not None
    return slice_of(path, elements)


BUNDLE = Path(str(get_testdata_file("CT_small.dcm"))).parent
LOSSLESS = [
    "693_J2KI.dcm",
    "CT_small.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "examples_overlay.dcm",
]
LOSSY = ["JPEG-lossy.dcm", "JPEG2000.dcm", "JPEGLSNearLossless_16.dcm", "JPGExtended.dcm"]


def stored_in(path: Path) -> Any:
    """Stored values of a file that need not be a CT."""
    header = pydicom.dcmread(path, stop_before_pixels=True)
    elements = read_elements(path, WANTED)
    assert elements is not None
    grid = SliceGeometry(header.Rows, header.Columns, (0, 0, 0), (1, 0, 0, 0, 1, 0), (1, 1))
    storage = Storage(
        syntax=elements.syntax,
        little=elements.little,
        deflated=False,
        offset=elements.pixel_offset,
        length=elements.pixel_length,
        allocated=header.BitsAllocated,
        stored=header.BitsStored,
        high=header.HighBit,
        signed=bool(header.PixelRepresentation),
        slope=1.0,
        intercept=0.0,
    )
    return stored_values(raw_words(path, grid, storage), storage)


def compress(path: Path, syntax: str, codec: Any = None) -> None:
    """Rewrite the file in a compressed transfer syntax with GDCM."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(COMPRESSED[syntax]))
    if codec is not None:
        change.SetUserCodec(codec)
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


@pytest.fixture
def noisy(make_slice: Callable[..., Dataset]) -> Callable[..., Dataset]:
    """A slice of random values that use every bit of the stored type."""

    def make(signed: bool = True, bits: int = 16, **tags: Any) -> Dataset:
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        values = np.random.default_rng(9).integers(low, high + 1, (64, 64))
        kind = "<i2" if signed else "<u2"
        return make_slice(
            BitsStored=bits,
            HighBit=bits - 1,
            PixelRepresentation=int(signed),
            PixelData=values.astype(kind).tobytes(),
            **tags,
        )

    return make


@pytest.mark.parametrize("syntax", COMPRESSED)
@pytest.mark.parametrize(("signed", "bits"), [(True, 16), (False, 12)])
def test_compressed_pixels_are_decoded_bit_by_bit(
    tmp_path: Path, noisy: Callable[..., Dataset], syntax: str, signed: bool, bits: int
) -> None:
    path = tmp_path / "a"
    noisy(signed, bits).save_as(path, enforce_file_format=True)
    plain = hounsfield(read(path))
    compress(path, syntax)
    one = read(path)
    assert one.storage is not None
    assert one.storage.syntax == syntax
    assert one.storage.length == -1
    assert np.array_equal(hounsfield(one), plain)


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_plain_syntaxes_give_the_same_values(
    tmp_path: Path, noisy: Callable[..., Dataset], syntax: str
) -> None:
    path = tmp_path / "a"
    dataset = noisy()
    dataset.save_as(path, enforce_file_format=True)
    plain = hounsfield(read(path))
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset["PixelData"].VR = "OW"
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
        dataset.save_as(path, implicit_vr=False, little_endian=False, enforce_file_format=True)
    else:
        dataset.save_as(path, enforce_file_format=True)
    assert np.array_equal(hounsfield(read(path)), plain)


def test_slope_and_intercept_are_of_the_slice(tmp_path: Path, make_slice: Callable[..., Dataset]) -> None:
    path = tmp_path / "a"
    values = np.arange(4096, dtype="<i2").reshape(64, 64)
    make_slice(RescaleSlope="0.5", RescaleIntercept="-100", PixelData=values.tobytes()).save_as(path)
    assert np.array_equal(hounsfield(read(path)), values.astype(np.float32) * 0.5 - 100)


def test_bits_outside_the_stored_ones_are_cut_off(tmp_path: Path, make_slice: Callable[..., Dataset]) -> None:
    path = tmp_path / "a"
    values = (np.arange(4096, dtype="<u2").reshape(64, 64) % 4096) | 0xF000
    make_slice(BitsStored=12, HighBit=11, PixelRepresentation=0, PixelData=values.tobytes()).save_as(path)
    assert np.array_equal(hounsfield(read(path)), (values & 0x0FFF).astype(np.float32) - 1024)


@pytest.mark.parametrize("name", LOSSLESS)
def test_stored_values_are_those_that_pydicom_gives(name: str) -> None:
    path = BUNDLE / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pydicom.dcmread(path).pixel_array
    assert np.array_equal(stored_in(path), theirs)


@pytest.mark.parametrize("name", LOSSY)
def test_frames_that_lost_something_are_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        stored_in(BUNDLE / name)
    assert refused.value.rule == "lossy-compression"


def plain_storage(stored: int, high: int, signed: bool) -> Storage:
    return Storage(EXPLICIT, True, False, 0, 2, 16, stored, high, signed, 1.0, 0.0)


@given(data=st.data(), stored=st.integers(9, 16), signed=st.booleans())
def test_whatever_is_in_the_unused_bits_the_value_is_the_same(
    data: st.DataObject, stored: int, signed: bool
) -> None:
    low, high = (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if signed else (0, (1 << stored) - 1)
    values = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=20))
    junk = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=len(values), max_size=len(values)))
    mask = (1 << stored) - 1
    words = [value & mask | other & ~mask & 0xFFFF for value, other in zip(values, junk, strict=True)]
    got = stored_values(np.array([words], np.uint16), plain_storage(stored, stored - 1, signed))
    assert got.tolist() == [values]


@given(data=st.data(), signed=st.booleans())
def test_twelve_bits_at_the_top_are_found_there(data: st.DataObject, signed: bool) -> None:
    low, high = (-2048, 2047) if signed else (0, 4095)
    values = [*data.draw(st.lists(st.integers(low, high), max_size=20)), high]
    overlay = data.draw(st.integers(0, 15))
    words = [(value << 4 | overlay) & 0xFFFF for value in values]
    got = stored_values(np.array([words], np.uint16), plain_storage(12, 15, signed))
    assert got.tolist() == [values]


@given(values=st.lists(st.integers(-2048, 2047), max_size=20), signed=st.booleans())
def test_a_high_bit_that_the_pixels_belie_is_not_believed(values: list[int], signed: bool) -> None:
    """Twelve bits said to be at the top, while the values are at the bottom."""
    values = [*(values if signed else [value + 2048 for value in values]), 1059]
    got = stored_values(np.array([values], np.int64).astype(np.uint16), plain_storage(12, 15, signed))
    assert got.tolist() == [values]


@pytest.mark.parametrize("syntax", COMPRESSED)
@pytest.mark.parametrize("stored", [10, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("whole_words", [False, True])
def test_every_syntax_gives_the_same_stored_values(
    tmp_path: Path,
    make_slice: Callable[..., Dataset],
    syntax: str,
    stored: int,
    signed: bool,
    whole_words: bool,
) -> None:
    """``whole_words``: the encoder was given all 16 bits, an overlay among them; the header says fewer."""
    low, high = (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if signed else (0, (1 << stored) - 1)
    dice = np.random.default_rng(stored)
    values = dice.integers(low, high + 1, (64, 64))
    words = (values & ((1 << stored) - 1)).astype(np.uint16)
    encoded = values.astype(np.int16).view(np.uint16) if signed and not whole_words else words
    if whole_words and stored < 16:
        encoded = words | (dice.integers(0, 2, (64, 64)) << stored).astype(np.uint16)
    bits = 16 if whole_words else stored
    path = tmp_path / "a"
    make_slice(
        BitsStored=bits, HighBit=bits - 1, PixelRepresentation=int(signed), PixelData=encoded.tobytes()
    ).save_as(path, enforce_file_format=True)
    compress(path, syntax)
    one = read(path)
    assert one.storage is not None
    assert one.grid is not None
    storage = replace(one.storage, stored=stored, high=stored - 1)
    assert np.array_equal(stored_values(raw_words(path, one.grid, storage), storage), values)


@pytest.mark.parametrize("signed", [False, True])
def test_the_header_decides_over_the_sign_of_a_jpeg_2000_codestream(
    tmp_path: Path, noisy: Callable[..., Dataset], signed: bool
) -> None:
    path = tmp_path / "a"
    noisy(signed=signed).save_as(path, enforce_file_format=True)
    plain = read(path)
    compress(path, "1.2.840.10008.1.2.4.90")
    one = read(path)
    assert plain.storage is not None
    assert one.storage is not None
    assert one.grid is not None
    other = replace(one.storage, signed=not signed)
    expected = stored_values(
        raw_words(path, one.grid, one.storage), replace(plain.storage, signed=not signed)
    )
    assert np.array_equal(stored_values(raw_words(path, one.grid, other), other), expected)


@pytest.mark.parametrize("rate", [None, 20.0])
def test_an_irreversible_jpeg_2000_is_refused(
    tmp_path: Path, make_slice: Callable[..., Dataset], rate: float | None
) -> None:
    path = tmp_path / "a"
    make_slice().save_as(path, enforce_file_format=True)
    codec = gdcm.JPEG2000Codec()
    codec.SetReversible(False)
    if rate:
        codec.SetRate(0, rate)
    compress(path, "1.2.840.10008.1.2.4.91", codec)
    with pytest.raises(Refused) as refused:
        hounsfield(read(path))
    assert refused.value.rule == "lossy-compression"


def test_a_reversible_jpeg_2000_is_read_under_the_syntax_that_allows_loss(
    tmp_path: Path, noisy: Callable[..., Dataset]
) -> None:
    path = tmp_path / "a"
    noisy().save_as(path, enforce_file_format=True)
    plain = hounsfield(read(path))
    compress(path, "1.2.840.10008.1.2.4.91")
    assert np.array_equal(hounsfield(read(path)), plain)


def test_plain_pixels_under_a_compressed_syntax(tmp_path: Path, noisy: Callable[..., Dataset]) -> None:
    """An archive unpacked the pixels and left the syntax; their length proves it."""
    path = tmp_path / "a"
    noisy().save_as(path, enforce_file_format=True)
    one = read(path)
    plain = hounsfield(one)
    assert one.storage is not None
    lying = replace(one.storage, syntax="1.2.840.10008.1.2.4.70")
    assert np.array_equal(hounsfield(replace(one, storage=lying)), plain)
    with pytest.raises(Refused) as refused:
        hounsfield(replace(one, storage=replace(lying, length=9000)))
    assert refused.value.rule == "compressed-pixels"


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_compressed_pixels_under_a_plain_syntax(
    tmp_path: Path, noisy: Callable[..., Dataset], syntax: str
) -> None:
    path = tmp_path / "a"
    noisy().save_as(path, enforce_file_format=True)
    plain = hounsfield(read(path))
    compress(path, syntax)
    one = read(path)
    assert one.storage is not None
    lying = replace(one, storage=replace(one.storage, syntax=EXPLICIT))
    assert np.array_equal(hounsfield(lying), plain)


@pytest.mark.parametrize("deflated", [False, True])
def test_a_plain_frame_of_many(tmp_path: Path, make_slice: Callable[..., Dataset], deflated: bool) -> None:
    frames = np.random.default_rng(3).integers(-1000, 2000, (3, 64, 64)).astype("<i2")
    dataset = make_slice(RescaleIntercept=0, PixelData=frames.tobytes())
    path = tmp_path / "a"
    if deflated:
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    one = read(path)
    assert one.storage is not None
    for frame in range(3):
        storage = replace(one.storage, frame=frame, frames=3)
        assert np.array_equal(hounsfield(replace(one, storage=storage)), frames[frame])
    with pytest.raises(Refused) as refused:
        hounsfield(replace(one, storage=replace(one.storage, frames=4)))
    assert (refused.value.rule, refused.value.seen) == ("truncated-pixels", "24576 of 32768 bytes")


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("table", [False, True])
def test_a_compressed_frame_of_many(
    tmp_path: Path, make_slice: Callable[..., Dataset], pieces: int, table: bool
) -> None:
    path, planes, codestreams = tmp_path / "a", [], []
    for number in range(3):
        make_slice(position=(-100.0, -100.0, 20.0 * number)).save_as(path, enforce_file_format=True)
        planes.append(hounsfield(read(path)))
        compress(path, "1.2.840.10008.1.2.4.80")
        with pydicom.dcmread(path) as dataset:
            codestreams.append(next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)))
    dataset.PixelData = encapsulate(codestreams, fragments_per_frame=pieces, has_bot=table)
    dataset.save_as(path)
    one = read(path)
    assert one.storage is not None
    for frame in range(3):
        storage = replace(one.storage, frame=frame, frames=3)
        assert np.array_equal(hounsfield(replace(one, storage=storage)), planes[frame])


def test_truncated_pixels(tmp_path: Path, make_slice: Callable[..., Dataset]) -> None:
    path = tmp_path / "a"
    make_slice().save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(Refused) as refused:
        hounsfield(read(path))
    assert (refused.value.rule, refused.value.seen) == ("truncated-pixels", "7192 of 8192 bytes")


def test_a_codestream_larger_than_its_header_is_not_decoded(
    tmp_path: Path, noisy: Callable[..., Dataset]
) -> None:
    path = tmp_path / "a"
    noisy().save_as(path, enforce_file_format=True)
    compress(path, "1.2.840.10008.1.2.4.90")
    data = path.read_bytes()
    at = data.index(b"\xff\x4f\xff\x51") + 8
    path.write_bytes(data[:at] + struct.pack(">II", 60000, 60000) + data[at + 8 :])
    with pytest.raises(Refused) as refused:
        hounsfield(read(path))
    assert refused.value.rule == "compressed-pixels"


@pytest.mark.parametrize("syntax", COMPRESSED)
def test_damaged_codestreams_are_refused_or_decoded(
    tmp_path: Path, noisy: Callable[..., Dataset], syntax: str
) -> None:
    path = tmp_path / "a"
    noisy().save_as(path, enforce_file_format=True)
    compress(path, syntax)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - len(data) // 3])
    with pytest.raises(Refused) as refused:
        hounsfield(read(path))
    assert refused.value.rule == "truncated-pixels"


def test_jpeg_2000_whose_sign_disagrees_with_the_header() -> None:
    path = Path(str(get_testdata_file("J2K_pixelrep_mismatch.dcm")))
    hu = hounsfield(read(path))
    assert hu.min() >= -2048 - 1024
    assert hu.max() < 4096
