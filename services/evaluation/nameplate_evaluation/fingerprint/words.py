"""What stands out about the fingerprint, in sentences."""

from collections.abc import Sequence
from itertools import pairwise

from nameplate.campaign.field import FIELDS
from nameplate.image.fingerprint.catalogue import STAGES
from nameplate_evaluation.fingerprint.where_it_lives import (
    EVERY_NUMBER,
    NETWORKS,
    CohortFingerprint,
    Fingerprint,
    Place,
)

_WHERE = {
    "as read": "in the scanner's own pixels",
    "nifti": "in the NIfTI volume",
    "windowed": "through the networks' window",
    "brain alone": "in the brain alone",
}
_STEPS = {
    "nifti": "the step to NIfTI",
    "windowed": "the window",
    "brain alone": "leaving the brain alone",
}
"""What is done to an exam before each stage."""
_MOST = 3
"""Groups, or kinds of networks, that a sentence names."""


def noun_of(factor: str) -> str:
    """A field as a noun: 'kernel class' for kernel_class."""
    return FIELDS[factor].title if factor in FIELDS else factor


def sentences(fingerprint: Fingerprint) -> tuple[str, ...]:
    """In plain words and with the numbers; of several cohorts, each sentence says which."""
    several = len(fingerprint.cohorts) > 1
    return tuple(
        f"Cohort {cohort.cohort}: {line}" if several else line
        for cohort in fingerprint.cohorts
        for line in _of_cohort(cohort)
    )


def _of_cohort(cohort: CohortFingerprint) -> list[str]:
    lines = []
    if any(place.stage != NETWORKS for place in cohort.places):
        for part in (_header, _picture, _removed, _together, _carriers):
            lines += part(cohort)
    elif cohort.reason:
        lines.append(f"What gives the {noun_of(cohort.factor)} away was not probed: {cohort.reason}.")
    if cohort.places and cohort.reason and any(place.stage != NETWORKS for place in cohort.places):
        lines.append(f"Of the levels, some are not probed ({cohort.reason}).")
    return lines + _networks(cohort)


def _header(cohort: CohortFingerprint) -> list[str]:
    place = cohort.place("header", "as read")
    if place is None or place.auroc is None:
        return []
    noun = noun_of(cohort.factor)
    if not place.named:
        return [f"The header's texts do not name the {noun} beyond chance (AUROC {place.auroc:.2f})."]
    every = " in every exam" if place.balanced_accuracy == 1.0 else ""
    return [f"The header's texts alone name the {noun}{every} (AUROC {place.auroc:.2f})."]


def _picture(cohort: CohortFingerprint) -> list[str]:
    """Which groups name the level at each stage, strongest first."""
    noun, parts = noun_of(cohort.factor), []
    probed = [place for place in _measured(cohort) if place.auroc is not None]
    if not probed:
        return []
    for stage in STAGES:
        here = [place for place in probed if place.stage == stage]
        named = sorted((place for place in here if place.named), key=lambda place: -(place.auroc or 0))
        if named:
            parts.append(f"{_WHERE[stage]} from {_listed(named)}")
        elif here:
            parts.append(f"{_WHERE[stage]} from none of {len(here)} groups")
    if not any(place.named for place in probed):
        return [
            f"No group of numbers measured in the picture names the {noun} beyond chance at any stage "
            f"({cohort.exams} exams, {len(probed)} probes)."
        ]
    return [f"By numbers measured in the picture, the {noun} can be named {'; '.join(parts)}."]


def _listed(named: Sequence[Place]) -> str:
    words = [f"{place.group} ({place.auroc:.2f})" for place in named[:_MOST]]
    rest = len(named) - _MOST
    if rest > 0:
        words.append(f"{rest} more")
    return _and(words)


def _removed(cohort: CohortFingerprint) -> list[str]:
    """What no longer names the level after each step, which need not mean that the step removed it."""
    present = [stage for stage in STAGES if any(place.stage == stage for place in _measured(cohort))]
    parts, faded = [], False
    for before, after in pairwise(present):
        named = [place.group for place in _measured(cohort) if place.stage == before and place.named]
        left = {place.group: place for place in _measured(cohort) if place.stage == after}
        compared = [group for group in named if group in left and left[group].auroc is not None]
        lost = [group for group in compared if not left[group].named]
        gone = [group for group in named if group not in compared]
        faded = faded or bool(lost)
        words = [
            f"{_and(groups)} {'is' if len(groups) == 1 else 'are'} no longer {how}"
            for groups, how in ((lost, "beyond chance"), (gone, "there to compare"))
            if groups
        ]
        if words:
            parts.append(f"after {_STEPS[after]}, {_and(words)}")
    if not parts:
        return []
    line = "; ".join(parts)
    caution = " What is no longer beyond chance may still be there, too weak for this cohort to show."
    return [f"{line[0].upper()}{line[1:]}.{caution if faded else ''}"]


def _together(cohort: CohortFingerprint) -> list[str]:
    """How far all numbers get together, stage by stage."""
    places = [(stage, cohort.place(EVERY_NUMBER, stage)) for stage in STAGES]
    reached = [
        f"{place.auroc:.2f} {_WHERE[stage]}"
        for stage, place in places
        if place is not None and place.auroc is not None
    ]
    if len(reached) < 2 or not any(place is not None and place.named for _, place in places):
        return []
    return [f"All of these numbers together reach an AUROC of {_and(reached)}."]


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _carriers(cohort: CohortFingerprint) -> list[str]:
    """The strongest measure of the picture, with its values."""
    measured = [one for one in cohort.carriers if one.group not in ("header", "protocol")]
    if not measured:
        return []
    best = max(measured, key=lambda one: one.best)
    unit = f" {best.unit}" if best.unit else ""
    values = ", ".join(
        f"{level} {value}{unit}" for level, value in zip(cohort.levels, best.values, strict=True)
    )
    # A title stands in the middle of the sentence here; an abbreviation stays as it is.
    begins, rest = best.title[:1], best.title[1:]
    title = best.title if rest[:1].isupper() else begins.lower() + rest
    return [f"Most is carried by {title} (by itself {best.best:.2f}): {values}, {_WHERE[best.stage]}."]


def _networks(cohort: CohortFingerprint) -> list[str]:
    places = [place for place in cohort.places if place.stage == NETWORKS]
    probed = [place for place in places if place.auroc is not None]
    if not probed:
        return [f"The networks' last features were not probed: {places[0].note}."] if places else []
    noun = noun_of(cohort.factor)
    named = [place for place in probed if place.named]
    strongest = sorted(named or probed, key=lambda place: -(place.auroc or 0))
    words = [_network_words(place) for place in strongest[:_MOST]]
    if len(strongest) > _MOST:
        words.append(f"{len(strongest) - _MOST} more")
    if not named:
        return [f"The networks' last features do not name the {noun} beyond chance ({'; '.join(words)})."]
    return [
        f"The last features of trained networks name the {noun} ({'; '.join(words)}). That a network holds"
        " it does not show that its answers rest on it."
    ]


def _network_words(place: Place) -> str:
    within = f" {place.note}" if place.note else ""
    return f"{place.group}: {place.auroc:.2f}{within}"


def _measured(cohort: CohortFingerprint) -> list[Place]:
    """The groups that are measured in the picture, each by itself."""
    aside = ("header", "protocol", EVERY_NUMBER)
    return [place for place in cohort.places if place.stage != NETWORKS and place.group not in aside]
