"""Pixels of one slice as Hounsfield units, decoded without trusting the header."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate_ingest.dicom.codestream import ENCAPSULATED, Codec, codestream_of
from nameplate_ingest.dicom.fragments import Pieces, frames_of, joined
from nameplate_ingest.dicom.geometry import SliceGeometry
from nameplate_ingest.dicom.header import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, inflated_file
from nameplate_ingest.dicom.rle import unpacked_words
from nameplate_ingest.dicom.slice import Slice, Storage
from nameplate_ingest.refusal import Refused

_NATIVE = frozenset((IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN))
_SLACK = 64 << 10
"""A compressed frame may take twice its plain size and this many bytes; more is not read."""


def hounsfield(slice_: Slice) -> NDArray[np.float32]:
    """The slice in HU as its header has them, axes (row, column), not clamped.

    Whether these are believable only the whole series can show: see ``nameplate_ingest.choice.hounsfield``.
    Raises Refused for pixels that are truncated, damaged or unlike their header.
    """
    grid, storage = slice_.grid, slice_.storage
    if grid is None or storage is None:
        raise Refused("geometry", "no image")
    hu = stored_values(raw_words(slice_.path, grid, storage), storage).astype(np.float32)
    if storage.slope != 1.0:
        hu *= np.float32(storage.slope)
    if storage.intercept != 0.0:
        hu += np.float32(storage.intercept)
    return hu


def stored_values(words: NDArray[np.uint16], storage: Storage) -> NDArray[Any]:
    """Stored values (uint16 or int16) from 16-bit words, the same rule for every transfer syntax.

    The bits above the stored ones are no part of the value, whether they copy the sign, are zero or hold an
    overlay; nor are those below.
    """
    above = 15 - _high_bit(words, storage)
    unused = 16 - storage.stored
    placed = np.left_shift(words, above, dtype=np.uint16) if above else words
    value: NDArray[Any] = placed.view(np.int16) if storage.signed else placed
    return value >> unused if unused else value


def _high_bit(words: NDArray[np.uint16], storage: Storage) -> int:
    """The bit that holds the highest stored one; the pixels can prove the header wrong.

    A header with HighBit 15 for 12 stored bits is believed, unless nothing is in the highest bits while
    something is in those below the alleged value.
    """
    lowest = storage.stored - 1
    below = storage.high - lowest
    if below <= 0:
        return lowest
    spread = words.view(np.int16) >> lowest if storage.signed else words >> storage.stored
    empty = bool(((spread == 0) | (spread == -1)).all()) if storage.signed else not spread.any()
    return lowest if empty and bool((words & ((1 << below) - 1)).any()) else storage.high


def raw_words(path: Path, grid: SliceGeometry, storage: Storage) -> NDArray[np.uint16]:
    """The frame's 16-bit words as they were before compression, axes (row, column).

    Raises Refused for pixels that are truncated, damaged, lossy or of another size.
    """
    shape, plain = (grid.rows, grid.columns), grid.rows * grid.columns * 2
    if storage.syntax not in _NATIVE and storage.syntax not in ENCAPSULATED:
        raise Refused("transfer-syntax", "not one that is lossless and known")
    if storage.length < 0:
        return _decoded(_compressed(path, storage, 2 * plain + _SLACK), grid, storage.syntax)
    whole = plain * storage.frames
    if storage.length < whole:
        raise Refused("truncated-pixels", f"{storage.length} of {whole} bytes")
    if storage.syntax in ENCAPSULATED and storage.length > whole + 1:
        raise Refused("compressed-pixels", "compressed syntax, plain pixels")
    data = _read(path, storage, storage.offset + storage.frame * plain, plain)
    if len(data) < plain:
        raise Refused("truncated-pixels", f"{len(data)} of {plain} bytes")
    words = np.frombuffer(data, dtype="<u2" if storage.little else ">u2").reshape(shape)
    return words.astype(np.uint16, copy=False)


def _read(path: Path, storage: Storage, at: int, size: int) -> bytes:
    try:
        if storage.deflated:
            return (_inflated(path) if storage.frames > 1 else inflated_file(path))[at : at + size]
        with path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), size, at)
    except OSError as error:
        raise Refused("unreadable", "the file cannot be read") from error


@lru_cache(maxsize=1)
def _inflated(path: Path) -> bytes:
    """The data set of a deflated file of many frames, which is inflated once for all of them."""
    return inflated_file(path)


def _compressed(path: Path, storage: Storage, most: int) -> bytes:
    """The frame's codestream."""
    if storage.frames > 1:
        pieces = _pieces(path, storage.offset, storage.frames)
        if isinstance(pieces, Refused):
            raise Refused(pieces.rule, pieces.seen)
        frame = pieces[storage.frame]
        return joined(lambda at, size: _read(path, storage, storage.offset + at, size), frame, most)
    data = _read(path, storage, storage.offset, most)

    def read(at: int, size: int) -> bytes:
        return data[at : at + size]

    return joined(read, frames_of(read, 1)[0], most)


