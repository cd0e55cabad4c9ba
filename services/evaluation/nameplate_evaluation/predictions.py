"""Every prediction as files that others read: one tidy table, and MELODY's truth and score tables."""

from collections.abc import Iterator

from nameplate.steps.training import Prediction
from nameplate_evaluation.analysis import Analysis, ResultGrid
from nameplate_evaluation.table import Column, Table, Value, csv_bytes

_COLUMNS = (
    "experiment", "cohort", "dataset", "training_set", "group", "run", "kept",
    "split", "exam", "patient", "level", "label", "score", "difficulty", "radius_mm",
)  # fmt: skip


def tidy_csv(analysis: Analysis) -> bytes:
    """One row per run and exam, scores with all their digits: enough to redo every figure elsewhere.

    A run that was not kept has its validation exams only; it never saw the test exams.
    """
    rows: list[tuple[Value, ...]] = []
    for grid in analysis.grids:
        for figures in grid.cells:
            at, kept = figures.cell.cell, figures.cell.selection.kept
            for seed, predictions in sorted(figures.cell.predictions.items()):
                for one in sorted(predictions, key=lambda row: (row.split, row.exam)):
                    cell = (at.experiment, at.cohort, at.dataset, at.training_set, at.group + 1)
                    exam = (one.split, one.exam, one.patient, one.level, one.label)
                    rows.append(
                        (
                            *cell,
                            seed,
                            int(seed in kept),
                            *exam,
                            repr(one.score),
                            one.difficulty,
                            one.radius_mm,
                        )
                    )
    return csv_bytes(Table("predictions", "", tuple(Column(name, name) for name in _COLUMNS), tuple(rows)))


def melody_files(analysis: Analysis) -> dict[str, bytes]:
    """Test predictions for MIDRC's MELODY: by task a table of the truth and one of scores.

    MELODY compares subgroups; the subgroup here is the level of the factor. One column a run.
    """
    files = {}
    for grid in analysis.grids:
        if grid.experiment.what.answers == "mask":
            continue
        for dataset in dict.fromkeys(figures.dataset for figures in grid.cells):
            name = f"melody/{grid.experiment.name}-{grid.cohort}-{dataset}"
            runs = dict(_runs(grid, dataset))
            if runs:
                files[f"{name}-truth.csv"] = _truth(analysis, runs)
                files[f"{name}-scores.csv"] = _scores(runs)
    return files


_Runs = dict[str, dict[str, Prediction]]


def _runs(grid: ResultGrid, dataset: str) -> Iterator[tuple[str, dict[str, Prediction]]]:
    """Test predictions by exam, by the name of the run."""
    for figures in grid.cells:
        if figures.dataset != dataset:
            continue
        of_group = f" group {figures.group + 1}" if grid.experiment.groups > 1 else ""
        for seed in sorted(figures.cell.selection.kept):
            rows = [row for row in figures.cell.predictions.get(seed, ()) if row.split == "test"]
            if rows:
                name = f"trained on {figures.training_set}{of_group} run {seed}"
                yield name, {row.exam: row for row in rows}


def _truth(analysis: Analysis, runs: _Runs) -> bytes:
    first = next(iter(runs.values()))
    columns = ("case_name", "truth", analysis.campaign.factor.name)
    rows = tuple((exam, row.label, row.level) for exam, row in sorted(first.items()))
    return csv_bytes(Table("truth", "", tuple(Column(name, name) for name in columns), rows))


def _scores(runs: _Runs) -> bytes:
    exams = sorted(next(iter(runs.values())))
    rows = tuple(
        (exam, *(repr(of[exam].score) if exam in of else None for of in runs.values())) for exam in exams
    )
    columns = (Column("case_name", "case_name"), *(Column(name, name) for name in runs))
    return csv_bytes(Table("scores", "", columns, rows))
