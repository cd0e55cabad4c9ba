"""The report: results in, files out; no clock and no disk, so the same results give the same bytes."""

import json
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from nameplate_evaluation import figures, further_tables, tables
from nameplate_evaluation.analysis import METRICS, Analysis, analyse
from nameplate_evaluation.answer import Answer, answer_of
from nameplate_evaluation.control import checks_of
from nameplate_evaluation.departures import departures_of
from nameplate_evaluation.example import example_svg
from nameplate_evaluation.flow import flow_table, stages_of
from nameplate_evaluation.gap import Advantage, Gap, advantage_of, gaps_of
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.panel import Panel
from nameplate_evaluation.results import CampaignResults, Example
from nameplate_evaluation.table import Table, Value, csv_bytes, interval, labelled, printed


def build_report(results: CampaignResults) -> dict[str, bytes]:
    """File names and contents: index.html, tables/*.csv, metrics.json and provenance.json.

    The campaign need not be complete. Raises StoreError for predictions that contradict each other.
    """
    analysis = analyse(results)
    gaps = tuple(gap for grid in analysis.study for gap in gaps_of(analysis, grid) if _has_gap(gap))
    advantages = advantages_of(analysis)
    checks = checks_of(analysis)
    answer = answer_of(analysis, advantages, gaps, checks)
    shown = [
        tables.counts_table(analysis),
        tables.factor_table(analysis),
        *tables.sphere_tables(analysis),
        tables.dice_table(analysis),
        further_tables.advantage_table(analysis, advantages),
        further_tables.gap_table(analysis, gaps),
        further_tables.sensitivity_table(analysis),
        further_tables.convergence_table(analysis),
        further_tables.control_table(checks),
        further_tables.age_sex_table(analysis),
    ]
    numbered = labelled(table for table in shown if table.rows)
    whole = [table for _, table in numbered]
    whole += [further_tables.all_figures_table(analysis), flow_table(results.cohorts)]
    report = {"index.html": _page(analysis, answer, numbered, advantages, gaps)}
    report |= {f"tables/{table.name}.csv": csv_bytes(table) for table in whole}
    report["metrics.json"] = _json(_metrics(analysis, answer, whole))
    report["provenance.json"] = _json(
        {"campaign": results.campaign_text, "provenance": dict(results.provenance)}
    )
    return report


def _has_gap(gap: Gap) -> bool:
    """Whether the gap is meaningful: not for naming the factor, where the label is the level."""
    return gap.grid.experiment.task == "spheres"


def advantages_of(analysis: Analysis) -> tuple[Advantage, ...]:
    """The advantages of every study grid, in the campaign's order of tasks."""
    advantages = []
    for grid in analysis.study:
        metrics = {"spheres": ("accuracy", "auroc"), "segmentation": ("dice",)}.get(grid.experiment.task, ())
        for group in range(grid.experiment.groups):
            for dataset in analysis.campaign.datasets_of(grid.experiment):
                for metric in metrics:
                    advantage = advantage_of(analysis, grid, dataset, metric, group)
                    if advantage is not None:
                        advantages.append(advantage)
    return tuple(advantages)


def _page(
    analysis: Analysis,
    answer: Answer,
    numbered: list[tuple[str, Table]],
    advantages: tuple[Advantage, ...],
    gaps: tuple[Gap, ...],
) -> bytes:
    results, campaign = analysis.results, analysis.campaign
    spheres = analysis.of_task("spheres")
    departures = departures_of(campaign)
    sections: dict[str, list[tuple[str, Table]]] = {}
    for label, table in numbered:
        sections.setdefault(table.section, []).append((label, table))
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            campaign=campaign,
            answer=answer,
            sections=sections,
            headline=figures.headline_panels(analysis, advantages),
            legend=figures.legend_of(analysis),
            has_paper=tables.is_paper(analysis),
            areas=[
                p for grid in spheres for p in figures.result_panels(analysis, grid, "auroc", grid.cohort)
            ],
            gap_panels=[p for grid in spheres for p in figures.gap_panels(analysis, grid, gaps)],
            training_sets=max((len(grid.experiment.training_sets) for grid in spheres), default=1),
            roc=[p for grid in spheres for p in figures.roc_panels(analysis, grid)],
            training=[
                (
                    f"{grid.experiment.title}, cohort {grid.cohort}",
                    len(grid.experiment.training_sets) * grid.experiment.groups,
                    figures.training_panels(grid),
                )
                for grid in analysis.grids
            ],
            convergence=figures.convergence_panels(analysis),
            flows=[(cohort.name, stages_of(cohort)) for cohort in results.cohorts],
            examples=_examples(analysis),
            departures=[row for row in departures if row.differs],
            same=[row for row in departures if not row.differs],
            provenance=results.provenance,
            campaign_text=results.campaign_text,
            printed=printed,
            interval=interval,
            is_estimate=lambda value: isinstance(value, Estimate),
            models=sum(len(cell.selection.kept) for cell in results.cells),
            runs=sum(cell.selection.trained for cell in results.cells),
        )
    )
    return page.encode()


def _examples(analysis: Analysis) -> list[tuple[str, list[tuple[Example, Markup]]]]:
    """Examples by title, in the order in which the titles first appear."""
    by_title: dict[str, list[tuple[Example, Markup]]] = {}
    for example in analysis.results.examples:
        svg = Markup(example_svg(example))
        by_title.setdefault(example.title, []).append((example, svg))
    return list(by_title.items())


def _environment() -> Environment:
    folder = files("nameplate_evaluation") / "templates"
    environment = Environment(
        loader=FunctionLoader(lambda name: (folder / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plot"] = _plot
    return environment


def _plot(panel: Panel) -> Markup:
    """A panel's plot as markup: it is our own, with its texts already escaped."""
    return Markup(panel.svg)


def _metrics(analysis: Analysis, answer: Answer, whole: list[Table]) -> dict[str, Any]:
    campaign = analysis.campaign
    return {
        "campaign": campaign.name,
        "seed": campaign.seed,
        "confidence": analysis.confidence,
        "resamples": campaign.bootstrap.resamples,
        "answer": answer.sentence,
        "warnings": list(answer.warnings),
        "findings": list(answer.findings),
        "metrics_of_tasks": {task: list(names) for task, names in METRICS.items()},
        "tables": {
            table.name: [
                {c.key: _value(v) for c, v in zip(table.columns, row, strict=True)} for row in table.rows
            ]
            for table in whole
        },
    }


def _value(value: Value) -> Any:
    if isinstance(value, Estimate):
        return {
            "mean": _rounded(value.mean),
            "sd": _rounded(value.sd),
            "low": _rounded(value.low),
            "high": _rounded(value.high),
            "models": value.models,
            "exams": value.exams,
        }
    return _rounded(value) if isinstance(value, float) else value


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.9g}")


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
