"""Which series of an exam to use: the campaign's rules, applied to facts (pure)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from nameplate.campaign.ingest import SeriesRules

_MOST_GROWTH = 1.75
"""A gantry tilt of 30 degrees over a whole head stays below it; scattered slices do not."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at in one series."""

    uid: str
    """Only breaks the last tie; it never appears in a verdict."""
    description: str
    kernel: str
    contrast: bool
    slices: int
    thickness_mm: float
    """The commonest slice thickness (of equally common ones the largest)."""
    thickest_mm: float
    coverage_mm: float
    axial_degrees: float
    widest_gap_mm: float
    growth: float
    """Side of the square that contains the straightened stack, over the longer side of a slice."""
    duplicates: int
    """Slices at the position of another slice."""
    hole: tuple[float, float] | None
    """Widest gap where a slice is missing, and the gap expected there, in mm."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say about a series; ``rule`` is '' if it may be used."""

    rule: str
    seen: str


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def apply_rules(facts: Facts, rules: SeriesRules) -> Verdict:
    """The first rule that refuses the series, with the value it saw."""
    for number, pattern in enumerate(rules.refuse_description, start=1):
        if _pattern(pattern).search(facts.description):
            return Verdict("description", f"matches pattern {number}")
    if facts.contrast:
        return Verdict("contrast", "a contrast agent is named")
    if facts.slices < rules.slices:
        return Verdict("slices", f"{facts.slices} of at least {rules.slices}")
    if facts.axial_degrees > rules.axial_degrees:
        return Verdict("orientation", f"{facts.axial_degrees:.1f} degrees from axial")
    if facts.duplicates:
        return Verdict("duplicate-position", f"{facts.duplicates} of {facts.slices} slices")
    if facts.hole:
        gap, expected = facts.hole
        return Verdict("missing-slice", f"gap {gap:.2f} mm where {expected:.2f} mm is expected")
    if facts.thickest_mm > rules.thickest_mm:
        return Verdict("thickness", f"{facts.thickest_mm:g} mm")
    if facts.widest_gap_mm > rules.thickest_mm:
        return Verdict("gap", f"{facts.widest_gap_mm:.2f} mm between slices")
    if facts.growth > _MOST_GROWTH:
        return Verdict("scattered", f"slices cover {facts.growth:.1f} times the field of one")
    if facts.coverage_mm < rules.coverage_mm:
        return Verdict("coverage", f"{facts.coverage_mm:.1f} mm of at least {rules.coverage_mm:g} mm")
    if rules.bone_kernel == "refuse" and is_bone(facts.kernel, rules):
        return Verdict("bone-kernel", "matches a bone kernel")
    return Verdict("", "")


def is_bone(kernel: str, rules: SeriesRules) -> bool:
    """Whether the convolution kernel is a bone kernel."""
    return any(_pattern(pattern).search(kernel.strip()) for pattern in rules.bone_kernels)


def rank(candidates: Sequence[Facts], rules: SeriesRules) -> list[tuple[int, str]]:
    """Positions of usable series, best first, each with why it is behind the best one.

    Order: soft kernel before bone; the wanted thickness, then the thickest below it, then the
    thinnest above; more preferred words; more coverage; more slices; and finally the UID, so that the
    order never depends on file names.
    """
    keys = [_key(facts, rules) for facts in candidates]
    order = sorted(range(len(candidates)), key=lambda position: keys[position])
    ranked = []
    for place, position in enumerate(order):
        reason = ""
        if place:
            reason = _difference(candidates[position], candidates[order[0]], keys[position], keys[order[0]])
        ranked.append((position, reason))
    return ranked


_Key = tuple[bool, int, float, int, float, int, str]


def _key(facts: Facts, rules: SeriesRules) -> _Key:
    off = facts.thickness_mm - rules.thickness_mm
    if abs(off) <= rules.thickness_tolerance_mm + 1e-9:
        group, distance = 0, 0.0
    else:
        group, distance = (1, -off) if off < 0 else (2, off)
    preferred = sum(bool(_pattern(p).search(facts.description)) for p in rules.prefer_description)
    coverage = round(facts.coverage_mm, 1)
    return is_bone(facts.kernel, rules), group, distance, -preferred, -coverage, -facts.slices, facts.uid


def _difference(facts: Facts, best: Facts, key: _Key, best_key: _Key) -> str:
    """The first difference of the two keys, in words and numbers."""
    first = next((i for i, (own, best_) in enumerate(zip(key, best_key, strict=True)) if own != best_), 6)
    return (
        "bone kernel against a soft one",
        f"thickness {facts.thickness_mm:g} mm against {best.thickness_mm:g} mm",
        f"thickness {facts.thickness_mm:g} mm against {best.thickness_mm:g} mm",
        f"{-key[3]} preferred patterns against {-best_key[3]}",
        f"coverage {facts.coverage_mm:.1f} mm against {best.coverage_mm:.1f} mm",
        f"{facts.slices} slices against {best.slices}",
        "equal to the chosen one in every rule",
    )[first]
