"""The images of one series as stored values: sampling, effects, field of view, padding."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate_phantom.effects import add_noise, sharpen, strength, table_image, textured
from nameplate_phantom.machine import Machine
from nameplate_phantom.scanner import Noise
from nameplate_phantom.shape import Floats
from nameplate_phantom.stack import Stack, sample
from nameplate_phantom.voxel_grid import VoxelGrid

_CHUNK_PIXELS = 2_500_000
_BANK = 8


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The head as this scanner sees it, and where it is (LPS mm)."""

    volume: Floats
    grid: VoxelGrid
    middle_x: float
    back_y: float


def _outside(stack: Stack) -> NDArray[np.bool_]:
    offsets = stack.offsets()
    return np.hypot(offsets[:, None], offsets[None, :]) > stack.matrix * stack.pixel_mm / 2


def stored(slices: Floats, machine: Machine, stack: Stack) -> NDArray[np.integer[Any]]:
    """HU as the values a file holds, with the machine's type, range and padding."""
    padding = machine.padding
    kind: type[np.integer[Any]] = np.int16 if padding.signed else np.uint16
    low, high = (-32768, 32767) if padding.signed else (0, 2**padding.bits - 1)
    # Apart from padding, no scanner stores less than its floor, nor more than its bits hold.
    np.maximum(slices, -1024.0, out=slices)
    slices -= padding.intercept
    np.clip(slices, low, min(high, 3071 - padding.intercept), out=slices)
    np.rint(slices, out=slices)
    values = slices.astype(kind)
    if machine.circle and padding.hu is not None:
        values[:, _outside(stack)] = padding.hu - padding.intercept
    elif machine.circle:
        values[:, _outside(stack)] = max(-1024 - padding.intercept, low)
    return values


def soft_series(
    scene: Scene, machine: Machine, stack: Stack, rng: np.random.Generator
) -> Iterator[NDArray[np.integer[Any]]]:
    """Stored values of the soft-tissue series, some slices at a time, from the lowest up."""
    table = table_image(machine.table, stack, middle_x=scene.middle_x, back_y=scene.back_y)
    for part in _parts(stack):
        slices = sample(scene.volume, scene.grid, part)
        np.maximum(slices, table, out=slices)
        slices = sharpen(slices, machine.sharpness, part)
        sd = strength(slices, machine.noise, part)
        add_noise(slices, textured(rng, len(slices), machine.noise, part), sd)
        yield stored(slices, machine, part)


def bone_series(
    scene: Scene, machine: Machine, stack: Stack, rng: np.random.Generator
) -> Iterator[NDArray[np.integer[Any]]]:
    """Stored values of the thin series with a bone kernel.

    Its noise comes from a small bank of images; each slice takes one of them, shifted at random.
    """
    table = table_image(machine.table, stack, middle_x=scene.middle_x, back_y=scene.back_y)
    noise = Noise(sd=2.4 * machine.noise.sd, peak=1.5 * machine.noise.peak, low=0.01, neighbours=0.0)
    bank = textured(rng, _BANK, noise, stack)
    for part in _parts(stack):
        slices = sample(scene.volume, scene.grid, part)
        np.maximum(slices, table, out=slices)
        # A bone kernel amplifies the difference from the neighbours' mean.
        raised = slices[:, 1:-1, 1:-1] * 4
        for shifted in (slices[:, :-2, 1:-1], slices[:, 2:, 1:-1], slices[:, 1:-1, :-2], slices[:, 1:-1, 2:]):
            raised -= shifted
        raised *= 0.18
        slices[:, 1:-1, 1:-1] += raised
        sd = strength(slices, noise, part)
        picks = rng.integers(_BANK, size=len(slices))
        shifts = rng.integers(stack.matrix, size=(len(slices), 2))
        pictures = np.stack(
            [np.roll(bank[pick], shift, axis=(0, 1)) for pick, shift in zip(picks, shifts, strict=True)]
        )
        add_noise(slices, pictures, sd)
        yield stored(slices, machine, part)


def _parts(stack: Stack) -> Iterator[Stack]:
    size = max(8, _CHUNK_PIXELS // stack.matrix**2)
    for first in range(0, len(stack.heights), size):
        chosen = slice(first, first + size)
        yield replace(stack, heights=stack.heights[chosen], thickness=stack.thickness[chosen])


def localizer(scene: Scene, matrix: int, pixel_mm: float, *, lateral: bool) -> NDArray[np.int16]:
    """A projection of the head from the front or the side: (rows, columns), rows from the top down."""
    grid = scene.grid
    line = (scene.volume + 1000.0).mean(axis=2 if lateral else 1) * 1.3 - 900
    x, y, z = grid.axes()
    across = y if lateral else x
    offsets = (np.arange(matrix) - (matrix - 1) / 2) * pixel_mm
    columns = np.interp(offsets + float(across.mean()), across, np.arange(len(across)), left=-1, right=-1)
    rows = np.interp(float(z.mean()) - offsets, z, np.arange(len(z)), left=-1, right=-1)
    picture = line[np.rint(rows).astype(int)][:, np.rint(columns).astype(int)]
    picture[rows < 0] = -1000
    picture[:, columns < 0] = -1000
    return np.asarray(np.clip(picture, -1024, 3071), dtype=np.int16)
