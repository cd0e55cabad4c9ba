"""The report: results in, files out; no clock and no disk, so the same results give the same bytes."""

from nameplate_evaluation import (
    description_tables,
    effect_tables,
    further_tables,
    own_masks,
    quality,
    tables,
)
from nameplate_evaluation.advantage import Advantage, advantages_of, gaps_of
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.answer import answer_of
from nameplate_evaluation.challenge import detection_tables
from nameplate_evaluation.claim import claim_of, main_grid
from nameplate_evaluation.control import Check, checks_of
from nameplate_evaluation.curve import curve_of
from nameplate_evaluation.evidence import crate, criteria, sheet
from nameplate_evaluation.evidence.guidelines import Places
from nameplate_evaluation.evidence.model_card import model_card
from nameplate_evaluation.findings import findings_of
from nameplate_evaluation.fingerprint.cards import cards_of_study
from nameplate_evaluation.fingerprint.tables import tables as fingerprint_tables
from nameplate_evaluation.fingerprint.where_it_lives import fingerprint_of
from nameplate_evaluation.flow import flow_table
from nameplate_evaluation.metrics_file import json_bytes, metrics_of
from nameplate_evaluation.page import SECTIONS, Found, report_page, sections_of
from nameplate_evaluation.predictions import melody_files, tidy_csv
from nameplate_evaluation.prevalence import prevalence_table
from nameplate_evaluation.results import CampaignResults
from nameplate_evaluation.separability import section_of
from nameplate_evaluation.table import Table, csv_bytes, labelled


def build_report(results: CampaignResults) -> dict[str, bytes]:
    """Files of the report by path below its folder, as services/evaluation/README.md lists them.

    The campaign need not be complete. Raises StoreError for predictions that contradict each other.
    """
    analysis = analyse(results)
    grids = analysis.judged()
    gaps = tuple(gap for grid in grids for gap in gaps_of(analysis, grid))
    roles = sorted(analysis.grids, key=lambda g: list(effect_tables.ROLES).index(analysis.role(g.cohort)))
    advantages = advantages_of(analysis, roles)
    checks = checks_of(analysis)
    grid = main_grid(analysis)
    claim = claim_of(analysis, grid)
    separability = section_of(analysis)
    studied = tuple(one for one in advantages if analysis.role(one.grid.cohort) == "study")
    found = Found(
        analysis=analysis,
        answer=answer_of(analysis, grid, claim, checks, separability.warnings),
        claim=claim,
        findings=findings_of(analysis, grid, studied),
        gaps=gaps,
        curves=tuple(curve for one in studied if (curve := curve_of(analysis, one))),
        fingerprint=fingerprint_of(analysis),
        separability=separability,
    )
    stated = criteria.criteria_of(analysis, advantages)
    sizes = criteria.sizes_of(analysis, stated)
    shown = _tables(found, advantages, studied, checks)
    shown += [*fingerprint_tables(found.fingerprint), *separability.tables]
    shown += [criteria.criteria_table(analysis, stated), criteria.sizes_table(sizes)]
    numbered = labelled((table for table in shown if table.rows), sections=SECTIONS)
    report = {f"tables/{table.name}.csv": csv_bytes(table) for _, table in numbered}
    further = [further_tables.all_figures_table(analysis), flow_table(results.cohorts)]
    report |= {f"tables/{table.name}.csv": csv_bytes(table) for table in further}
    report |= {"predictions.csv": tidy_csv(analysis), **melody_files(analysis)}
    report |= quality.quality_files(results.cohorts)
    report |= cards_of_study(analysis)
    report |= results.pages
    report["provenance.json"] = json_bytes(
        {"campaign": results.campaign_text, "provenance": dict(results.provenance)}
    )
    report[sheet.CARD] = model_card(analysis, found.answer, stated, sizes)
    # The sheet says where in the report each item is answered: it comes last but for what lists all files.
    places = Places(
        sections=sections_of(found, [table for _, table in numbered]),
        tables=[table.name for _, table in numbered],
        files=[*report, "metrics.json"],
        synthetic=bool(analysis.campaign.datasets.spheres.difficulties),
    )
    lettered = sum(not table.paper for _, table in numbered)
    numbered = [*numbered, *labelled([sheet.guideline_table(places)], after=lettered)]
    whole = [table for _, table in numbered]
    report |= {f"tables/{table.name}.csv": csv_bytes(table) for table in whole[-1:]}
    report["metrics.json"] = json_bytes(metrics_of(found, [*whole, *further]))
    report["index.html"] = report_page(found, numbered)
    digest = results.provenance.get("campaign digest", "not known")
    campaign = analysis.campaign
    report[sheet.PAGE] = sheet.evidence_page(campaign.name, digest, campaign.stated_on, stated, sizes, places)
    report[crate.METADATA] = crate.crate(campaign, results.provenance, report)
    return report


def _tables(
    found: Found,
    advantages: tuple[Advantage, ...],
    studied: tuple[Advantage, ...],
    checks: tuple[Check, ...],
) -> list[Table]:
    """All tables of the page, in its order."""
    analysis, grids = found.analysis, found.analysis.judged()
    return [
        effect_tables.advantage_table(analysis, advantages),
        own_masks.advantage_table(analysis, advantages),
        description_tables.curve_table(found.curves),
        effect_tables.best_table(analysis, studied),
        description_tables.mixing_table(analysis, grids),
        description_tables.flips_table(analysis, grids),
        description_tables.threshold_table(analysis, grids),
        effect_tables.gap_table(analysis, found.gaps),
        description_tables.calibration_table(analysis, grids),
        tables.counts_table(analysis),
        prevalence_table(analysis),
        own_masks.volume_table(analysis),
        tables.factor_table(analysis),
        *tables.sphere_tables(analysis),
        tables.dice_table(analysis),
        own_masks.dice_table(analysis),
        *detection_tables(analysis.results.detections, analysis.campaign.factor.title),
        description_tables.radius_table(analysis, grids),
        description_tables.sensitivity_table(analysis),
        further_tables.convergence_table(analysis),
        further_tables.control_table(checks),
        further_tables.age_sex_table(analysis),
        quality.losses_table(analysis.results.cohorts),
    ]
