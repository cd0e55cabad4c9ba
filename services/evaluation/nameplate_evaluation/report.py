"""The report: results in, files out; no clock and no disk, so the same results give the same bytes."""

import dataclasses
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from nameplate_evaluation import (
    description_tables,
    effect_tables,
    figures,
    further_tables,
    headline,
    quality,
    tables,
)
from nameplate_evaluation.advantage import Advantage, Gap, advantages_of, gaps_of
from nameplate_evaluation.analysis import METRICS, Analysis, analyse
from nameplate_evaluation.answer import Answer, answer_of
from nameplate_evaluation.claim import Claim, claim_of, main_grid
from nameplate_evaluation.control import Check, checks_of
from nameplate_evaluation.curve import Curve, curve_of
from nameplate_evaluation.departures import departures_of
from nameplate_evaluation.example import example_svg
from nameplate_evaluation.findings import findings_of
from nameplate_evaluation.flow import flow_table, stages_of
from nameplate_evaluation.limits import limits_of
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.panel import Panel
from nameplate_evaluation.predictions import melody_files, tidy_csv
from nameplate_evaluation.results import CampaignResults, Example
from nameplate_evaluation.table import Table, Value, csv_bytes, interval, labelled, printed


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Everything that the page shows beside its tables."""

    analysis: Analysis
    answer: Answer
    claim: Claim | None
    findings: tuple[str, ...]
    gaps: tuple[Gap, ...]
    curves: tuple[Curve, ...]


def build_report(results: CampaignResults) -> dict[str, bytes]:
    """File names and contents: index.html, tables/*.csv, predictions.csv, melody/*.csv, JSON, quality/*.

    The campaign need not be complete. Raises StoreError for predictions that contradict each other.
    """
    analysis = analyse(results)
    grids = analysis.of_task("spheres")
    gaps = tuple(gap for grid in grids for gap in gaps_of(analysis, grid))
    roles = sorted(analysis.grids, key=lambda g: list(effect_tables.ROLES).index(analysis.role(g.cohort)))
    advantages = advantages_of(analysis, roles)
    checks = checks_of(analysis)
    grid = main_grid(analysis)
    claim = claim_of(analysis, grid)
    studied = tuple(one for one in advantages if analysis.role(one.grid.cohort) == "study")
    found = _Found(
        analysis=analysis,
        answer=answer_of(analysis, grid, claim, checks),
        claim=claim,
        findings=findings_of(analysis, grid, studied),
        gaps=gaps,
        curves=tuple(curve for one in studied if (curve := curve_of(analysis, one))),
    )
    shown = _tables(found, advantages, studied, checks)
    numbered = labelled(table for table in shown if table.rows)
    whole = [table for _, table in numbered]
    whole += [further_tables.all_figures_table(analysis), flow_table(results.cohorts)]
    report = {"index.html": _page(found, numbered)}
    report |= {f"tables/{table.name}.csv": csv_bytes(table) for table in whole}
    report |= {"predictions.csv": tidy_csv(analysis), **melody_files(analysis)}
    report |= quality.quality_files(results.cohorts)
    report["metrics.json"] = _json(_metrics(found, whole))
    report["provenance.json"] = _json(
        {"campaign": results.campaign_text, "provenance": dict(results.provenance)}
    )
    return report


def _tables(
    found: _Found,
    advantages: tuple[Advantage, ...],
    studied: tuple[Advantage, ...],
    checks: tuple[Check, ...],
) -> list[Table]:
    """All tables of the page, in its order."""
    analysis, grids = found.analysis, found.analysis.of_task("spheres")
    return [
        effect_tables.advantage_table(analysis, advantages),
        description_tables.curve_table(found.curves),
        effect_tables.best_table(analysis, studied),
        description_tables.mixing_table(analysis, grids),
        description_tables.flips_table(analysis, grids),
        description_tables.threshold_table(analysis, grids),
        effect_tables.gap_table(analysis, found.gaps),
        description_tables.calibration_table(analysis, grids),
        tables.counts_table(analysis),
        tables.factor_table(analysis),
        *tables.sphere_tables(analysis),
        tables.dice_table(analysis),
        description_tables.radius_table(analysis, grids),
        description_tables.sensitivity_table(analysis),
        further_tables.convergence_table(analysis),
        further_tables.control_table(checks),
        further_tables.age_sex_table(analysis),
        quality.losses_table(analysis.results.cohorts),
    ]


def _page(found: _Found, numbered: list[tuple[str, Table]]) -> bytes:
    analysis, claim = found.analysis, found.claim
    results, campaign = analysis.results, analysis.campaign
    spheres = analysis.of_task("spheres")
    departures = departures_of(campaign)
    sections: dict[str, list[tuple[str, Table]]] = {}
    for label, table in numbered:
        sections.setdefault(table.section, []).append((label, table))
    arms = max((len(grid.experiment.all_arms) for grid in spheres), default=1)
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            campaign=campaign,
            answer=found.answer,
            findings=found.findings,
            limits=limits_of(analysis),
            sections=sections,
            headline=headline.headline_panels(analysis, claim, _curve(found)),
            margin=printed(campaign.analysis.margin.auroc, "spread"),
            legend=figures.legend_of(analysis),
            has_paper=tables.is_paper(analysis),
            results=[
                (f"{tables.METRIC_NAMES[metric]} by task", _results(analysis, metric))
                for metric in ("auroc", "accuracy")
            ],
            flips=headline.flips_panels(analysis, spheres),
            gap_panels=[p for grid in spheres for p in figures.gap_panels(analysis, grid, found.gaps)],
            training_sets=arms,
            roc=[p for grid in spheres for p in figures.roc_panels(analysis, grid)],
            training=[
                (
                    f"{grid.experiment.title}, cohort {grid.cohort}",
                    len(grid.experiment.all_arms) * grid.experiment.groups,
                    figures.training_panels(grid),
                )
                for grid in analysis.grids
            ],
            convergence=figures.convergence_panels(analysis),
            flows=[
                (cohort.name, stages_of(cohort), quality.quality_links(cohort), quality.loss_warnings(cohort))
                for cohort in results.cohorts
            ],
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


def _results(analysis: Analysis, metric: str) -> list[Panel]:
    """One metric by task in every sphere experiment, one panel per training set."""
    grids = analysis.of_task("spheres")
    return [p for grid in grids for p in figures.result_panels(analysis, grid, metric)]


def _curve(found: _Found) -> Curve | None:
    """The curve of the main experiment."""
    main = found.claim.advantage.grid if found.claim else None
    return next((curve for curve in found.curves if curve.advantage.grid is main), None)


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


def _metrics(found: _Found, whole: list[Table]) -> dict[str, Any]:
    analysis = found.analysis
    campaign, claim = analysis.campaign, found.claim
    return {
        "campaign": campaign.name,
        "seed": campaign.seed,
        "analysis": campaign.analysis.model_dump(mode="json"),
        "answer": found.answer.sentence,
        "scope": found.answer.scope,
        "claim": None if claim is None else _claim(claim),
        "warnings": list(found.answer.warnings),
        "rests_on": dict(found.answer.rests_on),
        "findings": list(found.findings),
        "metrics_of_tasks": {task: list(names) for task, names in METRICS.items()},
        "tables": {
            table.name: [
                {c.key: _value(v) for c, v in zip(table.columns, row, strict=True)} for row in table.rows
            ]
            for table in whole
        },
    }


def _claim(claim: Claim) -> dict[str, Any]:
    """The numbers that the sentence comes from, all of them, with the shares of their variance."""
    return {
        "kind": claim.kind,
        "controlled": claim.controlled,
        "experiment": claim.advantage.grid.experiment.name,
        "cohort": claim.advantage.grid.cohort,
        **{
            name: {"advantage": _value(one.overall), "growth": _value(one.growth)}
            for name, one in (("auroc", claim.advantage), ("probit", claim.probit))
        },
        "null_controls": {
            one.grid.cohort: {"advantage": _value(one.overall), "growth": _value(one.growth)}
            for one in claim.controls
        },
    }


def _value(value: Value) -> Any:
    if isinstance(value, Estimate):
        return {
            name: _rounded(one) if isinstance(one, float) else one
            for name, one in {**dataclasses.asdict(value), "patient_share": value.patient_share}.items()
        }
    return _rounded(value) if isinstance(value, float) else value


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.9g}")


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
