"""Pictures to look at: heads as solids in mm, things that are no head, and vessels painted into a head."""

import importlib.util
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate.image.volume import Volume

Scene = Callable[[Any, Any, Any], Any]
"""HU at places in RAS mm around the middle of the head."""
Line = tuple[Any, float]
"""Points in mm from the array's first voxel, and a radius."""


def skullstrip_heads() -> ModuleType:
    """The skullstrip tests' simulated heads: ``PLANS`` and ``simulate_head``."""
    path = Path(__file__).parents[1] / "skullstrip" / "head.py"
    spec = importlib.util.spec_from_file_location("picture_heads", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def volume_of(
    scene: Scene,
    *,
    matrix: int = 64,
    pixel_mm: float = 3.6,
    gap_mm: float = 5.0,
    low_mm: float = -80.0,
    high_mm: float = 80.0,
    shift_mm: tuple[float, float] = (0.0, 0.0),
) -> Volume:
    """A scene as a volume in canonical order; the field's middle is ``shift_mm`` right and in front."""
    across = (np.arange(matrix) - (matrix - 1) / 2) * pixel_mm
    up = np.arange(low_mm, high_mm + 1e-6, gap_mm)
    x, y = across[:, None, None] + shift_mm[0], across[None, :, None] + shift_mm[1]
    hu = np.clip(np.rint(scene(x, y, up[None, None, :])), -1024, 3071)
    affine = np.diag([pixel_mm, pixel_mm, gap_mm, 1.0])
    affine[:3, 3] = across[0] + shift_mm[0], across[0] + shift_mm[1], low_mm
    return Volume(np.broadcast_to(hu, (matrix, matrix, len(up))).astype(np.int16), affine)


def _ball(x: Any, y: Any, z: Any, axes: tuple[float, float, float]) -> Any:
    return (x / axes[0]) ** 2 + (y / axes[1]) ** 2 + (z / axes[2]) ** 2 < 1


def crude_head(brain_hu: float = 35.0, blob_hu: float = 0.0) -> Scene:
    """A bare shell of bone around one density, with two soft bright places in it."""

    def scene(x: Any, y: Any, z: Any) -> Any:
        blobs: Any = 0.0
        for cx, cy, cz in ((-30.0, 20.0, 10.0), (28.0, -30.0, -8.0)):
            far = (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2
            blobs = blobs + blob_hu * np.exp(-far / (2 * 8.5**2))
        inside, outside = _ball(x, y, z, (64, 82, 72)), _ball(x, y, z, (71, 89, 79))
        return np.where(inside, brain_hu + blobs, np.where(outside, 1000.0, -1000.0))

    return scene


def chest(x: Any, y: Any, z: Any) -> Any:
    """Soft tissue with two lungs and a spine, the same at every height."""
    hu = np.where((x / 180) ** 2 + (y / 115) ** 2 < 1, 45.0, -1000.0) + 0.0 * z
    for side in (-1, 1):
        hu = np.where(((x - side * 80) / 60) ** 2 + (y / 78) ** 2 < 1, -820.0, hu)
    return np.where(np.hypot(x, y + 80) < 17, 350.0, hu)


def head_and_chest(x: Any, y: Any, z: Any) -> Any:
    """A head, and below it at once the chest."""
    return np.where(z > -78, crude_head()(x, y, z), chest(x, y, z))


def water_bottle(x: Any, y: Any, z: Any) -> Any:
    """Water behind a plastic wall."""
    far = np.hypot(x, y) + 0.0 * z
    return np.where(far < 85, 0.0, np.where(far < 91, 120.0, -1000.0))


def two_heads(x: Any, y: Any, z: Any) -> Any:
    """Two small heads side by side."""
    return np.maximum(
        crude_head()(1.35 * (x - 60), 1.35 * y, 1.35 * z), crude_head()(1.35 * (x + 60), 1.35 * y, 1.35 * z)
    )


def painted(volume: Volume, lines: list[Line], hu: float) -> Volume:
    """Tubes in a volume: each voxel gets the tube's HU by the share of it that the tube covers."""
    spacing = np.array(volume.spacing_mm)
    values = volume.array.astype(np.float32)
    cover = np.zeros(values.shape, np.float32)
    parts = (2, 2, 5)
    fine = spacing / parts
    for points, radius in lines:
        walked = _walked(np.atleast_2d(np.asarray(points, float)))
        low = np.maximum(np.floor((walked.min(axis=0) - radius) / spacing).astype(int) - 1, 0)
        high = np.minimum(np.ceil((walked.max(axis=0) + radius) / spacing).astype(int) + 2, values.shape)
        if (high <= low).any():
            continue
        hit = np.zeros((high - low) * parts, bool)
        first = (low - 0.5) * spacing + 0.5 * fine
        reach = [np.arange(-n, n + 1) for n in np.ceil(radius / fine).astype(int) + 1]
        around = np.stack(np.meshgrid(*reach, indexing="ij"), axis=-1).reshape(-1, 3)
        for point in walked:
            place = np.rint((point - first) / fine).astype(int) + around
            near = ((first + place * fine - point) ** 2).sum(axis=1) <= radius**2
            place = place[near & ((place >= 0) & (place < hit.shape)).all(axis=1)]
            hit[tuple(place.T)] = True
        size = high - low
        share = hit.reshape(size[0], parts[0], size[1], parts[1], size[2], parts[2]).mean(axis=(1, 3, 5))
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        cover[box] = np.maximum(cover[box], share)
    brighter = (values < hu) & (values > -200)
    return volume.with_array(
        np.rint(np.where(brighter, values + cover * (hu - values), values)).astype(np.int16)
    )


def _walked(points: NDArray[np.float64]) -> NDArray[np.float64]:
    way = [points[:1]]
    for start, end in pairwise(points):
        count = max(1, int(np.linalg.norm(end - start) / 0.7))
        way.append(start + (end - start) * (np.arange(1, count + 1) / count)[:, None])
    return np.vstack(way)


def moved(place: NDArray[np.float64], x: float, y: float, z: float) -> NDArray[np.float64]:
    """A place some mm to the right, to the front and up."""
    return place + np.array([x, y, z])


class Vessels:
    """Where vessels are in a head whose brain is known: rough, but each where anatomy has it."""

    def __init__(self, volume: Volume, brain: NDArray[np.bool_]) -> None:
        self.brain = brain
        self.spacing = np.array(volume.spacing_mm)
        areas = brain.sum(axis=(0, 1))
        self.base = int(np.flatnonzero(areas > 0.8 * areas.max())[0])
        self.top = int(np.flatnonzero(areas > 0.15 * areas.max())[-1])
        i, j, _ = np.nonzero(brain[:, :, self.base :])
        wide = self.outline(min(self.base + 4, self.top))
        self.half = np.array([(wide[1] - wide[0]) / 2, (wide[3] - wide[2]) / 2])
        self.middle = np.array([i.mean() * self.spacing[0], j.mean() * self.spacing[1]])
        self.height = self.base * self.spacing[2]

    def outline(self, k: int) -> tuple[float, float, float, float]:
        """Left, right, back and front end of the brain in a slice, mm."""
        i, j = np.nonzero(self.brain[:, :, k])
        di, dj = self.spacing[:2]
        return i.min() * di, i.max() * di, j.min() * dj, j.max() * dj

    def arteries(self) -> list[Line]:
        """The circle of Willis, the basilar artery, and branches in the Sylvian fissures and the midline."""
        deep = self.half[1]
        start = np.array([self.middle[0], self.middle[1] + 0.15 * deep, self.height + 2])
        lines: list[Line] = [([moved(start, 0, -0.2 * deep, -28), moved(start, 0, -0.2 * deep, -3)], 1.8)]
        for side in (-1, 1):
            end = moved(start, side * 0.55 * self.half[0], 0, 4)
            lines.append(([start, moved(start, side * 0.28 * self.half[0], 5, 2), end], 1.5))
            for branch in range(4):
                way = [(6, -8 - 6 * branch, 10 + 2 * branch), (8, -14 - 9 * branch, 22 + 4 * branch)]
                way.append((14, -18 - 12 * branch, 30 + 5 * branch))
                lines.append(([end, *(moved(end, side * x, y, z) for x, y, z in way)], 1.1))
            way = [(3, 0.25 * deep, 4), (2, 0.35 * deep, 20), (2, 0.2 * deep, 36), (2, -0.1 * deep, 42)]
            lines.append(([start, *(moved(start, side * x, y, z) for x, y, z in way)], 1.1))
            way = [(0, -0.2 * deep, -3), (14, -0.3 * deep, 0), (18, -0.55 * deep, 4), (12, -0.85 * deep, 8)]
            lines.append(([moved(start, side * x, y, z) for x, y, z in way], 1.1))
        return lines

    def sinuses(self) -> list[Line]:
        """The superior sagittal and the straight sinus, and the veins that lead to it."""
        x, deep = self.middle[0], self.half[1]
        galen = np.array([x, self.middle[1] - 0.25 * deep, self.height + 16])
        back = [[x, self.outline(k)[2] + 2.5, k * self.spacing[2]] for k in range(self.base, self.top + 1)]
        lines: list[Line] = [(back, 4.0), ([galen, back[0]], 2.3)]
        for side in (-1, 1):
            lines.append(([galen, moved(galen, side * 2.5, 15, 5), moved(galen, side * 3, 32, 6)], 1.1))
            lines.append(([galen, moved(galen, side * 14, 6, -8), moved(galen, side * 16, 20, -12)], 1.1))
        return lines

    def cortex(self, count: int = 30) -> list[Line]:
        """Short vessels near the surface."""
        rng = np.random.default_rng(5)
        lines: list[Line] = []
        for _ in range(count):
            k = int(rng.integers(self.base, self.top))
            left, right, back, front = self.outline(k)
            angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.85, 0.95)
            half = np.array([right - left, front - back]) / 2 * depth
            place = np.array([(left + right) / 2, (back + front) / 2, k * self.spacing[2]])
            place[:2] += half * [np.cos(angle), np.sin(angle)]
            lines.append(([place, place + rng.normal(0, 8, 3), place + rng.normal(0, 12, 3)], 1.2))
        return lines
