"""Tables that describe: thresholds, calibration, mixing, twins, the curve, which spheres are found."""

import numpy as np

from nameplate_evaluation.analysis import ALL, Analysis, ResultGrid
from nameplate_evaluation.calibration import calibrations_of
from nameplate_evaluation.curve import Curve
from nameplate_evaluation.flips import flips_of
from nameplate_evaluation.measure import Measured, combine, measure
from nameplate_evaluation.mixing import gains_of
from nameplate_evaluation.table import Column, Table, Value
from nameplate_evaluation.threshold import transfers_of

RADIUS_BINS = 6


def threshold_table(analysis: Analysis, grids: tuple[ResultGrid, ...]) -> Table:
    """Accuracy at a threshold carried from one level to another, and what comes back with a new one."""
    rows: list[tuple[Value, ...]] = []
    for grid in grids:
        for one in transfers_of(analysis, grid):
            rows.append(
                (
                    grid.cohort,
                    one.dataset,
                    one.trained,
                    one.tested,
                    one.own,
                    one.carried,
                    one.lost,
                    one.returned,
                )
            )
    share, factor = 100 * analysis.campaign.analysis.specificity, analysis.campaign.factor.title
    return Table(
        "threshold",
        f"A threshold of {share:g} % specificity, carried from one {factor} to another",
        (
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("trained_on", "Trained on"),
            Column("tested_on", "Carried to"),
            Column("own", "On its own", "percent", "Accuracy, %"),
            Column("carried", "Carried", "percent", "Accuracy, %"),
            Column("lost", "Lost", "points", "Points"),
            Column("returned", "Comes back", "points", "Points"),
        ),
        tuple(rows),
        f"The threshold of each run is chosen on the validation exams of the {factor} that it was trained on."
        " What comes back with a threshold chosen on the other's validation exams was"
        " a matter of the threshold; the rest is not.",
        "effect",
    )


def calibration_table(analysis: Analysis, grids: tuple[ResultGrid, ...]) -> Table:
    """Calibration by level of the test exams."""
    rows: list[tuple[Value, ...]] = []
    for grid in grids:
        for one in calibrations_of(analysis, grid):
            rows.append((grid.cohort, one.dataset, one.training_set, one.tested, one.intercept, one.slope))
    return Table(
        "calibration",
        f"Calibration by {analysis.campaign.factor.title}",
        (
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("training_set", "Trained on"),
            Column("tested_on", "Tested on"),
            Column("intercept", "Intercept", "signed"),
            Column("slope", "Slope", "signed"),
        ),
        tuple(rows),
        "Of a logistic regression of the label on the logit of the score; 0 and 1 are perfect. A slope below"
        " 1 is overconfidence. Cells at the ceiling, or with a run that separates the classes, have no row.",
        "effect",
    )


def mixing_table(analysis: Analysis, grids: tuple[ResultGrid, ...]) -> Table:
    """Mixed training against training on one level, with more exams and with as many."""
    rows: list[tuple[Value, ...]] = []
    for grid in grids:
        for one in gains_of(analysis, grid):
            rows.append((grid.cohort, one.dataset, one.arm, one.exams, one.exams_of_one, one.estimate))
    return Table(
        "mixing",
        "What training on all gains over training on one",
        (
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("arm", "Trained on"),
            Column("exams", "this", "count", "Training exams"),
            Column("exams_of_one", "one alone", "count", "Training exams"),
            Column("gain", "AUROC, points", "points"),
        ),
        tuple(rows),
        f"Mean AUROC over the test exams of each {analysis.campaign.factor.title}, minus that of networks"
        " trained on one. With as many exams, what is left is mixing; with more, it is also more exams.",
        "effect",
    )


def flips_table(analysis: Analysis, grids: tuple[ResultGrid, ...]) -> Table:
    """Answers that differ between twins."""
    rows: list[tuple[Value, ...]] = []
    for grid in grids:
        for one in flips_of(analysis, grid):
            rows.append((grid.cohort, one.dataset, one.training_set or "one each, mean", one.share))
    return Table(
        "flips",
        "Answers that the machine alone changed, among twins",
        (
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("training_set", "Trained on"),
            Column("flips", "Heads, %", "percent"),
        ),
        tuple(rows),
        "Share of test heads whose answer at the threshold 0.5 is not the same on the exams of all machines;"
        " head and lesion are the same.",
        "effect",
    )


def curve_table(curves: tuple[Curve, ...]) -> Table:
    """The curve of the advantage over difficulty."""
    rows: list[tuple[Value, ...]] = []
    for curve in curves:
        for place, (task, estimate) in enumerate(curve.advantage.by_task.items()):
            rows.append(
                (
                    curve.advantage.grid.cohort,
                    task,
                    curve.axis,
                    curve.x[place],
                    estimate,
                    float(curve.fit[place]),
                )
            )
    return Table(
        "curve",
        "The advantage by difficulty",
        (
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("axis", "Axis"),
            Column("x", "Value", "number"),
            Column("advantage", "AUROC, points", "points"),
            Column("fit", "Fit", "points"),
        ),
        tuple(rows),
        "The fit is the best curve that never falls from task to task (isotonic regression).",
        "effect",
    )


