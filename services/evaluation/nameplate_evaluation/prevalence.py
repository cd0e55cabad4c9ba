"""How common the user's own label is: by level of the factor and by split."""

from collections.abc import Sequence

from nameplate.cohort.split import SPLITS
from nameplate.steps.cohort import Member
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.table import Column, Table, Value
from nameplate_evaluation.tables import SPLIT_NAMES


def prevalence_table(analysis: Analysis) -> Table:
    """One row per cohort and level; nothing for a campaign without labels of its own."""
    rows: list[tuple[Value, ...]] = []
    for cohort in analysis.results.cohorts:
        labelled = [member for member in cohort.members if member.label is not None]
        for level in analysis.levels:
            members = [member for member in labelled if member.level == level]
            if members:
                parts = ([m for m in members if m.split == split] for split in SPLITS)
                positives = sum(member.label == 1 for member in members)
                shares = (_prevalence(members), *map(_prevalence, parts))
                rows.append((cohort.name, level, len(members), positives, *shares))
    labels = analysis.campaign.datasets.labels
    return Table(
        "prevalence",
        f"Prevalence of {labels.column}" if labels else "Prevalence",
        (
            Column("cohort", "Cohort"),
            Column("level", analysis.campaign.factor.title.capitalize()),
            Column("exams", "Exams", "count"),
            Column("positives", "Positive", "count"),
            Column("prevalence", "Positive, %", "percent"),
            *(Column(split, f"{SPLIT_NAMES[split]}, %", "percent") for split in SPLITS),
        ),
        tuple(rows),
        "The labels are taken as they are: levels are matched on what the campaign says, not on the label."
        " Where prevalence differs, a network trained on several levels can answer by the level alone.",
        "cohort",
    )


def _prevalence(members: Sequence[Member]) -> float | None:
    return sum(member.label == 1 for member in members) / len(members) if members else None
