import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from nameplate_ingest.header import read_elements
from nameplate_ingest.pixels import hounsfield
from nameplate_ingest.refusal import Refused
from nameplate_ingest.slice import WANTED, Slice, slice_of

COMPRESSED = {
    "1.2.840.10008.1.2.4.70": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "1.2.840.10008.1.2.4.80": gdcm.TransferSyntax.JPEGLSLossless,
    "1.2.840.10008.1.2.4.90": gdcm.TransferSyntax.JPEG2000Lossless,
    "1.2.840.10008.1.2.5": gdcm.TransferSyntax.RLELossless,
}


def read(path: Path) -> Slice:
    elements = read_elements(path, WANTED)
    assert elements is not None
    return slice_of(path, elements)


def compress(path: Path, syntax: str) -> None:
    """Rewrite the file in a compressed transfer syntax with GDCM."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(COMPRESSED[syntax]))
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


@pytest.mark.parametrize(
    ("tags", "values"),
    [
        ({"PixelRepresentation": 0}, np.full((64, 64), -2000, "<i2")),
        ({"PixelRepresentation": 1, "BitsStored": 12, "HighBit": 11}, np.full((64, 64), 3000, "<u2")),
    ],
)
def test_a_sign_that_disagrees_with_the_data_is_refused(
    tmp_path: Path, make_slice: Callable[..., Dataset], tags: dict[str, int], values: Any
) -> None:
    path = tmp_path / "a"
    make_slice(PixelData=values.tobytes(), **tags).save_as(path)
    with pytest.raises(Refused) as refused:
        hounsfield(read(path))
    assert refused.value.rule == "pixel-representation"


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
    assert refused.value.rule in {"compressed-pixels", "pixel-representation"}


def test_jpeg_2000_whose_sign_disagrees_with_the_header() -> None:
    path = Path(str(get_testdata_file("J2K_pixelrep_mismatch.dcm")))
    hu = hounsfield(read(path))
    assert hu.min() >= -2048 - 1024
    assert hu.max() < 4096
