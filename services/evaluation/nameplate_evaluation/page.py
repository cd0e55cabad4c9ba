"""The report's page: everything that was found, through the template."""

from dataclasses import dataclass

from markupsafe import Markup

from nameplate_evaluation import challenge, figures, headline, quality, tables
from nameplate_evaluation.advantage import Gap
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.answer import Answer
from nameplate_evaluation.claim import Claim
from nameplate_evaluation.curve import Curve
from nameplate_evaluation.departures import departures_of
from nameplate_evaluation.environment import environment
from nameplate_evaluation.example import example_svg
from nameplate_evaluation.fingerprint import picture, words
from nameplate_evaluation.fingerprint.cards import card_link, study_with_cards
from nameplate_evaluation.fingerprint.where_it_lives import Fingerprint
from nameplate_evaluation.flow import stages_of
from nameplate_evaluation.limits import limits_of
from nameplate_evaluation.panel import Panel
from nameplate_evaluation.results import Example
from nameplate_evaluation.separability import Section
from nameplate_evaluation.table import Table, printed


@dataclass(frozen=True, kw_only=True)
class Found:
    """Everything that the page shows beside its tables."""

    analysis: Analysis
    answer: Answer
    claim: Claim | None
    findings: tuple[str, ...]
    gaps: tuple[Gap, ...]
    curves: tuple[Curve, ...]
    fingerprint: Fingerprint
    separability: Section


SECTIONS = (
    *("effect", "control", "factor", "spheres", "segmentation", "masks", "challenge", "fingerprint"),
    *("separability", "runs", "cohort", "evidence"),
)
"""Those with tables, in the order of the page."""
ALWAYS = ("answer", "why", "rests-on", "limits", "runs", "cohort", "settings", "provenance", "evidence")
"""Sections that every page has something in."""


def sections_of(found: Found, shown: list[Table]) -> set[str]:
    """Ids of the page's sections that hold something, given its tables."""
    optional = {"findings": bool(found.findings), "examples": bool(found.analysis.results.examples)}
    held = {name for name, holds in optional.items() if holds}
    return {*ALWAYS, *held, *(table.section for table in shown if table.section)}


def report_page(found: Found, numbered: list[tuple[str, Table]]) -> bytes:
    """index.html; ``numbered`` are its tables with their labels."""
    analysis, claim = found.analysis, found.claim
    results, campaign = analysis.results, analysis.campaign
    judged = analysis.judged()
    departures = departures_of(campaign)
    sections: dict[str, list[tuple[str, Table]]] = {}
    for label, table in numbered:
        sections.setdefault(table.section, []).append((label, table))
    arms = max((len(grid.experiment.all_arms) for grid in judged), default=1)
    page = (
        environment()
        .get_template("report.html.j2")
        .render(
            campaign=campaign,
            judged=" and ".join(dict.fromkeys(grid.experiment.what.title for grid in judged)),
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
            flips=headline.flips_panels(analysis, judged),
            fingerprint=picture.panels(found.fingerprint),
            fingerprint_words=words.sentences(found.fingerprint),
            separability=found.separability,
            challenged=challenge.sentences_of(results.detections),
            challenge_links=challenge.links_of(results.detections),
            cards=[card_link(name) for name in study_with_cards(analysis)],
            gap_panels=[p for grid in judged for p in figures.gap_panels(analysis, grid, found.gaps)],
            gap_legend=figures.legend_of_gaps(analysis, judged, found.gaps),
            training_sets=arms,
            roc=[p for grid in judged for p in figures.roc_panels(analysis, grid)],
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
            models=sum(len(cell.selection.kept) for cell in results.cells),
            runs=sum(cell.selection.trained for cell in results.cells),
        )
    )
    return page.encode()


def _results(analysis: Analysis, metric: str) -> list[Panel]:
    """One metric by task in every experiment of classification, one panel per training set."""
    grids = analysis.judged()
    return [p for grid in grids for p in figures.result_panels(analysis, grid, metric)]


def _curve(found: Found) -> Curve | None:
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
