"""The cohort: which exams take part, in which split, and which of them get a sphere."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nameplate.campaign.factor import FieldLevels
from nameplate.cohort.labels import check_classes, check_values, label_refusal, stratum
from nameplate.cohort.matching import match
from nameplate.cohort.split import SPLITS, divide, least_exams, positive_counts
from nameplate.cohort.targets import (
    Targets,
    check_outlined,
    check_targets,
    outlined,
    target_refusal,
)
from nameplate.cohort.twins import lone_twins, twin_sets
from nameplate.errors import CohortError
from nameplate.records import Split
from nameplate.steps.cohort import CohortJob, Member, Refusal
from nameplate.steps.ingest import Exam
from nameplate.steps.skullstrip import MaskReport
from nameplate.streams import stream

log = logging.getLogger(__name__)

_MOST_COUNTED = 12
"""Values of the factor that an error counts: a number may have as many as there are exams."""


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """The exams that take part, in order, and those that do not, with the reason."""

    members: tuple[Member, ...]
    refusals: tuple[Refusal, ...]


def make_cohort(
    exams: Sequence[Exam],
    masks: Mapping[str, MaskReport],
    job: CohortJob,
    targets: Targets | None = None,
) -> Cohort:
    """Choose, match, split and label; the order of ``exams`` does not matter.

    ``masks`` are of the brain; ``targets`` are the user's own, where networks learn those.

    Every exam becomes a member or a refusal. All exams of a patient are in one split. So are exams that
    were matched, unless other exams and matches of their patients would tie so many together that the
    split could not keep its shares. Twins are matched with each other, and are positive and changed
    together. Raises CohortError when there are no exams, when a level of the factor has none, or when a
    split would lack positives or negatives of a level, of spheres or of the user's own labels, or masks that
    show something.
    """
    if not exams:
        raise CohortError(f"cohorts.{job.cohort}: no usable exam came out of the ingest; its ledger says why")
    check_values(exams, job)
    check_targets(exams, targets, job.cohort)
    refused: dict[str, str] = {}
    usable: dict[str, list[Exam]] = {level: [] for level in job.factor.levels}
    for exam in sorted(exams, key=lambda exam: exam.exam):
        reason = _refusal(exam, masks.get(exam.exam), job, targets)
        if reason is None:
            usable[job.factor.described(exam)].append(exam)
        else:
            refused[exam.exam] = reason
    if job.twins:
        lone = lone_twins(usable, () if job.match is None else job.match.same)
        refused |= lone
        usable = {level: [exam for exam in rows if exam.exam not in lone] for level, rows in usable.items()}
    _check_levels(exams, usable, refused, job)
    groups = _groups(usable, refused, job)
    splits = _split(groups, job, targets)
    members = _label(splits, job)
    if targets is not None:
        shown = {exam.exam: outlined(exam, targets) for exam, _ in splits}
        members = [member.model_copy(update={"outlined": shown[member.exam]}) for member in members]
    _check_labels(members, job)
    check_outlined(members, targets, job.factor.levels, job.cohort)
    return Cohort(
        members=tuple(sorted(members, key=lambda member: member.exam)),
        refusals=tuple(
            Refusal(
                exam=exam.exam,
                step=_step_of(exam, refused[exam.exam], job, targets),
                reason=refused[exam.exam],
            )
            for exam in sorted(exams, key=lambda exam: exam.exam)
            if exam.exam in refused
        ),
    )


def _step_of(exam: Exam, reason: str, job: CohortJob, targets: Targets | None) -> str:
    """What left an exam out. The user may have forgotten a label or a mask: these are not left out by design,
    as what finds no partner is."""
    if reason == label_refusal(exam, job):
        return "labels"
    return "masks" if reason == target_refusal(exam, targets) else "cohort"


def _refusal(exam: Exam, mask: MaskReport | None, job: CohortJob, targets: Targets | None) -> str | None:
    """Why an exam cannot take part, or None."""
    if job.factor.level_of(exam) is None:
        return _without_level(job.factor, exam)
    if (unlabelled := label_refusal(exam, job)) is not None:
        return unlabelled
    if (untaught := target_refusal(exam, targets)) is not None:
        return untaught
    if mask is None:
        return "no brain mask"
    if not mask.usable:
        return f"brain mask refused: {', '.join(mask.flags) or 'not usable'}"
    if job.match is not None and exam.age is None:
        return "age unknown, cannot be matched"
    if job.match is not None and job.match.sex and exam.sex is None:
        return "sex unknown, cannot be matched"
    for field in () if job.match is None else job.match.same:
        if field.level_of(exam) is None:
            return f"{_without_level(field, exam)}, cannot be matched"
    return None


def _without_level(field: FieldLevels, exam: Exam) -> str:
    """Why an exam has no level."""
    if exam.value_of(field.name) is None:
        return f"{field.noun} unknown"
    return f"{field.noun} is none of {', '.join(field.levels)}"


def _check_levels(
    exams: Sequence[Exam], usable: Mapping[str, Sequence[Exam]], refused: Mapping[str, str], job: CohortJob
) -> None:
    missing = [level for level, rows in usable.items() if not rows]
    if not missing:
        return
    counts = Counter(job.factor.described(exam) for exam in exams)
    commonest = sorted(counts.most_common(_MOST_COUNTED))
    seen = ", ".join(f"{level}: {count}" for level, count in commonest)
    if (rest := counts.total() - sum(count for _, count in commonest)) > 0:
        seen += f", others: {rest}"
    reasons = Counter(
        refused[exam.exam] for exam in exams if job.factor.level_of(exam) in missing
    ).most_common(1)
    because = "".join(f"; {reason} ({count} exams)" for reason, count in reasons)
    raise CohortError(
        f"cohorts.{job.cohort}: no usable exam of {job.factor.noun} {' and '.join(missing)}; "
        f"the campaign compares {' and '.join(job.factor.levels)}, the exams are of {seen}{because}"
    )


def _same(exam: Exam, job: CohortJob) -> tuple[str, ...]:
    """The exam's levels of the fields in which matched exams agree."""
    return () if job.match is None else tuple(field.described(exam) for field in job.match.same)


