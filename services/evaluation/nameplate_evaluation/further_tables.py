"""The tables that the paper does not have: gaps and their tests, kinds of sphere, runs, the null control."""

from nameplate.cohort import balance_table
from nameplate_evaluation import published
from nameplate_evaluation.analysis import ALL, VAL, Analysis
from nameplate_evaluation.control import Check
from nameplate_evaluation.gap import Advantage, Gap
from nameplate_evaluation.table import Column, Table, Value
from nameplate_evaluation.tables import METRIC_NAMES, is_paper


def advantage_table(analysis: Analysis, advantages: tuple[Advantage, ...]) -> Table:
    """The effect of the training set by task."""
    factor = analysis.campaign.factor.name
    rows: list[tuple[Value, ...]] = []
    for advantage in advantages:
        paper = None
        if is_paper(analysis) and advantage.grid.experiment.task == "spheres":
            paper = published.own_advantage(advantage.dataset, advantage.metric)
        holds = advantage.estimate.holds(0.0)
        rows.append(
            (
                advantage.grid.cohort,
                advantage.dataset,
                METRIC_NAMES[advantage.metric],
                advantage.estimate,
                paper,
                "" if holds is None else ("contains zero" if holds else "excludes zero"),
                advantage.error_of_models,
            )
        )
    return Table(
        "own-advantage",
        f"Own-{factor} advantage",
        (
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("metric", "Metric"),
            Column("advantage", "Points", "points", "Here"),
            Column("advantage_paper", "Points", "points", "Paper", published=True),
            Column("interval", "The interval"),
            Column("error_of_models", "Error of models", "spread"),
        ),
        tuple(rows),
        f"Mean result on the {factor} that was trained on, minus the mean result on the others, over the"
        f" training sets of one {factor}. The number of training exams, the difficulty of a {factor}'s"
        " exams and the general quality of a training set cancel. The interval is over patients, with the"
        " kept models as they are; the last column is the standard error that comes from their being few."
        " The paper's column is computed from its"
        " Tables 4 and 5.",
        "gap",
    ).without_empty_published()


def gap_table(analysis: Analysis, gaps: tuple[Gap, ...]) -> Table:
    """Differences between the levels' test exams, cell by cell, with DeLong's test."""
    rows: list[tuple[Value, ...]] = []
    for gap in gaps:
        paper: list[float | None] = []
        for metric in ("accuracy", "auroc"):
            first = published.spheres(gap.training_set, gap.dataset, gap.first, metric)
            second = published.spheres(gap.training_set, gap.dataset, gap.second, metric)
            known = is_paper(analysis) and first is not None and second is not None
            paper.append((first or 0.0) - (second or 0.0) if known else None)
        rows.append(
            (
                gap.grid.cohort,
                gap.dataset,
                gap.training_set,
                f"{gap.first} \u2212 {gap.second}",
                gap.by_metric.get("accuracy"),
                paper[0],
                gap.by_metric.get("auroc"),
                paper[1],
                gap.delong.p if gap.delong else None,
                gap.p_holm,
            )
        )
    return Table(
        "gaps",
        "Gap between the test exams of the levels",
        (
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("training_set", "Trained on"),
            Column("pair", "Gap"),
            Column("accuracy_gap", "here", "points", "Accuracy, points"),
            Column("accuracy_gap_paper", "paper", "points", "Accuracy, points", published=True),
            Column("auroc_gap", "here", "points", "AUROC, points"),
            Column("auroc_gap_paper", "paper", "points", "AUROC, points", published=True),
            Column("delong_p", "p", "p", "DeLong"),
            Column("delong_p_holm", "p, Holm", "p", "DeLong"),
        ),
        tuple(rows),
        "A gap mixes two things: the training set, and how hard the exams of each level are. DeLong's test"
        " is on the mean AUROC of the kept models; Holm's p allows for all rows of a cohort.",
        "gap",
    ).without_empty_published()


def sensitivity_table(analysis: Analysis) -> Table:
    """Which spheres are found: sensitivity by the kind of sphere."""
    rows: list[tuple[Value, ...]] = []
    sets = [s for g in analysis.of_task("spheres") for s in g.experiment.training_sets]
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
                exams = next(m.exams for m in found if m is not None)
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


