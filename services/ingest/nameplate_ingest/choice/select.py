"""Which series of an exam to use: the campaign's rules, applied to facts (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nameplate.campaign.ingest import SeriesRules
from nameplate_ingest.choice.facts import Facts
from nameplate_ingest.choice.witnesses import Opinion, compiled
from nameplate_ingest.fields.kernel import kernel_class

_MOST_GROWTH = 1.75
"""A gantry tilt of 30 degrees over a whole head stays below it; scattered slices do not."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say about a series; ``rule`` is '' if it may be used."""

    rule: str
    seen: str
    doubtful: bool = False
    """The witnesses disagree, or one is not sure: to be looked at by a person."""


def apply_rules(facts: Facts, told: Iterable[Opinion], rules: SeriesRules) -> Verdict:
    """The first witness or rule that refuses the series, with what it saw; then the first that doubts."""
    witnesses = list(told)
    for one in witnesses:
        if one.says == "refuses":
            return Verdict(one.rule, one.seen)
    refused = _geometry(facts, rules)
    if refused.rule:
        return refused
    if rules.bone_kernel == "refuse" and is_bone(facts.kernel, rules):
        return Verdict("bone-kernel", "matches a bone kernel")
    for one in witnesses:
        if one.says == "doubts":
            return Verdict(one.rule, one.seen, doubtful=True)
    return Verdict("", "")


def _geometry(facts: Facts, rules: SeriesRules) -> Verdict:
    if facts.slices < rules.slices:
        return Verdict("slices", f"{facts.slices} of at least {rules.slices}")
    if facts.axial_degrees > rules.axial_degrees:
        return Verdict("orientation", f"{facts.axial_degrees:.1f} degrees from axial")
    if facts.duplicates:
        return Verdict("duplicate-position", f"{facts.duplicates} of {facts.slices} slices")
    if facts.stray_gaps:
        return Verdict("two-passes", f"{facts.stray_gaps} gaps that one pass does not leave")
    if facts.hole:
        gap, expected = facts.hole
        return Verdict("missing-slice", f"gap {gap:.2f} mm where {expected:.2f} mm is expected")
    if facts.thickest_mm > rules.thickest_mm:
        return Verdict("thickness", f"{facts.thickest_mm:g} mm")
    if facts.widest_gap_mm > rules.thickest_mm:
        return Verdict("gap", f"{facts.widest_gap_mm:.2f} mm between slices")
    if facts.growth > _MOST_GROWTH:
        return Verdict("scattered", f"slices cover {facts.growth:.1f} times the field of one")
    return Verdict("", "")


def is_bone(kernel: str, rules: SeriesRules) -> bool:
    """Whether the convolution kernel is a bone kernel: by the campaign's patterns, or a known sharp one."""
    if any(compiled(pattern).search(kernel.strip()) for pattern in rules.bone_kernels):
        return True
    return kernel_class(kernel) == "sharp"


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
    description = facts.says[0].series
    preferred = sum(bool(compiled(p).search(description)) for p in rules.prefer_description)
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
