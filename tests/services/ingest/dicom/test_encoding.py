"""Files whose transfer syntax is another one than the data set's."""

import itertools
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from nameplate_ingest.dicom import header
from nameplate_ingest.dicom.encoding import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, encoding_of, inflate
from nameplate_ingest.dicom.header import META_CLASS, read_elements
from nameplate_ingest.dicom.pixels import hounsfield
from nameplate_ingest.dicom.slice import WANTED, slice_of
from nameplate_ingest.refusal import Refused

JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"


def written(path: Path, dataset: Dataset, syntax: str) -> bytes:
    """The bytes of the file in a native syntax."""
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    if syntax == ExplicitVRBigEndian:
        dataset["PixelData"].VR = "OW"
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
        dataset.save_as(path, implicit_vr=False, little_endian=False, enforce_file_format=True)
    else:
        dataset.save_as(path, enforce_file_format=True)
    return path.read_bytes()


def with_syntax(data: bytes, syntax: str) -> bytes:
    """The file with another UID in its file meta."""
    at = data.index(b"\x02\0\x10\0UI")
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    return data[: at + 6] + len(value).to_bytes(2, "little") + value + data[at + 8 + length :]


NATIVE = (ImplicitVRLittleEndian, EXPLICIT, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


@pytest.mark.parametrize(("true", "said"), list(itertools.product(NATIVE, NATIVE)))
def test_the_data_set_is_believed_over_the_file_meta(
    tmp_path: Path, make_slice: Callable[..., Dataset], true: str, said: str
) -> None:
    path = tmp_path / "a"
    written(path, make_slice(), EXPLICIT)
    expected = read_elements(path, WANTED)
    plain = hounsfield(slice_of(path, expected)) if expected else None
    path.write_bytes(with_syntax(written(path, make_slice(), true), said))
    elements = read_elements(path, WANTED)
    assert elements is not None
    assert expected is not None
    assert elements.syntax == true
    numbers = [tag for tag in WANTED if tag >> 16 == 0x0028]
    texts = [tag for tag in expected.values if tag not in numbers and tag != META_CLASS]
    assert {tag: elements.values.get(tag) for tag in texts} == {tag: expected.values[tag] for tag in texts}
    assert np.array_equal(hounsfield(slice_of(path, elements)), plain)


@pytest.mark.parametrize("true", [ImplicitVRLittleEndian, EXPLICIT])
def test_a_compressed_syntax_stays_said_over_any_elements(
    tmp_path: Path, make_slice: Callable[..., Dataset], true: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(with_syntax(written(path, make_slice(), true), JPEG_LOSSLESS))
    elements = read_elements(path, WANTED)
    assert elements is not None
    assert elements.syntax == JPEG_LOSSLESS
    assert elements.pixel_length == 64 * 64 * 2


def test_a_deflated_data_set_with_the_header_of_zlib(
    tmp_path: Path, make_slice: Callable[..., Dataset]
) -> None:
    path = tmp_path / "a"
    plain = written(path, make_slice(), EXPLICIT)
    expected = hounsfield(slice_of(path, read_elements(path, WANTED) or pytest.fail("unread")))
    start = header._meta(plain)[0]
    path.write_bytes(with_syntax(plain[:start], DEFLATED) + zlib.compress(plain[start:]))
    elements = read_elements(path, WANTED)
    assert elements is not None
    assert elements.syntax == DEFLATED
    assert np.array_equal(hounsfield(slice_of(path, elements)), expected)


@pytest.mark.parametrize("said", [EXPLICIT, IMPLICIT, BIG_ENDIAN, JPEG_LOSSLESS])
def test_where_the_data_set_is_unclear_the_file_meta_counts(said: str) -> None:
    data = b"\x08\0\x05\0??\x04\0ABCD" + bytes(40)
    assert encoding_of(data, 0, said) == (said, False)


@given(data=st.binary(max_size=120), said=st.sampled_from((EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, "")))
def test_any_bytes_have_an_encoding(data: bytes, said: str) -> None:
    syntax, explicit = encoding_of(data, 0, said)
    assert syntax in (said, EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED)
    assert explicit in (False, True)


@given(data=st.binary(max_size=200))
def test_inflating_any_bytes(data: bytes) -> None:
    try:
        plain = inflate(data)
    except Refused:
        return
    assert isinstance(plain, bytes)


@given(data=st.binary(max_size=200), wrapped=st.booleans())
def test_what_was_deflated_comes_back(data: bytes, wrapped: bool) -> None:
    machine = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
    assert inflate(machine.compress(data) + machine.flush()) == data
