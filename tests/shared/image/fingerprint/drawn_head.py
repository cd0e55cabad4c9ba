"""A head drawn with known HU, for tests that need nothing else: skin, skull, brain, ventricles, nuclei."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from nameplate.image.fingerprint.slices import Slices
from nameplate.streams import stream


def drawn_head(
    *,
    matrix: int = 128,
    field_mm: float = 230.0,
    count: int = 8,
    csf: float = 6.0,
    grey: float = 38.0,
    white: float = 29.0,
    noise: float = 0.0,
    cupping: float = 0.0,
    padding: float | None = None,
    table_hu: float | None = None,
    table_gap_mm: float = 8.0,
    off_mm: tuple[float, float] = (0.0, 0.0),
) -> Slices:
    """Like slices with a brain of 160 x 130 mm; the cupping is HU at the skull."""
    pixel = field_mm / matrix
    at = (np.arange(matrix) - (matrix - 1) / 2) * pixel
    y, x = (at - off_mm[0])[:, None], (at - off_mm[1])[None, :]

    def oval(long: float, wide: float, down: float = 0.0, across: float = 0.0) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = np.hypot((y - down) / long, (np.abs(x) - across) / wide) < 1
        return inside

    brain = oval(80, 65)
    depth = (1 - np.hypot(y / 80, x / 65)) * 72
    hu = np.full((matrix, matrix), -1000.0)
    hu[oval(95, 80)] = 40.0
    hu[oval(88, 73)] = 1000.0
    hu[brain] = white
    hu[brain & (depth < 6)] = grey
    hu[oval(14, 9, 0.0, 22.0)] = grey
    hu[oval(16, 6, 30.0, 12.0)] = csf
    hu[oval(16, 6, -32.0, 14.0)] = csf
    hu[brain] += cupping * np.exp(-depth[brain] / 14)
    if table_hu is not None:
        behind = -95 - table_gap_mm
        # Pixels that the board covers in part: its thickness must not depend on where they lie.
        covered = np.clip(np.minimum(behind - y, y - (behind - 6)) / pixel + 0.5, 0, 1) * (np.abs(x) < 60)
        hu += covered * (table_hu - hu)
    volume = np.repeat(gaussian_filter(hu, 0.6 / pixel)[None], count, axis=0)
    if noise:
        volume = volume + noise * stream(3, "drawn head").standard_normal(volume.shape)
    if padding is not None:
        volume[:, np.hypot(at[:, None], at[None, :]) > field_mm / 2] = padding
    return Slices(volume.astype(np.float32), np.repeat(brain[None], count, axis=0), (pixel, pixel), 5.0)


def without_brain(slices: Slices) -> list[Slices]:
    """Slices in which nothing can be measured: an empty mask, no known value, nothing but air."""
    return [
        replace(slices, brain=np.zeros_like(slices.brain)),
        replace(slices, hu=np.full_like(slices.hu, np.nan)),
        replace(slices, hu=np.full_like(slices.hu, -1000.0)),
    ]