def _groups(
    usable: Mapping[str, list[Exam]], refused: dict[str, str], job: CohortJob
) -> list[tuple[Exam, ...]]:
    """Groups of matched exams, or of twins; groups of one without either."""
    if job.match is None:
        return twin_sets(usable) if job.twins else [(exam,) for rows in usable.values() for exam in rows]
    groups = twin_sets(usable) if job.twins else match(usable, job.match, lambda exam: _same(exam, job))
    wanted = job.match.exams_per_level
    if wanted is not None and len(groups) > wanted:
        order = stream(job.seed, "cohort", job.cohort, "exams per level").permutation(len(groups))
        for n in order[wanted:]:
            for exam in groups[int(n)]:
                refused[exam.exam] = f"more exams than the {wanted} of each level that are wanted"
        groups = [groups[int(n)] for n in sorted(order[:wanted])]
    elif wanted is not None and len(groups) < wanted:
        log.warning("cohort %s: %d exams of each level match, %d are wanted", job.cohort, len(groups), wanted)
    matched = {exam.exam for group in groups for exam in group}
    criteria = ", ".join([*(["sex"] if job.match.sex else []), *(field.noun for field in job.match.same)])
    criteria = f"{criteria} and " if criteria else ""
    for rows in usable.values():
        for exam in rows:
            if exam.exam not in matched and exam.exam not in refused:
                refused[exam.exam] = (
                    f"no partner of the other level with the same {criteria}age within "
                    f"{job.match.age_years:g} years"
                )
    return groups


