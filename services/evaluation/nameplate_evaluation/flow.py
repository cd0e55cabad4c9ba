"""The path of a cohort from series to split exams, with every refusal counted."""

from collections import Counter
from dataclasses import dataclass

from nameplate_evaluation.results import CohortResult
from nameplate_evaluation.table import Column, Table, Value


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the flow: how many are left, and how many were lost since the one before, by reason."""

    label: str
    count: int
    unit: str
    left: tuple[tuple[str, int], ...] = ()


def stages_of(cohort: CohortResult) -> tuple[Stage, ...]:
    """The stages of one cohort, without those of which nothing is known."""
    stages: list[Stage] = []
    series = [row for row in cohort.ledger if row.item == "series"]
    stray = [row for row in cohort.ledger if row.item == "file"]
    if series:
        lost = _counted([row.rule for row in stray], " (file)")
        stages.append(Stage("series read", len(series), "series", lost))
        refused = _counted([row.rule for row in series if row.verdict == "refused"])
        chosen = sum(row.verdict == "chosen" for row in series)
        stages.append(Stage("series chosen, one an exam", chosen, "exams", refused))
    if cohort.exams and not series:
        stages.append(Stage("exams", len(cohort.exams), "exams"))
    if cohort.masks:
        unusable = [m for m in cohort.masks if not m.usable]
        reasons = _counted([" + ".join(m.flags) or "no usable mask" for m in unusable])
        stages.append(Stage("brains found", len(cohort.masks) - len(unusable), "exams", reasons))
    if cohort.members:
        members = {m.exam for m in cohort.members}
        early = [row for row in cohort.refusals if row.exam not in members]
        reasons = _counted([f"{row.step}: {row.reason}" for row in early])
        before = stages[-1].count if stages else len(members)
        unexplained = before - len(members) - sum(count for _, count in reasons)
        if unexplained > 0:
            reasons += (("not matched, or not needed", unexplained),)
        stages.append(Stage("matched and split", len(members), "exams", reasons))
        late = _counted([f"{row.step}: {row.reason}" for row in cohort.refusals if row.exam in members])
        if late:
            left = len(members - {row.exam for row in cohort.refusals})
            stages.append(Stage("in every dataset", left, "exams", late))
    return tuple(stages)


def _counted(reasons: list[str], suffix: str = "") -> tuple[tuple[str, int], ...]:
    ordered = sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))
    return tuple((reason + suffix, count) for reason, count in ordered)


def flow_table(cohorts: tuple[CohortResult, ...]) -> Table:
    """The flow in long form; only a file."""
    rows: list[tuple[Value, ...]] = []
    for cohort in cohorts:
        for stage in stages_of(cohort):
            rows.append((cohort.name, stage.label, "left", "", stage.count, stage.unit))
            rows += [(cohort.name, stage.label, "refused", why, n, stage.unit) for why, n in stage.left]
    names = ("cohort", "stage", "what", "reason", "count", "unit")
    return Table("cohort-flow", "Cohort flow", tuple(Column(name, name) for name in names), tuple(rows))