@lru_cache(maxsize=4)
def _pieces(path: Path, offset: int, frames: int) -> tuple[Pieces, ...] | Refused:
    """Where the fragments of every frame are, from the first byte of the pixel value.

    A refusal is returned, not raised: what was raised would not be kept, and each of thousands of frames
    would search the file again.
    """
    try:
        with path.open("rb", buffering=0) as file:
            descriptor = file.fileno()

            def read(at: int, size: int) -> bytes:
                return os.pread(descriptor, size, offset + at)

            return frames_of(read, frames)
    except Refused as refused:
        return refused
    except OSError:
        return Refused("unreadable", "the file cannot be read")


def _decoded(frame: bytes, grid: SliceGeometry, syntax: str) -> NDArray[np.uint16]:
    """The words of one frame through GDCM (RLE: through pydicom)."""
    stream = codestream_of(frame, syntax)
    if stream.codec != "rle" and (stream.rows, stream.columns, stream.samples) != (
        grid.rows,
        grid.columns,
        1,
    ):
        seen = f"codestream of {stream.rows} x {stream.columns} x {stream.samples}"
        raise Refused("compressed-pixels", seen)
    if not stream.reversible:
        raise Refused("lossy-compression", f"the {stream.codec} codestream is irreversible")
    if stream.precision > 16:
        raise Refused("bits", f"codestream of {stream.precision} bits")
    size = grid.rows * grid.columns
    if stream.codec == "rle":
        return unpacked_words(frame, size).reshape(grid.rows, grid.columns)
    bits = 16 if stream.precision > 8 else 8
    plain = _gdcm(frame, grid, stream.codec, bits, stream.signed)
    if len(plain) * 8 != size * bits:
        raise Refused("compressed-pixels", "the decoder returns another size")
    words = np.frombuffer(plain, dtype="<u2" if bits == 16 else "u1").astype(np.uint16, copy=False)
    return words.reshape(grid.rows, grid.columns)


def _gdcm(frame: bytes, grid: SliceGeometry, codec: Codec, bits: int, signed: bool) -> bytes:
    """What GDCM makes of a frame, as words of ``bits`` bits."""
    # Imported here: most scanners' files are not compressed, and the import is slow.
    import gdcm

    syntax = {
        "jpeg": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
        "jpeg-ls": gdcm.TransferSyntax.JPEGLSLossless,
        "jpeg-2000": gdcm.TransferSyntax.JPEG2000Lossless,
    }[codec]
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((grid.columns, grid.rows, 1))
    image.SetDataElement(element)
    monochrome = gdcm.PhotometricInterpretation.MONOCHROME2
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(monochrome))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    # Told that all bits are used, GDCM leaves the words as they are, so that stored_values() does the rest.
    image.SetPixelFormat(gdcm.PixelFormat(1, bits, bits, bits - 1, int(signed)))
    try:
        plain = image.GetBuffer()
    except Exception as error:
        raise Refused("compressed-pixels", "the decoder refuses them") from error
    if plain is None:
        raise Refused("compressed-pixels", "the decoder refuses them")
    # GDCM's binding gives str for bytes that happen to be text.
    return plain.encode("utf-8", "surrogateescape") if isinstance(plain, str) else bytes(plain)