def _split(
    groups: Sequence[tuple[Exam, ...]], job: CohortJob, targets: Targets | None
) -> list[tuple[Exam, Split]]:
    """Give every exam its split; a patient's exams stay together, matched exams if possible."""
    exams = sum(map(len, groups))
    smallest = min(job.split.train, job.split.val, job.split.test) * exams
    # With four blocks or more, the smallest split can come near its share.
    blocks = _blocks(groups, max(len(job.factor.levels), int(smallest) // 4))
    strata = [
        dict(sorted(Counter(stratum(exam, job, outlined(exam, targets)) for exam in block).items()))
        for block in blocks
    ]
    chosen = divide(strata, job.split, stream(job.seed, "cohort", job.cohort, "split"))
    placed = [(exam, split) for block, split in zip(blocks, chosen, strict=True) for exam in block]
    home: dict[str, Split] = {}
    for exam, split in placed:
        # This promise must never break: a patient in two splits would flatter every number.
        if home.setdefault(exam.patient, split) != split:
            raise AssertionError("a patient is in two splits")
    return placed


def _blocks(groups: Sequence[tuple[Exam, ...]], most: int) -> list[list[Exam]]:
    """Exams that stay together: a patient's always, matched ones up to ``most`` exams per block."""
    exams = sorted((exam for group in groups for exam in group), key=lambda exam: exam.exam)
    block_of: dict[str, list[Exam]] = {}
    for exam in exams:
        block_of.setdefault(exam.patient, []).append(exam)
    for group in groups:
        for exam, partner in pairwise(group):
            kept, joined = block_of[exam.patient], block_of[partner.patient]
            if kept is not joined and len(kept) + len(joined) <= most:
                kept += joined
                block_of.update(dict.fromkeys((member.patient for member in joined), kept))
    unique = {id(block): block for block in block_of.values()}
    blocks = [sorted(block, key=lambda exam: exam.exam) for block in unique.values()]
    return sorted(blocks, key=lambda block: block[0].exam)


def _label(placed: Sequence[tuple[Exam, Split]], job: CohortJob) -> list[Member]:
    """Draw the positives of every split and level, and the order in which difficulties change them."""
    if job.twins:
        # A set has one exam of each level: drawn once for all levels, the numbers are right for each.
        return _draw(placed, "twins", job)
    members = []
    for level in job.factor.levels:
        of_level = [(exam, split) for exam, split in placed if job.factor.level_of(exam) == level]
        members += _draw(of_level, level, job)
    return members


def _draw(placed: Sequence[tuple[Exam, Split]], name: str, job: CohortJob) -> list[Member]:
    """Members, drawn by the streams of this name; twins get the same label and rank."""
    parts: dict[Split, dict[str, list[Exam]]] = {split: {} for split in SPLITS}
    for exam, split in sorted(placed, key=lambda item: item[0].exam):
        parts[split].setdefault(exam.patient if job.twins else exam.exam, []).append(exam)
    counts = positive_counts([len(part) for part in parts.values()], job.positives)
    members = []
    for (split, part), positives in zip(parts.items(), counts, strict=True):
        rows = list(part.values())
        order = stream(job.seed, "cohort", job.cohort, "label", name, split).permutation(len(rows))
        for place, n in enumerate(order):
            for exam in rows[int(n)]:
                members.append(
                    Member(
                        exam=exam.exam,
                        patient=exam.patient,
                        level=job.factor.described(exam),
                        split=split,
                        age=exam.age,
                        sex=exam.sex,
                        positive=place < positives,
                        # In the middle of its interval: a share s then changes round(s x positives).
                        label=None if job.labels is None else job.labels.label_of(exam),
                        rank=(place + 0.5) / positives if place < positives else 0.0,
                        same=_same(exam, job),
                    )
                )
    return members


def _check_labels(members: Sequence[Member], job: CohortJob) -> None:
    check_classes(members, job)
    for level in job.factor.levels if job.positives else ():
        for split in SPLITS:
            rows = [member for member in members if member.level == level and member.split == split]
            positives = sum(member.positive for member in rows)
            if positives < 1 or positives == len(rows):
                have = sum(member.level == level for member in members)
                least = least_exams(job.split, job.positives)
                trouble = f"are too few for the split, which needs at least {least} of each level"
                if have >= least:
                    trouble = "belong to so few patients that the split cannot keep its shares"
                raise CohortError(
                    f"cohorts.{job.cohort}: {have} matched exams of {level} {trouble}: "
                    f"positives in {split}: {positives}, negatives: {len(rows) - positives}"
                )
