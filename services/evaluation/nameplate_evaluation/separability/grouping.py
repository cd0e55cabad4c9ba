"""A field's values as a few groups that can be compared within, or matched on."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from nameplate.campaign.factor import FieldLevels
from nameplate.campaign.field import Field, Value

MOST_TEXTS = 20
"""A text with more values has nothing in common with a class."""


def grouping(field: Field, values: Sequence[Value], parts: int) -> FieldLevels | None:
    """Groups of the known values: a text's own, or a number's, cut into about ``parts`` of equal size.

    Cuts are round numbers; where there are no more different numbers than ``parts``, they are halfway
    between these. None where there would be one group only, or more texts than a class has.
    """
    if field.kind == "text":
        different = {value for value in values if value is not None}
        return FieldLevels(name=field.name) if 1 < len(different) <= MOST_TEXTS else None
    numbers = np.sort([value for value in values if isinstance(value, float)])
    cuts = _cuts(numbers.tolist(), parts)
    return FieldLevels(name=field.name, bins=cuts) if cuts else None


def _cuts(numbers: Sequence[float], parts: int) -> tuple[float, ...]:
    different = sorted(set(numbers))
    if len(different) < 2:
        return ()
    if len(different) <= parts:
        return _plain((low + high) / 2 for low, high in pairwise(different))
    wanted = np.quantile(numbers, np.arange(1, parts) / parts)
    low, high = np.quantile(numbers, [0.05, 0.95]) if len(numbers) > 20 else (different[0], different[-1])
    spread = float(high - low) or different[-1] - different[0]
    step = 10.0 ** math.floor(math.log10(spread / parts)) / 2
    rounded = _plain(round(float(cut) / step) * step for cut in wanted)
    # A cut below all values, or above them, makes an empty group.
    return tuple(cut for cut in rounded if different[0] < cut <= different[-1])


def _plain(cuts: Iterable[float]) -> tuple[float, ...]:
    """Ascending and different, without the digits that rounding leaves."""
    return tuple(sorted({float(f"{cut:.6g}") for cut in cuts}))
