"""The scanner's own pixels measured, before they are resampled to the exam's grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.measure import PICTURE_MEASURES, measured
from nameplate.image.fingerprint.slices import Missing, Numbers, Slices
from nameplate.image.volume import Volume
from nameplate_ingest.choice.examine import Examined
from nameplate_ingest.volume.group import Group, thickness_of
from nameplate_ingest.volume.series import Stack

MOST_SLICES = 12
"""Slices that are measured: some 60 mm of a usual head."""
_MOST_PIXELS = 8 * 512**2
"""Pixels of all slices that are measured: larger slices are fewer, so that an exam costs the same."""
_SAME_GAP_MM = 0.1
"""Distances of slices that differ by less are the same."""
_RAS_OF_LPS = np.diag([-1.0, -1.0, 1.0])


def measured_as_read(group: Group, examined: Examined) -> Numbers:
    """The numbers of some neighbouring slices with much brain, in their own pixels.

    The brain is where the quick look found it, to about 5 mm. HU are those of the header, with what the
    ingest put right, and what is stored outside the circle is not clamped. Raises Refused for pixels that
    can no longer be decoded.
    """
    assert group.stack is not None
    places = Places.of(group.stack, examined.volume)
    if places is None:
        return _nothing("slices are not axial")
    brain = examined.look.mask()
    areas = np.count_nonzero(brain, axis=(0, 1))[places.slices(brain.shape[2])]
    rows, columns = _size(group)
    most = max(1, min(MOST_SLICES, _MOST_PIXELS // (rows * columns)))
    run = best_run(areas, group.stack.gaps, thickness_of(group), most)
    if run is None:
        return _nothing("no brain was found")
    return measured(_native(group, examined, places, brain, run), whole=False)


def _nothing(reason: str) -> Numbers:
    return dict.fromkeys((measure.name for measure in PICTURE_MEASURES), Missing(reason))


def _size(group: Group) -> tuple[int, int]:
    grid = group.slices[0].grid
    assert grid is not None
    return grid.rows, grid.columns


def best_run(
    areas: NDArray[np.intp], gaps: NDArray[np.float64], thickness: Sequence[float], most: int
) -> range | None:
    """The neighbouring slices that together hold the most brain; None where there is none.

    At most ``most`` slices, all of one thickness and one distance. ``areas`` and ``thickness`` are of each
    slice, ``gaps`` from each slice to the next.
    """
    best, largest = None, 0
    start = 0
    for stop in range(1, len(areas) + 1):
        if stop - start >= 2:
            apart = abs(gaps[stop - 2] - gaps[start]) > _SAME_GAP_MM
            if apart or thickness[stop - 1] != thickness[start]:
                start = stop - 2 if thickness[stop - 2] == thickness[stop - 1] else stop - 1
        start = max(start, stop - most)
        held = int(areas[start:stop].sum())
        if held > largest:
            best, largest = range(start, stop), held
    return best


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where pixels of the source are on the grid of the exam's volume."""

    stack: Stack
    turn: NDArray[np.float64]
    """(3, 3): voxels (i, j, k) for a millimetre across, down and along the stack."""
    start: NDArray[np.float64]
    """(3,) voxel of the first slice's first pixel."""

    @classmethod
    def of(cls, stack: Stack, volume: Volume) -> "Places | None":
        """Of a volume that was converted from the stack; None if its k is not the slices' normal."""
        back = np.linalg.inv(volume.affine)
        turn = back[:3, :3] @ _RAS_OF_LPS @ stack.axes.T
        start = back[:3, :3] @ _RAS_OF_LPS @ stack.origin + back[:3, 3]
        return cls(stack, turn, start) if np.abs(turn[2]).argmax() == 2 else None

    @property
    def headwards(self) -> bool:
        """Whether the stack goes from foot to head."""
        return bool(self.turn[2, 2] > 0)

    @property
    def transposed(self) -> bool:
        """Whether rows of the source count along i."""
        return bool(abs(self.turn[0, 1]) > abs(self.turn[0, 0]))

    def slices(self, count: int) -> NDArray[np.intp]:
        """For each slice of the stack, the nearest of the volume's ``count`` slices."""
        return _nearest(self.start[2] + self.turn[2, 2] * self.stack.along, count)

    def upright(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """A slice of the source, axes (row, column), with axes (j, i): back to front, left to right."""
        turned, (across, down) = plane, (0, 1)
        if self.transposed:
            turned, (across, down) = plane.T, (1, 0)
        rows, columns = (-1 if self.turn[axis, way] < 0 else 1 for axis, way in ((1, down), (0, across)))
        return turned[::rows, ::columns]

    def brain(
        self, mask_ijk: NDArray[np.bool_], number: int, size: tuple[int, int], spacing: tuple[float, float]
    ) -> NDArray[np.bool_]:
        """The mask on slice ``number``, upright; ``size`` and ``spacing`` of its rows, then its columns."""
        across, down = (1, 0) if self.transposed else (0, 1)
        base = self.start + self.turn @ np.array([*self.stack.drift[number], self.stack.along[number]])
        of_way = {0: (size[1], spacing[1]), 1: (size[0], spacing[0])}
        indices = []
        for axis, way in ((0, across), (1, down)):
            pixels, mm = of_way[way]
            line = np.sort(base[axis] + self.turn[axis, way] * mm * np.arange(pixels))
            indices.append(_nearest(line, mask_ijk.shape[axis]))
        k = _nearest(base[2:], mask_ijk.shape[2])[0]
        picked: NDArray[np.bool_] = mask_ijk[:, :, k].T[np.ix_(indices[1], indices[0])]
        return picked


def _nearest(places: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    return np.clip(np.rint(places), 0, count - 1).astype(np.intp)


def _native(group: Group, examined: Examined, places: Places, brain: NDArray[np.bool_], run: range) -> Slices:
    """The slices of the run in their own pixels, from foot to head."""
    first, stack = group.slices[0], group.stack
    assert first.grid is not None
    assert stack is not None
    size, spacing = _size(group), first.grid.spacing
    numbers = run if places.headwards else run[::-1]
    gaps = stack.gaps[run.start : run.stop - 1]
    thick = max(thickness_of(group)[run.start], 0.1)
    return Slices(
        hu=np.stack([places.upright(examined.plane(group.slices[number])) for number in numbers]),
        brain=np.stack([places.brain(brain, number, size, spacing) for number in numbers]),
        pixel_mm=(spacing[1], spacing[0]) if places.transposed else spacing,
        slice_mm=max(float(np.median(gaps)), 0.1) if len(gaps) else thick,
        adjacent=len(run) > 1,
        thickness_mm=thick,
    )
