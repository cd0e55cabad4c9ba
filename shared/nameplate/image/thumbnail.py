"""Small pictures of an exam and of a slice, for people who look through hundreds of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate.image.envelope import lower_envelope
from nameplate.image.png import Colour, png_bytes
from nameplate.image.resample import pixel_taps, resample_plane
from nameplate.image.volume import Volume

BRAIN_HU = (0.0, 80.0)
WIDE_HU = (-160.0, 0.0, 80.0, 240.0)
"""Shows fat, tissue and bone, enough to tell a head from a neck or a chest; brain with more contrast."""
PIXEL_MM = 1.5
MARGIN_MM = 8.0
"""What is shown around the mask: skull, but no face, ear or teeth."""
MOST_ML = 2300.0
"""A larger mask is no brain and may hold a face: then the sagittal cut stays empty."""

_ROOM = (112, 140, 112)
"""Pixels of a tile from side to side, from back to front and from foot to head."""
_AXIAL, _SAGITTAL = (_ROOM[1], _ROOM[0]), (_ROOM[2], _ROOM[1])
_HEIGHTS = (0.25, 0.5, 0.75)
"""Of the mask, from its lowest slice to its highest."""
_BAR_MM = 50.0
_SLICE_PIXELS = 112
_LEAST_SHOWN = 0.02
"""Share of a slice's pixels that a window must show as grey."""
_GREYS = 31
_OUTLINE, _INK = _GREYS, _GREYS + 1
_GREY_PALETTE: tuple[Colour, ...] = tuple(
    (level, level, level) for level in (round(255 * place / (_GREYS - 1)) for place in range(_GREYS))
)
_PALETTE: tuple[Colour, ...] = (*_GREY_PALETTE, (255, 140, 26), (150, 158, 170))
_WIDE_SHARES = (0.0, 0.25, 0.8, 1.0)
"""Brightness at the values of ``WIDE_HU``."""
_LETTERS = {
    "R": ("####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"),
    "A": (".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"),
}


@dataclass(frozen=True, slots=True)
class _Window:
    """A tile's pixels in a plane: centre of the first one and their distance in mm, by axis."""

    rows: int
    columns: int
    pixel_mm: float


