"""The paper's six tables, with its numbers next to ours."""

import hashlib
import re

from nameplate.campaign import MIXED
from nameplate.steps.selection import Selection
from nameplate_evaluation import published
from nameplate_evaluation.analysis import ALL, VAL, Analysis, ResultGrid
from nameplate_evaluation.table import Column, Table, Value

METRIC_NAMES = {
    "accuracy": "Accuracy",
    "specificity": "Specificity",
    "sensitivity": "Sensitivity",
    "auroc": "AUROC",
    "dice": "Dice",
}
SPLIT_NAMES = {"train": "Training", "val": "Validation", "test": "Test"}


def counts_table(analysis: Analysis) -> Table:
    """Exams by split and level: the paper's Table 1."""
    rows: list[tuple[Value, ...]] = []
    for cohort in analysis.results.cohorts:
        paper = is_paper(analysis) and analysis.role(cohort.name) == "study"
        for level in analysis.levels:
            for split, name in SPLIT_NAMES.items():
                members = [m for m in cohort.members if m.level == level and m.split == split]
                positives = sum(m.positive for m in members)
                known = published.COUNTS[split] if paper and level in published.LEVELS else (None,) * 3
                rows.append(
                    (
                        cohort.name,
                        level,
                        name,
                        len({m.patient for m in members}),
                        len(members),
                        known[0],
                        positives,
                        known[1],
                        len(members) - positives,
                        known[2],
                    )
                )
    columns: tuple[Column, ...] = (
        Column("cohort", "Cohort"),
        Column("level", analysis.campaign.factor.title.capitalize()),
        Column("split", "Split"),
        Column("patients", "Patients", "count"),
        Column("exams", "here", "count", "Exams"),
        Column("exams_paper", "paper", "count", "Exams", published=True),
        Column("positives", "here", "count", "With a sphere"),
        Column("positives_paper", "paper", "count", "With a sphere", published=True),
        Column("negatives", "here", "count", "Without"),
        Column("negatives_paper", "paper", "count", "Without", published=True),
    )
    if not analysis.campaign.datasets.spheres.difficulties:
        columns, rows = columns[:6], [row[:6] for row in rows]
    return Table(
        "exams",
        "Exams by split",
        columns,
        tuple(rows),
        "The split is by patient.",
        "cohort",
        paper=True,
    ).without_empty_published()


def factor_table(analysis: Analysis) -> Table:
    """Naming the level from three slices: the paper's Table 2."""
    columns = [Column("cohort", "Cohort"), Column("group", "Group", "count"), Column("models", "Runs")]
    metrics = [
        ("accuracy", ALL, "accuracy", "Accuracy"),
        ("auroc", ALL, "auroc", "AUROC"),
        *((f"accuracy {level}", level, "accuracy", f"Accuracy on {level}") for level in analysis.levels),
    ]
    for key, _, _, label in metrics:
        columns.append(Column(key.replace(" ", "_"), "here", "percent", label))
        columns.append(Column(f"{key.replace(' ', '_')}_paper", "paper", "percent", label, published=True))
    rows: list[tuple[Value, ...]] = []
    for grid in analysis.of_task("factor"):
        for figures in grid.cells:
            row: list[Value] = [grid.cohort, figures.group + 1, models(figures.cell.selection)]
            paper = published.FACTOR.get(figures.group, {}) if is_paper(analysis) else {}
            for key, exams, metric, _ in metrics:
                row.append(analysis.estimate(figures.measured.get((exams, metric))))
                row.append(paper[key].mean if key in paper else None)
            rows.append(tuple(row))
    return Table(
        "factor",
        f"Naming the {analysis.campaign.factor.title}, test exams",
        tuple(columns),
        tuple(rows),
        "Groups are independent sets of runs, as the paper's two ensembles.",
        "factor",
        paper=True,
    ).without_empty_published()


def sphere_tables(analysis: Analysis) -> tuple[Table, ...]:
    """Sphere classification, one table per training set: the paper's Tables 3 to 5, in its order.

    Training sets that the paper does not have come last.
    """
    order = (MIXED, *analysis.levels)
    found = [
        (order.index(name) if name in order else len(order), grid, name)
        for grid in analysis.judged()
        for name in dict.fromkeys(figures.training_set for figures in grid.cells)
    ]
    found.sort(key=lambda one: one[0])
    return tuple(_sphere_table(analysis, grid, name, paper=place < len(order)) for place, grid, name in found)


