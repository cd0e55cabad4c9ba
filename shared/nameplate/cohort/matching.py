"""Matching exams across the levels of the factor, on age, sex and further fields."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np

from nameplate.campaign.cohort import MatchSettings


class Matchable(Protocol):
    """An exam, before or after it has become a member of a cohort."""

    @property
    def age(self) -> float | None:
        """Years."""

    @property
    def sex(self) -> str | None:
        """As recorded."""


E = TypeVar("E", bound=Matchable)


def _nothing(exam: object) -> Hashable:  # noqa: ARG001
    """All exams agree."""
    return None


def match(
    exams_by_level: Mapping[str, Sequence[E]],
    settings: MatchSettings,
    same: Callable[[E], Hashable] = _nothing,
) -> list[tuple[E, ...]]:
    """Groups of exams, one of each level, that agree in ``same``, in sex, and in age within the caliper.

    The level with the fewest exams is the reference; each other level is matched to it one to one,
    with the most pairs first, then the smallest sum of age differences. A reference exam that lacks a
    partner in any level is left out. Exams must have an age, and a sex if that is matched. Every group
    is in the order of the mapping's levels.
    """
    levels = list(exams_by_level)
    reference = min(levels, key=lambda level: (len(exams_by_level[level]), levels.index(level)))
    anchors = exams_by_level[reference]
    partners: dict[str, dict[int, E]] = {}
    for level in levels:
        if level != reference:
            partners[level] = _pairs(anchors, exams_by_level[level], settings, same)
    groups = []
    for n, anchor in enumerate(anchors):
        if all(n in partner_of for partner_of in partners.values()):
            groups.append(tuple(anchor if level == reference else partners[level][n] for level in levels))
    return groups


def _pairs(
    anchors: Sequence[E], others: Sequence[E], settings: MatchSettings, same: Callable[[E], Hashable]
) -> dict[int, E]:
    """The partner of each anchor that has one, by the anchor's position."""
    if not anchors or not others:
        return {}
    ages = np.array([exam.age for exam in anchors], dtype=float)
    other_ages = np.array([exam.age for exam in others], dtype=float)
    cost = np.abs(ages[:, None] - other_ages[None, :])
    allowed = cost <= settings.age_years
    if settings.sex:
        sexes = np.array([exam.sex for exam in anchors])
        allowed &= sexes[:, None] == np.array([exam.sex for exam in others])[None, :]
    kinds: dict[Hashable, int] = {}
    ours, theirs = (
        np.array([kinds.setdefault(same(exam), len(kinds)) for exam in exams]) for exams in (anchors, others)
    )
    allowed &= ours[:, None] == theirs[None, :]
    # Higher than any sum of allowed differences, so that as many pairs as possible come first.
    forbidden = settings.age_years * (min(len(anchors), len(others)) + 1)
    from scipy.optimize import linear_sum_assignment  # here: the import takes a second

    rows, columns = linear_sum_assignment(np.where(allowed, cost, forbidden))
    return {int(r): others[int(c)] for r, c in zip(rows, columns, strict=True) if allowed[r, c]}
