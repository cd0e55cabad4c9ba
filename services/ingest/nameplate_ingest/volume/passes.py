"""Passes of the gantry over the head: which slices were scanned one after the other (pure)."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nameplate.image.affine import slice_axes
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.volume.series import SAME_MM

_CROWDED = 0.55
"""Two slices nearer than this share of their thickness were not planned as neighbours of one pass."""
_OVERLAPPING = 0.8
"""A gap below this share of the thickness means overlapping slices."""
_MOST_BLOCKS = 500
"""More acquisitions than this are not told apart; a real scan has one or as many as rotations."""
_MOST_TURNS = 20
_FEWEST_ODD_GAPS = 3
"""One or two odd gaps are a junction of two blocks."""


def runs_of(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Slices as runs: the acquisitions in order of number and time, as long as they go one way.

    Each rotation may be an acquisition of its own, so acquisitions that go on where the one before ended
    are one run; another voltage or image type is another acquisition. One acquisition is one run, whatever
    its instance numbers say.
    """
    blocks: dict[_Acquisition, list[Slice]] = defaultdict(list)
    for slice_ in slices:
        blocks[_acquisition(slice_)].append(slice_)
    if len(blocks) == 1 or len(blocks) > _MOST_BLOCKS:
        return [list(slices)]
    height = {id(slice_): value for slice_, value in zip(slices, heights_of(slices), strict=True)}
    # Some scanners count rotations anew for each block of a head; then only the time has them in order.
    orders = sorted(blocks), sorted(blocks, key=lambda name: (name[2], name))
    ways = [_runs([blocks[name] for name in order], height) for order in orders]
    return min(ways, key=len)


def _runs(ordered: Sequence[list[Slice]], height: Mapping[int, float]) -> list[list[Slice]]:
    """Blocks in the order of scanning as runs; ``height`` is by the slice's ``id``."""
    centres = [float(np.mean([height[id(slice_)] for slice_ in block])) for block in ordered]
    steps = np.sign(np.diff(centres))
    way = 1.0 if (steps > 0).sum() >= (steps < 0).sum() else -1.0
    runs = [ordered[0]]
    for block, step in zip(ordered[1:], steps, strict=True):
        before = [way * height[id(slice_)] for slice_ in runs[-1]]
        here = [way * height[id(slice_)] for slice_ in block]
        thick = max(slice_.thickness or 0.0 for slice_ in (*runs[-1], *block))
        if step == way and min(here) > max(before) - max(thick, SAME_MM):
            runs[-1] = runs[-1] + block
        else:
            runs.append(block)
    return runs