def radius_table(analysis: Analysis, grids: tuple[ResultGrid, ...]) -> Table:
    """Sensitivity by the sphere's radius, on the level that was trained on and on the others."""
    rows: list[tuple[Value, ...]] = []
    for grid in grids:
        for dataset in analysis.campaign.datasets_of(grid.experiment):
            rows += _radius_rows(analysis, grid, dataset)
    factor = analysis.campaign.factor.title
    return Table(
        "sensitivity-by-radius",
        "Which spheres are found, by radius",
        (
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("radius_mm", "Radius, mm"),
            Column("exams", "Test exams", "count"),
            Column("own", f"Own {factor}", "percent", "Sensitivity, %"),
            Column("other", f"Other {factor}", "percent", "Sensitivity, %"),
            Column("difference", "Difference", "points"),
        ),
        tuple(rows),
        f"Over the training sets of one {factor}; own: test exams of the {factor} that was trained on.",
        "spheres",
    )


def _radius_rows(analysis: Analysis, grid: ResultGrid, dataset: str) -> list[tuple[Value, ...]]:
    cells = {level: grid.cell(dataset, arm) for level, arm in analysis.own_arms(grid).items()}
    tests = {level: cell.test for level, cell in cells.items() if cell is not None and cell.test is not None}
    if len(tests) < len(analysis.levels):
        return []
    radii = np.concatenate([scores.radii_mm for scores in tests.values()])
    radii = radii[np.isfinite(radii)]
    if not radii.size:
        return []
    # Whole millimetres, so that a reader finds the bins of two tasks alike.
    low, high = int(np.floor(radii.min())), int(np.floor(radii.max())) + 1
    width = -(-(high - low) // RADIUS_BINS)
    rows: list[tuple[Value, ...]] = []
    for start in range(low, high, width):
        own: list[tuple[float, Measured]] = []
        other: list[tuple[float, Measured]] = []
        for trained, scores in tests.items():
            for tested in analysis.levels:
                inside = (scores.radii_mm >= start) & (scores.radii_mm < start + width)
                here = scores.where(inside & np.array([level == tested for level in scores.levels]))
                found = None if here is None else measure(str(trained), "sensitivity", here)
                if found is not None and trained == tested:
                    own.append((1 / len(tests), found))
                elif found is not None:
                    other.append((1 / (len(tests) * (len(tests) - 1)), found))
        if len(own) + len(other) < len(tests) * len(analysis.levels):
            continue  # a level has no sphere of this size
        difference = [*own, *((-share, one) for share, one in other)]
        shown = [combine(parts, analysis.confidence).within(0.0, 1.0) for parts in (own, other)]
        shown.append(combine(difference, analysis.confidence))
        rows.append((grid.cohort, dataset, f"{start}\u2013{start + width}", shown[2].exams, *shown))
    return rows


def sensitivity_table(analysis: Analysis) -> Table:
    """Which spheres are found: sensitivity by the kind of sphere."""
    rows: list[tuple[Value, ...]] = []
    sets = [arm.name for g in analysis.of_task("spheres") for arm in g.experiment.all_arms]
    training_sets = list(dict.fromkeys(sets))
    sizes = {item.name: item for item in analysis.campaign.datasets.spheres.difficulties}
    for grid in analysis.of_task("spheres"):
        for dataset in dict.fromkeys(figures.dataset for figures in grid.cells):
            cells = {s: grid.cell(dataset, s) for s in training_sets}
            kinds = [
                kind
                for kind in sizes
                if any(c and (ALL, f"sensitivity of {kind}") in c.measured for c in cells.values())
            ]
            for kind in kinds:
                low, high = sizes[kind].radius_mm
                key = (ALL, f"sensitivity of {kind}")
                found = [None if c is None else c.measured.get(key) for c in cells.values()]
                exams = next(len(m.exams) for m in found if m is not None)
                rows.append(
                    (
                        grid.cohort,
                        dataset,
                        kind,
                        f"{low:g}\u2013{high:g}",
                        exams,
                        *(analysis.estimate(m) for m in found),
                    )
                )
    return Table(
        "sensitivity-by-sphere",
        "Which spheres are found: sensitivity by kind of sphere, all test exams",
        (
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("sphere", "Spheres as in"),
            Column("radius_mm", "Radius, mm"),
            Column("exams", "Test exams", "count"),
            *(Column(f"trained_on_{s.lower()}", f"Trained on {s}", "percent") for s in training_sets),
        ),
        tuple(rows),
        "A harder task keeps part of the easier task's spheres, so its sensitivity is a mixture.",
        "spheres",
    )
