"""A rough intracranial mask in a few hundredths of a second: numpy alone, on cells of about 5 mm.

It finds where the brain is, not its outline: the skullstrip service draws that. All arrays here have axes
(k, j, i): slices from foot to head, rows from back to front, columns from the patient's left to right.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate.image.box import box_around
from nameplate.image.enclosure import enclosure

Mask = NDArray[np.bool_]
Shares = NDArray[np.float32]

CELL_MM = 5.0
TISSUE_HU = (-20, 110)
"""Brain, CSF and bleeds."""
BONE_HU = 200
CLOSED = 0.62
"""Share of the rays from a cell that must meet bone for the cell to be inside a skull."""
_RANGES = (TISSUE_HU, (BONE_HU, 32767), (-200, BONE_HU), (-950, -400), (-32768, -700))
"""Tissue, bone, anything soft, lung, air: HU from and to, both included, as in ``Cells``."""
_LEAST_ML = 10.0
"""Volume of the core of a region that is worth a look."""
_BITS = 12
"""Of a counter of voxels in a cell; voxels of 0.1 mm do not fill it."""
_SPACING_MM = (0.1, 100.0)
"""Voxel sizes beyond these are clamped: they are no head's."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Shares (0 to 1) of each cell that are tissue, bone and so on."""

    tissue: Shares
    """Within ``TISSUE_HU``."""
    bone: Shares
    soft: Shares
    """Anything soft, fat included: -200 to 200 HU."""
    lung: Shares
    """-950 to -400 HU."""
    air: Shares
    """Below -700 HU."""
    edges: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
    """First voxel of every cell and, last, the number of voxels, along k, j and i."""
    spacing_mm: tuple[float, float, float]
    """Mean size of a cell."""
    voxel_mm: tuple[float, float, float]
    """Size of a voxel, within what heads have."""

    @property
    def ml(self) -> float:
        """Volume of one cell in mL."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    def on_voxels(self, mask: Mask) -> Mask:
        """A mask of cells on the voxels that they cover."""
        return on_voxels(mask, self.edges)


def on_voxels(mask: Mask, edges: tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]) -> Mask:
    """A mask of cells on the voxels between their edges; rows and columns first, which is quicker."""
    for axis in (2, 1, 0):
        mask = np.repeat(mask, np.diff(edges[axis]), axis=axis)
    return mask


def cells_of(hu_KJI: NDArray[np.int16], spacing_mm: tuple[float, float, float]) -> Cells:
    """The picture as shares on cells; an image without voxels has no cells. ``spacing_mm`` along k, j, i.

    Shares are averaged and not HU, because bone beside air would average to brain.
    """
    clamped = [min(max(size, _SPACING_MM[0]), _SPACING_MM[1]) for size in spacing_mm]
    edges = [_edges(count, size) for count, size in zip(hu_KJI.shape, clamped, strict=True)]
    shape = tuple(len(edge) - 1 for edge in edges)
    sums = np.zeros((len(_RANGES), *shape), np.float32)
    words = _words()
    for cell in range(shape[0] if hu_KJI.size else 0):
        for plane in hu_KJI[edges[0][cell] : edges[0][cell + 1]]:
            lines = np.add.reduceat(words.take(plane.view(np.uint16), mode="wrap"), edges[1][:-1], axis=0)
            blocks = np.add.reduceat(lines, edges[2][:-1], axis=1)
            for number in range(len(_RANGES)):
                sums[number, cell] += (blocks >> (_BITS * number)) & (2**_BITS - 1)
    widths = [np.diff(edge).astype(np.float32) for edge in edges]
    sums /= widths[0][:, None, None] * widths[1][:, None] * widths[2]
    sizes = [
        size * count / cells if cells else size
        for size, count, cells in zip(clamped, hu_KJI.shape, shape, strict=True)
    ]
    tissue, bone, soft, lung, air = sums
    return Cells(
        tissue=tissue,
        bone=bone,
        soft=soft,
        lung=lung,
        air=air,
        edges=(edges[0], edges[1], edges[2]),
        spacing_mm=(float(sizes[0]), float(sizes[1]), float(sizes[2])),
        voxel_mm=(clamped[0], clamped[1], clamped[2]),
    )


def _edges(count: int, size_mm: float) -> NDArray[np.intp]:
    """Borders of cells of about ``CELL_MM``, the same seen from either end."""
    cells = min(max(round(count * size_mm / CELL_MM), 1), count)
    if count % 2 and cells % 2 == 0 and cells:
        cells += -1 if cells == count else 1
    half = (2 * np.arange(cells // 2 + 1) * count + cells) // max(2 * cells, 1)
    edges = np.concatenate([half, count - half[::-1]])
    return np.unique(edges).astype(np.intp)


def _words() -> NDArray[np.int64]:
    """For every int16, by its bits: a one in the field of each range that holds it, to be added up."""
    words = np.zeros(65536, np.int64)
    for number, (low, high) in enumerate(_RANGES):
        for start, stop in ((max(low, 0), high + 1), (65536 + low, 65536 + min(high + 1, 0))):
            words[max(start, 0) : max(stop, 0)] |= np.int64(1) << np.int64(_BITS * number)
    return words


def smoothed(values: Shares) -> Shares:
    """Weights 1, 2, 1 along every axis; the border repeats."""
    for axis in (0, 1, 2):
        near = np.moveaxis(values, axis, 0)
        total = near * np.float32(2.0)
        total[1:] += near[:-1]
        total[:1] += near[:1]
        total[:-1] += near[1:]
        total[-1:] += near[-1:]
        values = np.moveaxis(total * np.float32(0.25), 0, axis)
    return values


def grown(mask: Mask, corners: bool = False) -> Mask:
    """The mask and its neighbours: those that share a face or, with ``corners``, all 26."""
    result = mask.copy()
    for axis in (0, 1, 2):
        source = np.moveaxis(result.copy() if corners else mask, axis, 0)
        target = np.moveaxis(result, axis, 0)
        target[1:] |= source[:-1]
        target[:-1] |= source[1:]
    return result


def shrunk(mask: Mask, corners: bool = False) -> Mask:
    """Without the cells beside one that is not set. Beyond the end slices all counts as set: unseen."""
    framed: Mask = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2, mask.shape[2] + 2), bool)
    framed[1:-1, 1:-1, 1:-1] = mask
    framed[0], framed[-1] = framed[1], framed[-2]
    return ~grown(~framed, corners)[1:-1, 1:-1, 1:-1]


def flooded(mask: Mask, seed: Mask) -> Mask:
    """The regions of the mask, face to face, that hold a cell of the seed."""
    now = seed & mask
    count = -1
    while (more := int(np.count_nonzero(now))) != count:
        count = more
        for _ in range(3):
            now = grown(now) & mask
    return now


def regions(mask: Mask, least: int) -> list[Mask]:
    """Regions of the mask, largest first, until all that is left has fewer than ``least`` cells."""
    rest = mask.copy()
    found: list[Mask] = []
    while np.count_nonzero(rest) >= max(least, 1) and len(found) < 64:
        seed = np.zeros(rest.shape, bool)
        seed.reshape(-1)[int(rest.argmax())] = True
        region = flooded(rest, seed)
        found.append(region)
        rest &= ~region
    found.sort(key=lambda region: -int(np.count_nonzero(region)))
    return found


def box_of(mask: Mask, margin: int) -> tuple[slice, slice, slice]:
    """The smallest box with the mask, and within the slices a margin of cells where there is room."""
    return box_around(mask, (0, margin, margin))


@dataclass(frozen=True, slots=True, eq=False)
class QuickStrip:
    """What a quick look finds inside of skulls; masks on the cells."""

    cells: Cells
    brain: Mask
    """The largest region of tissue inside bone."""
    hollow: Mask
    """Everything that bone encloses, whatever it holds."""
    others_ml: float
    """Volume of the second largest region of the same kind; another head."""

    @property
    def brain_ml(self) -> float:
        """Volume of the brain's cells."""
        return float(np.count_nonzero(self.brain)) * self.cells.ml


