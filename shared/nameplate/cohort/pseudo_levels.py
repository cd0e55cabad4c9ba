"""Pseudo-levels: the members of a cohort with their levels exchanged, for a control without a difference.

The names of the pseudo-levels are those of the levels, but each is made of all levels in equal parts: what
a network finds in them is chance, or an error of the method.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from nameplate.campaign.cohort import MatchSettings
from nameplate.cohort.matching import match
from nameplate.cohort.split import SPLITS
from nameplate.steps.cohort import CohortJob, Member
from nameplate.streams import stream

Group = tuple[Member, ...]
"""Members of one split and label, one of each level in the factor's order, that exchange their levels."""

Own = tuple[int | None, int | None]
"""The user's label, and whether the user's mask shows anything; None for what the cohort does not have."""

ANY_AGE = 100.0
"""A caliper in years that leaves nobody out."""


def with_pseudo_levels(members: Sequence[Member], job: CohortJob) -> tuple[Member, ...]:
    """The same members, each with a pseudo-level in place of its level; the order does not matter.

    A label is whether there is a sphere, and what there is of the user's own: the label, and whether the mask
    shows anything. Members of one split and label form groups, one member of each level. Within a group the
    levels are rotated: by no step, by one, ... The groups of a split and label come in an order drawn by
    chance and take the rotations in turn, so that in each split and label every level is divided among the
    pseudo-levels evenly (to within 1). Members without a group, of a level that has more of them, fill up
    the pseudo-levels that have fewest of their level.
    """
    levels = job.factor.levels
    turn = int(stream(job.seed, "cohort", job.cohort, "pseudo-levels").integers(len(levels)))
    chosen: dict[str, str] = {}
    ordered = sorted(members, key=lambda member: member.exam)
    for split in SPLITS:
        for label, own in product((True, False), _labels(members)):
            kind = (split, label, own)
            part = [member for member in ordered if (member.split, member.positive, _own(member)) == kind]
            by_level = {level: [member for member in part if member.level == level] for level in levels}
            names = (split, int(label), *(value for value in own if value is not None))
            rng = stream(job.seed, "cohort", job.cohort, "pseudo-levels", *names)
            groups = _groups(by_level, rng, job)
            for n in rng.permutation(len(groups)):
                for place, member in enumerate(groups[int(n)]):
                    chosen[member.exam] = levels[(place + turn) % len(levels)]
                # Not begun anew in each part: what is uneven in one is made up for in the next.
                turn += 1
            _add_rest(part, chosen, levels, turn)
    return tuple(member.model_copy(update={"level": chosen[member.exam]}) for member in ordered)


def _own(member: Member) -> Own:
    return member.label, member.outlined


def _labels(members: Sequence[Member]) -> list[Own]:
    """What the members have of the user's own: nothing alone where they have none."""
    return sorted({_own(member) for member in members}, key=str)


def _groups(
    by_level: Mapping[str, Sequence[Member]], rng: np.random.Generator, job: CohortJob
) -> list[Group]:
    """Twins; in a matched cohort the nearest in age, as far as possible of the same sex and alike in the
    fields that were matched; else by chance."""
    if job.twins:
        patients = ({member.patient: member for member in rows} for rows in by_level.values())
        first, *others = patients
        return [(first[key], *(rows[key] for rows in others)) for key in first]
    if job.match is None:
        mixed = ([rows[int(n)] for n in rng.permutation(len(rows))] for rows in by_level.values())
        return list(zip(*mixed, strict=False))
    groups: list[Group] = []
    left = by_level
    for sex, same in ((True, _same), (False, _same), (True, _any), (False, _any)):
        groups += match(left, MatchSettings(age_years=ANY_AGE, sex=sex), same)
        taken = {member.exam for group in groups for member in group}
        left = {level: [m for m in rows if m.exam not in taken] for level, rows in by_level.items()}
    return groups


def _same(member: Member) -> tuple[str, ...]:
    return member.same


def _any(member: Member) -> tuple[str, ...]:  # noqa: ARG001
    return ()


def _add_rest(part: Sequence[Member], chosen: dict[str, str], levels: Sequence[str], turn: int) -> None:
    """Give a pseudo-level to each member of a split and label that has none yet."""
    left = {level: [m for m in part if m.level == level and m.exam not in chosen] for level in levels}
    everywhere = Counter(chosen.values())
    in_part = Counter(chosen[member.exam] for member in part if member.exam in chosen)
    of_level = Counter((member.level, chosen[member.exam]) for member in part if member.exam in chosen)

    def urgency(level: str) -> tuple[int, int]:
        counts = [of_level[level, pseudo] for pseudo in levels]
        return counts.count(min(counts)), -len(left[level])

    def crowd(level: str, pseudo: str) -> tuple[int, int, int, int]:
        after = (levels.index(pseudo) - turn) % len(levels)
        return of_level[level, pseudo], in_part[pseudo], everywhere[pseudo], after

    while waiting := [level for level in levels if left[level]]:
        # The one with the least choice first: the others can make up for it.
        level = min(waiting, key=urgency)
        _, pseudo = min((crowd(level, pseudo), pseudo) for pseudo in levels)
        chosen[left[level].pop(0).exam] = pseudo
        everywhere[pseudo] += 1
        in_part[pseudo] += 1
        of_level[level, pseudo] += 1
