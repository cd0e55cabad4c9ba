"""Pixels of one slice as Hounsfield units, decoded without trusting the header."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate_ingest.codestream import COMPRESSED, RLE, frame_size
from nameplate_ingest.header import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, inflated_file
from nameplate_ingest.refusal import Refused
from nameplate_ingest.slice import Slice, SliceGeometry, Storage

_NATIVE = frozenset((IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN))
_SLACK = 64 << 10
"""A compressed frame may take twice its plain size and this many bytes; more is not read."""
_MOST_HU = 32767


def hounsfield(slice_: Slice) -> NDArray[np.float32]:
    """The slice in HU, axes (row, column), not clamped.

    Raises Refused for pixels that are truncated, damaged or unlike their header.
    """
    grid, storage = slice_.grid, slice_.storage
    if grid is None or storage is None:
        raise Refused("geometry", "no image")
    stored = stored_values(raw_pixels(slice_), grid, storage)
    hu = stored.astype(np.float32)
    if storage.slope != 1.0:
        hu *= np.float32(storage.slope)
    if storage.intercept != 0.0:
        hu += np.float32(storage.intercept)
    highest = float(hu.max())
    if not highest <= _MOST_HU:
        raise Refused("pixel-representation", f"HU up to {highest:.0f}")
    return hu


def raw_pixels(slice_: Slice) -> bytes:
    """The pixel value of the file, compressed if it is so there; at most what the image needs."""
    grid, storage = slice_.grid, slice_.storage
    if grid is None or storage is None:
        raise Refused("geometry", "no image")
    need = grid.rows * grid.columns * 2
    if storage.length < 0:
        need = 2 * need + _SLACK
    elif storage.length < need:
        raise Refused("truncated-pixels", f"{storage.length} of {need} bytes")
    try:
        if storage.deflated:
            data = inflated_file(slice_.path)[storage.offset : storage.offset + need]
        else:
            with slice_.path.open("rb", buffering=0) as file:
                file.seek(storage.offset)
                data = file.read(need)
    except OSError as error:
        raise Refused("unreadable", "the file cannot be read") from error
    if storage.length >= 0 and len(data) < need:
        raise Refused("truncated-pixels", f"{len(data)} of {need} bytes")
    return data


def stored_values(data: bytes, grid: SliceGeometry, storage: Storage) -> NDArray[Any]:
    """Stored integers, axes (row, column), from the pixel value of the file."""
    if storage.length < 0:
        return _decompressed(data, grid, storage)
    if storage.syntax in COMPRESSED:
        raise Refused("compressed-pixels", "compressed syntax, plain pixels")
    if storage.syntax not in _NATIVE:
        raise Refused("transfer-syntax", "not one that is lossless and known")
    raw = np.frombuffer(data, dtype="<u2" if storage.little else ">u2").reshape(grid.rows, grid.columns)
    if storage.stored == 16:
        return raw.view(raw.dtype.str.replace("u", "i")) if storage.signed else raw
    return _unpacked(raw, storage)


def _unpacked(raw: NDArray[np.uint16], storage: Storage) -> NDArray[Any]:
    """Values of fewer than 16 bits, without the bits above and below (old overlays)."""
    shift = storage.high + 1 - storage.stored
    mask = (1 << storage.stored) - 1
    value = (raw >> shift) & mask
    if not storage.signed:
        return value
    sign = 1 << (storage.stored - 1)
    above = raw >> (storage.high + 1)
    if bool(((value & sign) != 0).any()) and not above.any():
        # A negative number would extend its sign into the unused bits, so these are unsigned data.
        raise Refused("pixel-representation", "signed by the header, unsigned by the data")
    return (value.astype(np.int32) ^ sign) - sign


def _decompressed(data: bytes, grid: SliceGeometry, storage: Storage) -> NDArray[Any]:
    """One lossless compressed frame through GDCM (RLE: through pydicom)."""
    if storage.syntax not in COMPRESSED:
        raise Refused("transfer-syntax", "not one that is lossless and known")
    # Imported here: most scanners' files are not compressed, and the import is slow.
    from pydicom.encaps import generate_frames
    from pydicom.pixels.decoders.base import get_decoder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            frame = next(iter(generate_frames(data, number_of_frames=1)))
        except Exception as error:
            raise Refused("compressed-pixels", "no complete frame") from error
        size = frame_size(frame, storage.syntax)
        if size and (size.rows, size.columns, size.samples) != (grid.rows, grid.columns, 1):
            seen = f"codestream of {size.rows} x {size.columns} x {size.samples}"
            raise Refused("compressed-pixels", seen)
        options: Any = {
            "rows": grid.rows,
            "columns": grid.columns,
            "number_of_frames": 1,
            "samples_per_pixel": 1,
            "photometric_interpretation": "MONOCHROME2",
            "pixel_representation": int(storage.signed),
            "bits_allocated": storage.allocated,
            "bits_stored": storage.stored,
            "pixel_keyword": "PixelData",
        }
        try:
            plugin = "pydicom" if storage.syntax == RLE else "gdcm"
            decoder = get_decoder(storage.syntax)
            decoded, _ = decoder.as_array(data, decoding_plugin=plugin, raw=True, **options)
        except Exception as error:
            raise Refused("compressed-pixels", "the decoder refuses them") from error
    array: NDArray[Any] = decoded
    if array.shape != (grid.rows, grid.columns):
        raise Refused("compressed-pixels", "the decoder returns another size")
    return array
