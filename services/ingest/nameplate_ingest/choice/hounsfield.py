"""Whether a series' numbers are Hounsfield units, and the slip that makes them so where only one can.

Headers lie about sign and intercept, so the picture is asked: air near -1000 HU outside the head, bone above
it, soft tissue around water. Pure functions on a few planes of the series.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nameplate_ingest.dicom.slice import Storage
from nameplate_ingest.refusal import Refused

_HIGHEST = 32767.0
_BELOW_AIR, _AIR_TOP = -1200.0, -850.0
"""HU: what is lower than the first is padding; air, with its noise, lies between both."""
_AIR = (-1060.0, -925.0)
"""Where the middle of the air must be."""
_DENSE_BONE = 1500.0
"""HU: where a stored type ends below this, its dense bone is cut off or wrapped round."""
_WRAP_12, _WRAP_16, _OFFSET = 4096.0, 65536.0, 1024.0
_SAMPLES = 64
"""A plane is looked at on a grid of about this many points a side."""
_FIRST_BIN, _BIN, _BINS = -3200.0, 64.0, 112


@dataclass(frozen=True, slots=True)
class Correction:
    """What to do to a plane's HU; the bounds and the wrap are in stored values, the shift in HU."""

    flags: tuple[str, ...] = ()
    """Names for the exam's record; empty if nothing has to be put right."""
    above: float = math.inf
    """Stored values above this one are negative numbers read as positive: ``wrap`` is taken away."""
    below: float = -math.inf
    """Stored values below this one are positive numbers read as negative: ``wrap`` is added."""
    wrap: float = 0.0
    shift: float = 0.0

    def apply(self, plane: NDArray[np.float32], storage: Storage) -> NDArray[np.float32]:
        """The plane in true HU, changed in place; ``storage`` is that of its own slice.

        Raises Refused for a value that no HU can have.
        """
        self._put_right(plane, storage)
        highest = float(plane.max())
        if not highest <= _HIGHEST:
            raise Refused("hounsfield", f"HU up to {highest:.0f}")
        return plane

    def _put_right(self, plane: NDArray[np.float32], storage: Storage) -> NDArray[np.float32]:
        step = self.wrap * storage.slope
        if self.above < math.inf:
            limit = self.above * storage.slope + storage.intercept
            plane[plane > limit if storage.slope > 0 else plane < limit] -= step
        if self.below > -math.inf:
            limit = self.below * storage.slope + storage.intercept
            plane[plane < limit if storage.slope > 0 else plane > limit] += step
        if self.shift:
            plane += np.float32(self.shift)
        return plane


NO_CORRECTION = Correction()


def examine(planes: Sequence[NDArray[np.float32]], storage: Storage) -> Correction:
    """What has to be put right in a series, from a few planes spread over it.

    ``planes`` are HU as the headers have them, not clamped, axes (row, column), all of one shape. They are
    not changed. A correction is returned only if the HU as they are cannot be a head's and exactly one known
    slip explains them. Raises Refused("hounsfield") for HU that stay unbelievable.
    """
    sample = _sample(planes)
    span = float(sample.max() - sample.min()) / abs(storage.slope)
    if span < 1:
        raise Refused("hounsfield", f"nothing but {round(float(sample.flat[0]))} HU")
    if span <= 255:
        raise Refused("hounsfield", f"only {span:.0f} grey levels, as in an 8-bit picture")
    highest = (2 ** (storage.stored - storage.signed) - 1) * storage.slope + storage.intercept
    reason = _fault(sample) or (_wrapped_bone(planes) if highest < _DENSE_BONE else "")
    if not reason:
        return NO_CORRECTION
    wraps = [
        wrap
        for wrap in _wraps(storage)
        if not np.array_equal(wrap._put_right(sample.copy(), storage), sample)
    ]
    singles = [*wraps, *_shifted(NO_CORRECTION)]
    doubles = [both for wrap in wraps for both in _shifted(wrap)]
    for candidates in (singles, doubles):
        fitting = [one for one in candidates if _is_head(one._put_right(sample.copy(), storage))]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            raise Refused("hounsfield", f"{reason}; {len(fitting)} corrections would fit")
    raise Refused("hounsfield", reason)


def _wraps(storage: Storage) -> list[Correction]:
    """The slips in sign that the stored type allows."""
    found = [Correction(("hu-12-bit-wrap",), above=2047, wrap=_WRAP_12)]
    if not storage.signed:
        found.append(Correction(("hu-16-bit-wrap",), above=32767, wrap=_WRAP_16))
    elif storage.stored == 12:
        found.append(Correction(("hu-12-bit-unsigned",), below=0, wrap=_WRAP_12))
    return found