def convergence_table(analysis: Analysis) -> Table:
    """How many runs converged, by experiment, task and training set."""
    rows: list[tuple[Value, ...]] = []
    for grid in analysis.grids:
        for figures in grid.cells:
            chosen = figures.cell.selection
            outcomes = [run.outcome for run in figures.cell.runs]
            rows.append(
                (
                    grid.experiment.name,
                    grid.cohort,
                    figures.dataset,
                    figures.training_set,
                    figures.group + 1,
                    chosen.trained,
                    chosen.converged,
                    chosen.converged / chosen.trained if chosen.trained else None,
                    outcomes.count("diverged"),
                    len(chosen.kept),
                    len(figures.cell.rounds),
                    {"target": "target met", "limit": "limit reached", "no": "unfinished"}[chosen.finished],
                )
            )
    return Table(
        "convergence",
        "Runs by cell of the grid",
        (
            Column("experiment", "Experiment"),
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("training_set", "Trained on"),
            Column("group", "Group", "count"),
            Column("trained", "Trained", "count"),
            Column("converged", "Converged", "count"),
            Column("rate", "Rate, %", "percent"),
            Column("diverged", "Diverged", "count"),
            Column("kept", "Kept", "count"),
            Column("rounds", "Rounds", "count"),
            Column("finished", "State"),
        ),
        tuple(rows),
        "A run has converged when it passes the thresholds of the campaign file; every rejected run is kept"
        " with its reasons. The paper reports that harder tasks converged less often, and training on"
        " Siemens alone half as often as on GE alone.",
        "runs",
    )


def control_table(checks: tuple[Check, ...]) -> Table:
    """The null control."""
    return Table(
        "null-control",
        "Null control: no difference between the levels was put in, none may come out",
        (
            Column("cohort", "Cohort"),
            Column("check", "Checked"),
            Column("expected", "Expected", "percent"),
            Column("found", "Found", "percent"),
            Column("trained", "Trained", "count"),
            Column("converged", "Converged", "count"),
            Column("verdict", "Verdict"),
        ),
        tuple((c.cohort, c.what, c.expected, c.estimate, c.trained, c.converged, c.verdict) for c in checks),
        "The intervals are widened for the number of checks (Bonferroni). A check without a converged run"
        " is not measured.",
        "control",
    )


def age_sex_table(analysis: Analysis) -> Table:
    """Age and sex of the levels, before and after matching."""
    campaign = analysis.campaign
    rows: list[tuple[Value, ...]] = []
    for cohort in analysis.results.cohorts:
        if not cohort.exams or not cohort.members:
            continue
        for row in balance_table(cohort.exams, cohort.members, campaign.factor):
            rows.append(
                (
                    cohort.name,
                    f"{row.stage} matching",
                    row.level,
                    row.exams,
                    row.patients,
                    row.age_mean,
                    row.age_sd,
                    row.female,
                    row.age_difference,
                    row.female_difference,
                )
            )
    return Table(
        "age-sex",
        f"Age and sex by {campaign.factor.name}",
        (
            Column("cohort", "Cohort"),
            Column("stage", "Stage"),
            Column("level", campaign.factor.name.capitalize()),
            Column("exams", "Exams", "count"),
            Column("patients", "Patients", "count"),
            Column("age_mean", "Mean", "number", "Age, years"),
            Column("age_sd", "SD", "number", "Age, years"),
            Column("female", "Female, %", "percent"),
            Column("age_difference", "Age", "number", "Difference, SD"),
            Column("female_difference", "Female", "number", "Difference, SD"),
        ),
        tuple(rows),
        f"Differences from {campaign.factor.levels[0]} in pooled standard deviations; below 0.1 is commonly"
        " taken as balanced.",
        "cohort",
    )


def all_figures_table(analysis: Analysis) -> Table:
    """Every figure of every cell in long form, null controls included; only a file."""
    rows: list[tuple[Value, ...]] = []
    for grid in analysis.grids:
        for figures in grid.cells:
            for (exams, metric), measured in figures.measured.items():
                split = VAL if exams == VAL else "test"
                level = figures.training_set if exams == VAL else exams
                rows.append(
                    (
                        *figures.cell.key[:4],
                        figures.group + 1,
                        split,
                        level,
                        metric,
                        measured.exams,
                        analysis.estimate(measured),
                    )
                )
    names = ("experiment", "cohort", "dataset", "training_set", "group", "split", "exams_of", "metric")
    return Table(
        "all-figures",
        "Every figure in long form",
        (
            *(Column(name, name) for name in names),
            Column("exams", "exams", "count"),
            Column("value", "value", "percent"),
        ),
        tuple(rows),
    )
