"""Tables of runs and convergence, controls, age and sex, and every figure in long form."""

from nameplate.cohort import balance_table
from nameplate_evaluation.analysis import ALL, VAL, Analysis
from nameplate_evaluation.control import Check
from nameplate_evaluation.effect_tables import ROLES
from nameplate_evaluation.measure import Measured, contrast_of
from nameplate_evaluation.table import Column, Table, Value


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
    """The controls."""
    rows: list[tuple[Value, ...]] = []
    for check in checks:
        # An AUROC of naming is a share, an advantage is a difference in points.
        naming = check.metric == "naming"
        rows.append(
            (
                ROLES[check.role],
                check.grid.cohort,
                check.grid.experiment.name,
                check.what,
                check.expected,
                check.estimate if naming else None,
                None if naming else check.estimate,
                None if naming or check.estimate is None else check.estimate.detectable,
                check.kept,
                check.trained,
                check.verdict,
            )
        )
    return Table(
        "controls",
        "Controls",
        (
            Column("role", "Role"),
            Column("cohort", "Cohort"),
            Column("experiment", "Experiment"),
            Column("check", "Checked"),
            Column("expected", "Expected"),
            Column("auroc", "AUROC, %", "percent", "Found"),
            Column("advantage", "Points", "points", "Found"),
            Column("detectable", "Detectable", "spread", "Found"),
            Column("kept", "Kept", "count", "Runs"),
            Column("trained", "Trained", "count", "Runs"),
            Column("verdict", "Verdict"),
        ),
        tuple(rows),
        "A null control has no difference between the levels. It holds if the interval is within 0.5 \u00b1"
        " 0.1 (naming), or contains 0 where an effect as large as the study's (without one, the paper's)"
        " would have been found. It fails if the interval, widened for the number of null checks"
        " (Bonferroni), excludes what is expected. A positive control has a planted difference, and holds if"
        " that was found.",
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
        f"Age and sex by {campaign.factor.title}",
        (
            Column("cohort", "Cohort"),
            Column("stage", "Stage"),
            Column("level", campaign.factor.title.capitalize()),
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


def _run_share(measured: Measured) -> float | None:
    """Share of a figure's variance that comes from the runs."""
    return contrast_of([(1.0, measured)]).run_share


def all_figures_table(analysis: Analysis) -> Table:
    """Every figure of every cell in long form, null controls included; only a file."""
    rows: list[tuple[Value, ...]] = []
    for grid in analysis.grids:
        chosen_on_all = grid.experiment.choose_on == "all"
        for figures in grid.cells:
            for (exams, metric), measured in figures.measured.items():
                split = VAL if exams == VAL else "test"
                level = exams if exams != VAL else (ALL if chosen_on_all else figures.training_set)
                rows.append(
                    (
                        *figures.cell.key[:4],
                        figures.group + 1,
                        split,
                        level,
                        metric,
                        len(measured.exams),
                        analysis.estimate(measured),
                        _run_share(measured),
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
            Column("run_share", "run_share", "percent"),
        ),
        tuple(rows),
    )