def quick_strip(hu_KJI: NDArray[np.int16], spacing_mm: tuple[float, float, float]) -> QuickStrip:
    """Cells that hold tissue and that bone encloses, without orbits, canal and scalp."""
    cells = cells_of(hu_KJI, spacing_mm)
    bone = cells.bone > 0.25
    # To the sides of all bone nothing is enclosed.
    _, rows, columns = box_of(bone, 1)
    met = enclosure(bone[:, rows, columns]).astype(np.float32)
    closed = np.zeros(bone.shape, bool)
    closed[:, rows, columns] = smoothed(met) >= CLOSED
    inside = closed & (cells.tissue > 0.5)
    # Calcifications, clips and gas: cells almost surrounded by the inside.
    inside |= closed & (smoothed(inside.astype(np.float32)) > 0.7)
    # What is thinner than two cells is canal, orbit or a gap between bones.
    box = box_of(inside, 1)
    brain = np.zeros(inside.shape, bool)
    part = inside[box]
    found = regions(shrunk(shrunk(part), corners=True), round(_LEAST_ML / cells.ml))
    sizes = [int(np.count_nonzero(region)) for region in found]
    others = float(np.count_nonzero(_back(found[1], part))) * cells.ml if len(found) > 1 else 0.0
    for region, size in zip(found, sizes, strict=True):
        if size == sizes[0]:  # a choice between equals would depend on the array's direction
            brain[box] |= _back(region, part)
    hollow = closed & ~bone
    return QuickStrip(cells, brain, hollow, others)


def _back(core: Mask, inside: Mask) -> Mask:
    """The core grown by what was taken off, and by one cell for what is round."""
    for corners in (True, False, False):
        core = grown(core, corners) & inside
    return core


def planes_of(array_IJK: NDArray[Any]) -> NDArray[np.int16]:
    """The picture with slices first and one after another in memory: axes (k, j, i)."""
    return np.ascontiguousarray(np.transpose(array_IJK, (2, 1, 0)), dtype=np.int16)