def _sphere_table(analysis: Analysis, grid: ResultGrid, training_set: str, *, paper: bool) -> Table:
    places = [(VAL, "Validation"), (ALL, "Test, all")]
    places += [(level, f"Test, {level}") for level in analysis.levels]
    columns = [Column("task", "Task"), Column("models", "Runs"), Column("metric", "Metric")]
    for key, label in places:
        columns.append(Column(key.lower(), "here", "percent", label))
        columns.append(Column(f"{key.lower()}_paper", "paper", "percent", label, published=True))
    rows: list[tuple[Value, ...]] = []
    for figures in grid.cells:
        if figures.training_set != training_set:
            continue
        group = f", group {figures.group + 1}" if grid.experiment.groups > 1 else ""
        for metric in published.METRICS:
            row: list[Value] = [
                figures.dataset + group,
                models(figures.cell.selection),
                METRIC_NAMES[metric],
            ]
            for exams, _ in places:
                row.append(analysis.estimate(figures.measured.get((exams, metric))))
                known = published.spheres(training_set, figures.dataset, exams, metric)
                row.append(known if is_paper(analysis) else None)
            rows.append(tuple(row))
    others = analysis.judged()
    several = len({other.cohort for other in others}) > 1
    of_cohort = f", cohort {grid.cohort}" if several else ""
    peers = {
        other.experiment.name
        for other in others
        if other.experiment.task == grid.experiment.task
        and training_set in {figures.training_set for figures in other.cells}
    }
    of_experiment = f", experiment {grid.experiment.name}" if len(peers) > 1 else ""
    return Table(
        f"{grid.experiment.task}-{_slug(training_set)}"
        + (f"-{grid.cohort}" if of_cohort else "")
        + (f"-{grid.experiment.name}" if of_experiment else ""),
        f"{grid.experiment.what.title}, trained on {training_set}{of_cohort}{of_experiment}",
        tuple(columns),
        tuple(rows),
        "Validation is on the exams on which the runs were chosen: "
        + ("all of them." if grid.experiment.choose_on == "all" else "those of the training set's own kind."),
        "spheres",
        paper=paper,
    ).without_empty_published()


def dice_table(analysis: Analysis) -> Table:
    """Brain segmentation: the paper's Table 6."""
    places = [(VAL, "Validation"), (ALL, "Test, all")]
    places += [(level, f"Test, {level}") for level in analysis.levels]
    columns = [Column("cohort", "Cohort"), Column("training_set", "Trained on"), Column("models", "Runs")]
    for key, label in places:
        columns.append(Column(key.lower(), "here", "dice", label))
        columns.append(Column(f"{key.lower()}_paper", "paper", "dice", label, published=True))
    rows: list[tuple[Value, ...]] = []
    for grid in analysis.of_task("segmentation"):
        for figures in grid.cells:
            row: list[Value] = [grid.cohort, figures.training_set, models(figures.cell.selection)]
            for exams, _ in places:
                row.append(analysis.estimate(figures.measured.get((exams, "dice"))))
                paper = published.DICE.get(figures.training_set, {}).get(exams)
                row.append(paper if is_paper(analysis) else None)
            rows.append(tuple(row))
    return Table(
        "dice", "Brain segmentation, Dice", tuple(columns), tuple(rows), "", "segmentation", paper=True
    ).without_empty_published()


def _slug(text: str) -> str:
    """A name of the campaign as part of a file name; '< 3' and '≥ 3' stay different."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if re.fullmatch(r"[A-Za-z0-9]+( [A-Za-z0-9]+)*", text):
        return plain
    return f"{plain or 'x'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def models(selection: Selection) -> str:
    """How many of a cell's runs were kept."""
    kept, trained = len(selection.kept), selection.trained
    return f"{kept} of {trained}" if kept else f"none of {trained}"


def is_paper(analysis: Analysis) -> bool:
    """Whether the factor is the paper's, so that its numbers may be shown next to ours."""
    factor = analysis.campaign.factor
    return factor.name == "manufacturer" and set(published.LEVELS) <= set(factor.levels)