def exam_picture(volume: Volume, mask: Volume) -> bytes:
    """Three axial slices and a sagittal cut through the brain as one PNG strip, at most some 15 kB.

    ``volume`` holds HU, ``mask`` is not zero in the brain; both in canonical order (i to the right, j to the
    front, k to the head) and of one shape. From left to right: slices at a quarter, half and three quarters
    of the mask's height, low to high, front up, the patient's right on the left (R); then the cut through
    the mask's middle, front on the left (A). Pixels are 1.5 mm, or larger where the mask would not fit; the
    bar is 50 mm. Everything farther than 8 mm from the mask in its plane is blank, so no face is shown; with
    an empty mask all is, and with one too large for a brain the sagittal cut is.

    Raises ValueError if the shapes differ.
    """
    if volume.array.shape != mask.array.shape:
        raise ValueError(f"expected a mask of shape {volume.array.shape}, got {mask.array.shape}")
    inside = mask.array != 0
    hu, (across, front, up) = volume.array, volume.spacing_mm
    spans = [np.flatnonzero(inside.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not spans[0].size:
        blanks = [np.zeros(shape, np.uint8) for shape in (*[_AXIAL] * len(_HEIGHTS), _SAGITTAL)]
        return png_bytes(_strip(blanks, PIXEL_MM), _PALETTE)
    (left, right), (back, face), (foot, head) = [(int(span[0]), int(span[-1])) for span in spans]
    sides = (right - left + 1) * across, (face - back + 1) * front, (head - foot + 1) * up
    pixel_mm = max(PIXEL_MM, *(_needed(side, room) for side, room in zip(sides, _ROOM, strict=True)))
    i, j, k = (left + right) / 2, (back + face) / 2, (foot + head) / 2
    tiles = []
    for share in _HEIGHTS:
        at = round(foot + share * (head - foot))
        plane = _Plane(hu[:, :, at], inside[:, :, at], (across, front), (i, j))
        tiles.append(_tile(plane, _AXIAL, pixel_mm))
    if np.count_nonzero(inside) * volume.voxel_ml <= MOST_ML:
        tiles.append(_tile(_Plane(hu[round(i)], inside[round(i)], (front, up), (j, k)), _SAGITTAL, pixel_mm))
    else:
        tiles.append(np.zeros(_SAGITTAL, np.uint8))
    return png_bytes(_strip(tiles, pixel_mm), _PALETTE)


def slice_picture(plane: NDArray[np.generic], spacing_mm: tuple[float, float]) -> bytes:
    """One slice as a PNG of at most 112 pixels a side and some 6 kB, with isotropic pixels.

    ``plane`` holds HU, axes (row, column), as it is to be shown; ``spacing_mm`` is between rows, then
    columns. The window is wide; where it would show nothing but black and white, as for values that are not
    HU, the picture's own range is taken.
    """
    rows, columns = plane.shape
    tall, wide = rows * spacing_mm[0], columns * spacing_mm[1]
    pixel_mm = max(tall, wide) / _SLICE_PIXELS
    size = max(1, round(tall / pixel_mm)), max(1, round(wide / pixel_mm))
    middle = (rows - 1) / 2, (columns - 1) / 2
    values = plane.astype(np.float32)
    window = _range(values)
    low = np.float32(window[0])
    # Counted from the lower end, because pixels outside the plane count as zero.
    small = _resampled(np.clip(values, low, window[-1]) - low, spacing_mm, middle, size, pixel_mm)
    shares = np.interp(small + low, window, _WIDE_SHARES).astype(np.float32)
    return png_bytes(_levels(shares, 1.0, _GREYS), _GREY_PALETTE)


@dataclass(frozen=True, slots=True, eq=False)
class _Plane:
    """A plane of a canonical volume, axes (to the right or front, to the front or head)."""

    hu: NDArray[Any]
    inside: NDArray[np.bool_]
    spacing_mm: tuple[float, float]
    middle: tuple[float, float]
    """Voxel in the tile's middle."""


def _needed(side_mm: float, pixels: int) -> float:
    return (side_mm + 2 * MARGIN_MM) / pixels


def _tile(plane: _Plane, shape: tuple[int, int], pixel_mm: float) -> NDArray[np.uint8]:
    """The plane within the mask, with the mask's outline: places in the palette, axes (row, column)."""
    hu, inside = _turned(plane.hu), _turned(plane.inside)
    spacing = plane.spacing_mm[1], plane.spacing_mm[0]
    middle = len(hu) - 1 - plane.middle[1], len(hu[0]) - 1 - plane.middle[0]
    low, high = BRAIN_HU
    window = np.clip(hu.astype(np.float32), low, high) - np.float32(low)
    grey = _levels(_resampled(window, spacing, middle, shape, pixel_mm), high - low, _GREYS)
    mask = _resampled(inside.astype(np.float32), spacing, middle, shape, pixel_mm) >= 0.5
    grey[~_within(mask, MARGIN_MM, pixel_mm)] = 0
    grey[mask & ~_shrunk(mask)] = _OUTLINE
    return grey


def _turned(plane: NDArray[Any]) -> NDArray[Any]:
    """The plane as it is shown: the second axis becomes rows, and both count down."""
    return plane[::-1, ::-1].T


def _resampled(
    image: NDArray[np.float32],
    spacing_mm: tuple[float, float],
    middle: tuple[float, float],
    shape: tuple[int, int],
    pixel_mm: float,
) -> NDArray[np.float32]:
    """The image around the pixel ``middle`` on ``shape`` pixels of another size."""
    down, across = (
        pixel_taps(count, 0.0, step, size, centre * step - (size - 1) / 2 * pixel_mm, pixel_mm)
        for count, step, size, centre in zip(image.shape, spacing_mm, shape, middle, strict=True)
    )
    return resample_plane(np.ascontiguousarray(image), down, across)


def _levels(values: NDArray[np.float32], top: float, greys: int) -> NDArray[np.uint8]:
    """Values from 0 to ``top`` as grey levels."""
    levels: NDArray[np.float32] = np.clip(values * np.float32((greys - 1) / top), 0, greys - 1)
    return np.rint(levels).astype(np.uint8)


def _within(mask: NDArray[np.bool_], margin_mm: float, pixel_mm: float) -> NDArray[np.bool_]:
    """Pixels at most ``margin_mm`` from the mask."""
    far = np.float32(4 * margin_mm**2)
    squared = np.where(mask, np.float32(0), far)
    for axis in (0, 1):
        squared = lower_envelope(squared, axis, pixel_mm, margin_mm)
    near: NDArray[np.bool_] = squared <= margin_mm**2
    return near


def _shrunk(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without the pixels that have a neighbour outside of it."""
    framed = np.pad(mask, 1)
    return mask & framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]


def _range(values: NDArray[np.float32]) -> tuple[float, ...]:
    """The window, or the same window over the values' own range where it would show too little."""
    low, high = WIDE_HU[0], WIDE_HU[-1]
    shown = float(np.mean((values > low) & (values < high)))
    least, most = float(values.min()), float(values.max())
    if shown >= _LEAST_SHOWN or most - least < 1:
        return WIDE_HU
    return tuple(least + (most - least) * (value - low) / (high - low) for value in WIDE_HU)


def _strip(tiles: Sequence[NDArray[np.uint8]], pixel_mm: float) -> NDArray[np.uint8]:
    """The tiles side by side, with their letters and a bar of 50 mm under the last one."""
    tallest = max(len(tile) for tile in tiles)
    framed = []
    for tile in tiles:
        above = (tallest - len(tile)) // 2
        whole = np.pad(tile, ((above, tallest - len(tile) - above), (0, 0)))
        letter = _LETTERS["A" if tile.shape == _SAGITTAL else "R"]
        drawn = np.array([[mark == "#" for mark in line] for line in letter])
        corner = whole[3 : 3 + len(drawn), 3 : 3 + len(drawn[0])]
        corner[drawn] = _INK
        framed.append(whole)
    strip = np.concatenate(framed, axis=1)
    length = round(_BAR_MM / pixel_mm)
    strip[-4:-2, -4 - length : -4] = _INK
    return strip
