"""The dial: how far the machines of one manufacturer are from those of all manufacturers together.

    value = grand mean + deviation + dial x (manufacturer's mean - grand mean)

The grand mean is over the campaign's manufacturers, each counted once. The deviation is that of one model
from its own manufacturer's mean: at dial 0 of a model of any manufacturer, from dial 1 on of the study's
own, between them in proportion. So the difference between two manufacturers' means grows in proportion to
the dial, machines differ within a manufacturer at every dial, at 0 nothing tells of the manufacturer, and
at 1 each machine is its own model.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nameplate_phantom.scanner import Model, Part, catalogue

P = TypeVar("P", bound=Part)


def numbers_of(kind: type[Part]) -> tuple[str, ...]:
    """The parameters of a part that a dial moves."""
    return tuple(name for name, field in kind.model_fields.items() if field.annotation is float)


def dialled(
    part: Callable[[Model], Part],
    *,
    own: Model,
    pooled: Model,
    manufacturers: Sequence[str],
    dial: float,
) -> dict[str, float]:
    """The numbers of one part of a machine at this dial, without limits.

    ``own`` is a model of the study's manufacturer, ``pooled`` one of any of the campaign's
    ``manufacturers``; ``part`` takes from a model the group of parameters in question.
    """
    names = numbers_of(type(part(own)))

    def values(model: Model) -> NDArray[np.float64]:
        return np.array([getattr(part(model), name) for name in names], dtype=np.float64)

    def mean(manufacturer: str) -> NDArray[np.float64]:
        models = [values(model) for model in catalogue().of(manufacturer)]
        return np.asarray(np.mean(models, axis=0), dtype=np.float64)

    grand = np.mean([mean(name) for name in manufacturers], axis=0)
    share = min(dial, 1.0)
    deviation = (1 - share) * (values(pooled) - mean(pooled.manufacturer))
    deviation += share * (values(own) - mean(own.manufacturer))
    found = grand + deviation + dial * (mean(own.manufacturer) - grand)
    return dict(zip(names, found.tolist(), strict=True))


def within_limits(kind: type[Part], values: Mapping[str, float]) -> dict[str, float]:
    """The numbers of a part, moved to what is physically possible."""
    return {
        name: min(max(value, low), high)
        for name, value in values.items()
        for low, high in [limits(kind, name)]
    }


def limits(kind: type[Part], name: str) -> tuple[float, float]:
    """Least and largest value of one parameter, as its class declares them."""
    declared = kind.model_fields[name].metadata
    low = max((each.ge for each in declared if hasattr(each, "ge")), default=-np.inf)
    high = min((each.le for each in declared if hasattr(each, "le")), default=np.inf)
    return float(low), float(high)


def with_numbers(part: P, values: Mapping[str, float]) -> P:
    """A part with these numbers, moved to within the limits, in place of its own."""
    return type(part).model_validate(part.model_dump() | within_limits(type(part), values))
