"""Tables of the training set's effect: the advantage, choosing runs, and gaps."""

from nameplate_evaluation import published
from nameplate_evaluation.advantage import Advantage, Gap, advantage_of
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.table import Column, Table, Value
from nameplate_evaluation.tables import is_paper

ROLES = {"study": "study", "null-control": "null control", "positive-control": "positive control"}


def advantage_table(analysis: Analysis, advantages: tuple[Advantage, ...]) -> Table:
    """The effect of the training set by task, in the study and in its controls."""
    factor = analysis.campaign.factor.title
    rows: list[tuple[Value, ...]] = []
    by_grid: dict[tuple[str, str, int], dict[str, Advantage]] = {}
    for advantage in advantages:
        key = (advantage.grid.experiment.name, advantage.grid.cohort, advantage.group)
        by_grid.setdefault(key, {})[advantage.metric] = advantage
    for by_metric in by_grid.values():
        area = by_metric.get("auroc")
        if area is None:
            continue
        for task in (*area.by_task, "all tasks", "first to last"):
            of = {metric: _row_of(one, task) for metric, one in by_metric.items()}
            main = of["auroc"]
            if main is None:
                continue
            paper = [_paper(analysis, area, task, metric) for metric in ("auroc", "probit", "accuracy")]
            rows.append(
                (
                    ROLES[analysis.role(area.grid.cohort)],
                    area.grid.cohort,
                    task,
                    main,
                    paper[0],
                    of.get("probit"),
                    paper[1],
                    of.get("accuracy"),
                    paper[2],
                    main.p,
                    main.run_share,
                    main.detectable,
                )
            )
    return Table(
        "own-advantage",
        f"Own-{factor} advantage",
        (
            Column("role", "Role"),
            Column("cohort", "Cohort"),
            Column("task", "Task"),
            Column("auroc", "here", "points", "AUROC, points"),
            Column("auroc_paper", "paper", "points", "AUROC, points", published=True),
            Column("probit", "here", "signed", "AUROC, probit"),
            Column("probit_paper", "paper", "signed", "AUROC, probit", published=True),
            Column("accuracy", "here", "points", "Accuracy, points"),
            Column("accuracy_paper", "paper", "points", "Accuracy, points", published=True),
            Column("p", "p", "p", "Of the AUROC"),
            Column("run_share", "Runs' share, %", "percent", "Of the AUROC"),
            Column("detectable", "Detectable", "spread", "Of the AUROC"),
        ),
        tuple(rows),
        f"Mean result on the {factor} that was trained on, minus that on the others, over the training sets"
        f" of one {factor}. 'First to last' is the growth along a line through all tasks. In probit, the"
        " scale on which an effect has no ceiling, equal effects stay equal when a task gets harder. Only all"
        " tasks and the growth are tested for the answer; rows by task are description. Detectable: what"
        " would have been found in four campaigns of five. The paper's columns are computed from its Tables 4"
        " and 5.",
        "effect",
    ).without_empty_published()


def _row_of(advantage: Advantage, task: str) -> Estimate | None:
    if task == "all tasks":
        return advantage.overall
    return advantage.growth if task == "first to last" else advantage.by_task.get(task)


def _paper(analysis: Analysis, advantage: Advantage, task: str, metric: str) -> float | None:
    if not is_paper(analysis) or analysis.role(advantage.grid.cohort) != "study":
        return None
    if task == "all tasks":
        return published.mean_advantage(metric)
    if task == "first to last":
        return published.growth(metric)
    return published.own_advantage(task, metric)


def best_table(analysis: Analysis, advantages: tuple[Advantage, ...]) -> Table:
    """All kept runs beside the best few of each cell, as the paper chose."""
    rows: list[tuple[Value, ...]] = []
    for advantage in advantages:
        grid, best = advantage.grid, advantage.grid.experiment.rounds.target
        kept = [len(c.cell.selection.kept) for c in grid.cells if c.group == advantage.group]
        if advantage.metric not in ("auroc", "accuracy") or max(kept, default=0) <= best:
            continue
        chosen = advantage_of(analysis, grid, advantage.metric, group=advantage.group, best=best)
        if chosen is None:
            continue
        for words, one in (("all that converged", advantage), (f"best {best} of each cell", chosen)):
            metric = "AUROC" if advantage.metric == "auroc" else "accuracy"
            rows.append((grid.cohort, metric, words, one.overall.models, one.overall, one.growth))
    return Table(
        "best-runs",
        "What choosing the best runs would change",
        (
            Column("cohort", "Cohort"),
            Column("metric", "Metric"),
            Column("runs", "Runs"),
            Column("count", "Number", "count"),
            Column("advantage", "All tasks", "points"),
            Column("growth", "First to last", "points"),
        ),
        tuple(rows),
        "The analysis counts every run that converged. The paper kept the best six of ten; best here is by"
        " validation AUROC and accuracy.",
        "effect",
    )


def gap_table(analysis: Analysis, gaps: tuple[Gap, ...]) -> Table:
    """Differences between the levels' test exams, cell by cell."""
    rows: list[tuple[Value, ...]] = []
    for gap in gaps:
        paper: list[float | None] = []
        for metric in ("accuracy", "auroc"):
            first = published.spheres(gap.training_set, gap.dataset, gap.first, metric)
            second = published.spheres(gap.training_set, gap.dataset, gap.second, metric)
            known = is_paper(analysis) and first is not None and second is not None
            paper.append((first or 0.0) - (second or 0.0) if known else None)
        area = gap.by_metric.get("auroc")
        rows.append(
            (
                gap.grid.cohort,
                gap.dataset,
                gap.training_set,
                f"{gap.first} \u2212 {gap.second}",
                area,
                paper[1],
                gap.by_metric.get("accuracy"),
                paper[0],
                area and area.p,
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
            Column("auroc_gap", "here", "points", "AUROC, points"),
            Column("auroc_gap_paper", "paper", "points", "AUROC, points", published=True),
            Column("accuracy_gap", "here", "points", "Accuracy, points"),
            Column("accuracy_gap_paper", "paper", "points", "Accuracy, points", published=True),
            Column("p", "p", "p", "Of the AUROC"),
            Column("p_holm", "p, Holm", "p", "Of the AUROC"),
        ),
        tuple(rows),
        "Description: a gap mixes the training set with how hard the exams of each level are. Holm's p allows"
        " for all rows of a cohort.",
        "effect",
    ).without_empty_published()