def by_number(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Slices in order of their instance numbers, cut where the way along the normal turns back.

    The slices as they are if that would make more than ``_MOST_TURNS`` pieces: then the numbers tell nothing.
    """
    if min(slice_.number for slice_ in slices) < 0:
        return [list(slices)]
    ordered = sorted(slices, key=lambda slice_: slice_.number)
    steps = np.diff(heights_of(ordered))
    way = 1.0 if (steps > 0).sum() >= (steps < 0).sum() else -1.0
    turns = [place + 1 for place, step in enumerate(steps) if way * step < -SAME_MM]
    if len(turns) > _MOST_TURNS:
        return [list(slices)]
    cuts = [0, *turns, len(ordered)]
    return [ordered[start:end] for start, end in pairwise(cuts)]


def chained(blocks: Sequence[Sequence[Slice]]) -> list[list[Slice]]:
    """Blocks put together into volumes: each joins the first volume that it does not run through.

    A block may share one place with a volume, the slice at the junction; more is another pass.
    """
    volumes: list[list[Slice]] = []
    for block in blocks:
        for volume in volumes:
            if not _crossing(block, volume):
                volume += block
                break
        else:
            volumes.append(list(block))
    return volumes


def _crossing(block: Sequence[Slice], volume: Sequence[Slice]) -> bool:
    heights = heights_of([*block, *volume])
    own, theirs = heights[: len(block)], heights[len(block) :]
    own_mm = np.array([slice_.thickness or 0.0 for slice_ in block])
    their_mm = np.array([slice_.thickness or 0.0 for slice_ in volume])
    near = np.maximum(_CROWDED * np.minimum(own_mm[:, None], their_mm[None, :]), SAME_MM)
    crowded = (np.abs(own[:, None] - theirs[None, :]) < near).sum()
    if crowded > 1:
        return True
    # Beyond the junction, no slice may lie between the first and the last of the other block.
    thick = max(own_mm.max(initial=0.0), their_mm.max(initial=0.0), SAME_MM)
    overlap = min(own.max(), theirs.max()) - max(own.min(), theirs.min())
    inside = ((own > theirs.min()) & (own < theirs.max())).sum()
    return bool(overlap > thick + SAME_MM and inside and _between(own, theirs))


def _between(own: NDArray[np.float64], theirs: NDArray[np.float64]) -> bool:
    """Whether slices of one block lie among those of the other, so that both cover the same part."""
    low, high = max(own.min(), theirs.min()), min(own.max(), theirs.max())
    both = ((own >= low) & (own <= high)).sum(), ((theirs >= low) & (theirs <= high)).sum()
    return bool(min(both) > 1)


def stray_gaps(along: NDArray[np.float64], thickness: Sequence[float]) -> int:
    """Gaps that one pass does not leave: alternating ones, or an overlap in a part of the stack only.

    ``along`` (slices,) are places in order, in mm; ``thickness`` is per slice, 0 if unknown. One pass has
    even gaps, or gaps that change with the thickness; a second one puts its slices between.
    """
    gaps = np.diff(along)
    if len(gaps) < 2 * _FEWEST_ODD_GAPS:
        return 0
    again = np.abs(gaps[2:] - gaps[:-2]) < 0.15
    other = np.abs(gaps[1:-1] - gaps[:-2]) > 0.25
    alternating = _longest(again & other)
    mm = np.asarray(thickness, dtype=np.float64)
    thinner = np.minimum(mm[:-1], mm[1:])
    if alternating >= _FEWEST_ODD_GAPS and not _rounded(gaps, thinner):
        return int(alternating)
    same = (mm[:-1] > 0) & (np.abs(mm - np.median(mm))[:-1] < 0.1) & (np.abs(mm - np.median(mm))[1:] < 0.1)
    near = same & (gaps < _OVERLAPPING * thinner)
    apart = same & (gaps > 0.95 * thinner)
    if min(near.sum(), apart.sum()) >= _FEWEST_ODD_GAPS:
        return int(near.sum())
    return 0


def _rounded(gaps: NDArray[np.float64], thinner: NDArray[np.float64]) -> bool:
    """Whether gaps alternate only because positions were rounded to whole millimetres."""
    whole = np.rint(gaps)
    if np.abs(gaps - whole).max() > 1e-3 or np.ptp(whole) > 1:
        return False
    return bool((thinner > 0).all() and (gaps >= _OVERLAPPING * thinner - 1e-6).all())


def _longest(flags: NDArray[np.bool_]) -> int:
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best


_Acquisition = tuple[float, str, str, float, tuple[str, ...]]


def _acquisition(slice_: Slice) -> _Acquisition:
    """What all slices of one acquisition share, in the order of scanning. GE marks thick slices as ADD."""
    kinds = tuple(kind for kind in slice_.says.image_type if kind != "ADD")
    try:
        number = float(slice_.acquisition or "inf")
        number = number if math.isfinite(number) else float("inf")
    except ValueError:
        number = float("inf")
    return number, slice_.acquisition, slice_.time, slice_.device.kvp or 0.0, kinds


def heights_of(slices: Sequence[Slice]) -> NDArray[np.float64]:
    """Places along the normal of the first slice, in mm."""
    grids = [slice_.grid for slice_ in slices if slice_.grid is not None]
    positions: NDArray[np.float64] = np.array([grid.position for grid in grids], dtype=np.float64)
    heights: NDArray[np.float64] = positions @ _normal(grids[0].orientation)
    return heights


@lru_cache(maxsize=256)
def _normal(orientation: tuple[float, ...]) -> NDArray[np.float64]:
    """The normal of slices, of which a study has few: looked up some thousand times for many groups."""
    normal: NDArray[np.float64] = slice_axes(orientation)[2]
    normal.flags.writeable = False
    return normal