def _shifted(base: Correction) -> Iterator[Correction]:
    yield replace(base, flags=(*base.flags, "hu-intercept-lost"), shift=-_OFFSET)
    yield replace(base, flags=(*base.flags, "hu-intercept-twice"), shift=_OFFSET)


def _sample(planes: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Axes (plane, row, column), every n-th pixel."""
    step = max(1, max(planes[0].shape) // _SAMPLES)
    return np.stack([plane[::step, ::step] for plane in planes]).astype(np.float32, copy=False)


class _Shares:
    """Which share of a sample lies between two HU; sorted once."""

    def __init__(self, sample: NDArray[np.float32]) -> None:
        self.values = np.sort(sample, axis=None)

    def between(self, low: float, high: float = math.inf) -> float:
        """Share with low <= HU < high."""
        first, last = np.searchsorted(self.values, (low, high))
        return float(last - first) / self.values.size


def corner_level(plane: NDArray[np.float32]) -> float:
    """The lower quartile of HU in the four corners, of which a table or shoulders fill two at most."""
    size = max(1, plane.shape[-1] // 16), max(1, plane.shape[-2] // 16)
    left, right, top, bottom = slice(size[0]), slice(-size[0], None), slice(size[1]), slice(-size[1], None)
    corners = [plane[..., row, column].ravel() for row in (top, bottom) for column in (left, right)]
    values = np.concatenate(corners)
    return float(np.partition(values, values.size // 4)[values.size // 4])


def _fault(sample: NDArray[np.float32]) -> str:
    """Why these cannot be the HU of a head; empty if they can."""
    shares = _Shares(sample)
    outside = corner_level(sample)
    if outside > _AIR_TOP:
        return f"the corners are at {outside:.0f} HU, not air"
    # What has one value in the same pixels of every slice may be padding, even if it looks like air.
    changing = sample[:, (sample != outside).any(axis=0)]
    air = changing[(changing >= _BELOW_AIR) & (changing < _AIR_TOP)]
    if air.size < 0.003 * sample.size:
        return "no air near -1000 HU"
    if np.ptp(air) == 0 and _amid_bone(sample, both_ways=False) < 0.5:
        return f"no air but the padding at {float(air[0]):.0f} HU"
    if not _AIR[0] <= (level := float(np.median(air))) <= _AIR[1]:
        return f"air at {level:.0f} HU"
    bone, soft, hard = shares.between(150), shares.between(-100, 150), shares.between(600)
    if reason := _padding_fault(sample, soft):
        return reason
    if bone < 0.002:
        return "no bone"
    if hard > 2 * soft:
        return f"{100 * hard:.0f} % above 600 HU, {100 * soft:.0f} % soft tissue"
    if shares.between(-700, -150) > shares.between(-150):
        return "more between air and tissue than tissue"
    if (far := shares.between(3100)) > 0.05:
        return f"{100 * far:.0f} % above 3100 HU"
    return ""


def _padding_fault(sample: NDArray[np.float32], soft: float) -> str:
    """Why what is below air is something else than padding; ``soft`` is the share of soft tissue.

    Padding has one value or few. Around metal a share of a percent may be lower than air. Where padding is
    not in the same pixels of every slice, because the field moved, it still borders on air.
    """
    void = sample < _BELOW_AIR
    if not void.any():
        return ""
    loose = _loose(sample[void], sample.size) / sample.size
    if loose > 0.01:
        return f"{100 * loose:.0f} % far below air"
    moving = float((void != (void.mean(axis=0) > 0.5)).mean())
    if moving <= 0.03:
        return ""
    beside = np.concatenate(
        (
            sample[:, :, 1:][void[:, :, :-1] & ~void[:, :, 1:]],
            sample[:, :, :-1][void[:, :, 1:] & ~void[:, :, :-1]],
        )
    )
    airy = float((beside < _AIR_TOP).mean()) if beside.size else 0.0
    return f"{100 * moving:.0f} % below air in some slices only" if airy < 0.5 or soft < 0.05 else ""


def _loose(void: NDArray[np.float32], size: int) -> int:
    """How many of the pixels below air, in a sample of ``size`` pixels, do not have a value of padding."""
    counts = np.unique(void, return_counts=True)[1]
    return int(counts[counts < 1e-3 * size].sum())


def _wrapped_bone(planes: Sequence[NDArray[np.float32]]) -> str:
    """Why a type that ends before dense bone does has wrapped it round; empty if it has not."""
    void = np.concatenate([plane[plane < _BELOW_AIR] for plane in planes])
    count = _loose(void, sum(plane.size for plane in planes))
    return f"{count} pixels far below air" if count > 8 else ""


def _amid_bone(sample: NDArray[np.float32], *, both_ways: bool) -> float:
    """Which share of what has brain's HU lies between bone and bone, along rows and (or) along columns."""
    brain, bone = (sample >= 0) & (sample < 100), sample >= 300
    rows, columns = (
        np.logical_or.accumulate(bone, axis=axis)
        & np.flip(np.logical_or.accumulate(np.flip(bone, axis), axis=axis), axis)
        for axis in (2, 1)
    )
    amid = rows & columns if both_ways else rows | columns
    return float(amid[brain].mean()) if brain.any() else 0.0


def _is_head(sample: NDArray[np.float32]) -> bool:
    """Whether these are surely the HU of a head: brain in plenty, most of it amid bone."""
    if _fault(sample):
        return False
    shares = _Shares(sample)
    beside = max(shares.between(-300, -200), shares.between(150, 250), shares.between(250, 350))
    brain = shares.between(0, 100)
    return 0.04 <= brain < 0.6 and brain > 2 * beside and _amid_bone(sample, both_ways=True) >= 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What one plane in HU looks like, in a few numbers."""

    outside: float
    """HU in the corners; padding counts as -1024."""
    solid: float
    """Share above -300 HU."""
    shares: NDArray[np.float64]
    """(bins,) shares of HU in steps of ``_BIN``, without what lies beyond the first and the last bin."""


def levels(plane: NDArray[np.float32]) -> Levels:
    """Measure a plane in HU, not clamped."""
    step = max(1, max(plane.shape) // _SAMPLES)
    few = np.ascontiguousarray(plane[::step, ::step])
    bins = ((few.ravel() - np.float32(_FIRST_BIN)) * np.float32(1 / _BIN)).clip(-1, _BINS).astype(np.intp)
    shares = np.bincount(bins + 1, minlength=_BINS + 2)[1:-1] / few.size
    return Levels(max(corner_level(few), -1024.0), float(np.count_nonzero(few >= -300)) / few.size, shares)


def jumps(stack: Sequence[Levels]) -> None:
    """Raise Refused("slice-jump") if the levels of some slices are shifted against the others'.

    ``stack`` is in the slices' order. Heads as they are pass: a top slice of air or of bone alone, the skull
    base, metal, a first or last slice beside the head.
    """
    if len(stack) < 3:
        return
    of = f"of {len(stack)}"
    for number, (one, other) in enumerate(pairwise(stack), start=1):
        if seen := _unlike(one, other):
            raise Refused("slice-jump", f"slices {number} and {number + 1} {of}: {seen}")
    solid = np.array([level.solid for level in stack])
    below, above = np.maximum.accumulate(solid), np.maximum.accumulate(solid[::-1])[::-1]
    for number in range(1, len(stack) - 1):
        around = float(min(below[number - 1], above[number + 1]))
        constant = float(stack[number].shares.max()) == 1.0
        if around >= (0.01 if constant else 0.05) and solid[number] < 0.25 * around:
            seen = f"{100 * solid[number]:.0f} % tissue, at least {100 * around:.0f} % on both sides"
            raise Refused("slice-jump", f"slice {number + 1} {of}: {seen}")


def _unlike(one: Levels, other: Levels) -> str:
    """How the levels of two neighbours differ as no two slices of a head do; empty if they do not.

    Most of their shares overlap: 0.9 of them at a distance of 5 mm, 0.75 at 15 mm.
    """
    step, most = round(_OFFSET / _BIN), max(one.shares.sum(), other.shares.sum(), 0.5)
    alike = float(np.minimum(one.shares, other.shares).sum())
    higher = float(np.minimum(one.shares[:-step], other.shares[step:]).sum())
    lower = float(np.minimum(one.shares[step:], other.shares[:-step]).sum())
    if max(higher, lower) > alike + 0.1:
        return f"levels {_OFFSET if higher > lower else -_OFFSET:+.0f} HU apart"
    # Bone in the corners, from a field smaller than the head, changes little else and is never so dense.
    dense = max(one.outside, other.outside) > _DENSE_BONE
    if (dense or alike < 0.7 * most) and abs(one.outside - other.outside) > 150:
        return f"air at {one.outside:.0f} and {other.outside:.0f} HU"
    return f"only {100 * alike / most:.0f} % alike" if alike < 0.5 * most else ""
