"""How common it is what the user's own labels or masks show: by level of the factor and by split."""

from collections.abc import Callable, Iterator, Sequence

from nameplate.cohort.split import SPLITS
from nameplate.steps.cohort import Member
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.table import Column, Table, Value
from nameplate_evaluation.tables import SPLIT_NAMES


def prevalence_table(analysis: Analysis) -> Table:
    """One row per cohort and level; nothing for a campaign without labels of its own."""
    rows = tuple(
        (cohort.name, level, *counts)
        for cohort in analysis.results.cohorts
        for level, _, counts in by_level(cohort.members, analysis.levels, lambda member: member.label)
    )
    labels = analysis.campaign.datasets.labels
    return Table(
        "prevalence",
        f"Prevalence of {labels.column}" if labels else "Prevalence",
        columns_by_level(analysis, "positives", "Positive"),
        rows,
        "The labels are taken as they are: levels are matched on what the campaign says, not on the label."
        " Where prevalence differs, a network trained on several levels can answer by the level alone.",
        "cohort",
    )


def by_level(
    members: Sequence[Member], levels: Sequence[str], value: Callable[[Member], int | None]
) -> Iterator[tuple[str, list[Member], tuple[Value, ...]]]:
    """Each level with the members that have a value, how many they and those of value 1 are, and the share of
    the latter in all and in each split; levels without any are left out."""
    having = [member for member in members if value(member) is not None]
    for level in levels:
        of_level = [member for member in having if member.level == level]
        if of_level:
            parts = ([member for member in of_level if member.split == split] for split in SPLITS)
            shares = (_share(part, value) for part in (of_level, *parts))
            yield level, of_level, (len(of_level), _positive(of_level, value), *shares)


def columns_by_level(analysis: Analysis, key: str, label: str) -> tuple[Column, ...]:
    """The columns of cohort, level and what ``by_level`` counts."""
    return (
        Column("cohort", "Cohort"),
        Column("level", analysis.campaign.factor.title.capitalize()),
        Column("exams", "Exams", "count"),
        Column(key, label, "count"),
        Column("prevalence", f"{label}, %", "percent"),
        *(Column(split, f"{SPLIT_NAMES[split]}, %", "percent") for split in SPLITS),
    )


def _positive(members: Sequence[Member], value: Callable[[Member], int | None]) -> int:
    return sum(value(member) == 1 for member in members)


def _share(members: Sequence[Member], value: Callable[[Member], int | None]) -> float | None:
    return _positive(members, value) / len(members) if members else None
