"""The files of an audit: a page, its tables as CSV, and all numbers as JSON. Pure."""

import json
import math
from typing import Any

import nameplate
from nameplate_evaluation.audit.answer import answers_of
from nameplate_evaluation.audit.audit import Audit
from nameplate_evaluation.audit.cautions import cautions_of
from nameplate_evaluation.audit.pictures import pictures_of
from nameplate_evaluation.audit.roles import Roles
from nameplate_evaluation.audit.tables import tables_of
from nameplate_evaluation.environment import environment
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.separability.words import CAUSE_OR_WAY
from nameplate_evaluation.table import Table, csv_bytes, labelled


def files_of(audit: Audit, roles: Roles, name: str) -> dict[str, bytes]:
    """By path; ``name`` is that of the table. The same audit gives the same bytes."""
    numbered = labelled(tables_of(audit))
    files = {f"tables/{table.name}.csv": csv_bytes(table) for _, table in numbered}
    files["index.html"] = _page(audit, roles, name, numbered)
    files["audit.json"] = _json(audit, roles, name)
    return dict(sorted(files.items()))


def read_lines(audit: Audit, roles: Roles, name: str) -> list[tuple[str, str]]:
    """How the table was read."""
    settings = audit.settings
    lines = [("File", name), *((part.split(" = ")[0], part.split(" = ")[1]) for part in roles.lines)]
    lines.append(("compared by", ", ".join(levels.title for levels in (audit.factor, *audit.others))))
    dice = audit.table.is_dice
    margin = audit.margin if dice else 100 * audit.margin
    stated = "" if settings.margin else " (nobody stated another)"
    lines.append(("margin", f"{margin:g}{'' if dice else ' AUROC points'}{stated}"))
    for one in audit.networks:
        if one.threshold is not None:
            of_one = f" of {one.network.name}" if one.network.name else ""
            lines.append((f"threshold{of_one}", f"{one.threshold:g}, {one.threshold_from}"))
    lines.append(("confidence", f"{100 * settings.confidence:g} %"))
    return lines


def _page(audit: Audit, roles: Roles, name: str, numbered: list[tuple[str, Table]]) -> bytes:
    sections: dict[str, list[tuple[str, Table]]] = {}
    for label, table in numbered:
        sections.setdefault(table.section, []).append((label, table))
    page = (
        environment()
        .get_template("audit.html.j2")
        .render(
            title=name,
            factor=audit.factor.title,
            answers=answers_of(audit),
            scope=scope_of(audit),
            warnings=cautions_of(audit),
            pictures=pictures_of(audit),
            several=len(audit.networks) > 1,
            limits=limits_of(audit),
            cause=CAUSE_OR_WAY.format(factor=audit.factor.title),
            sections=sections,
            read=read_lines(audit, roles, name),
            version=nameplate.__version__,
        )
    )
    return page.encode()


def scope_of(audit: Audit) -> str:
    """What the answer is about."""
    if audit.table.several_runs:
        return "This is about networks trained like these, and about patients like these."
    return "This is about this network as it is, on patients like these; one training says nothing of others."


def limits_of(audit: Audit) -> tuple[str, ...]:
    """What nobody can read from such a table."""
    title = audit.factor.title
    lines = [
        f"That the {title} causes a gap: exams of another {title} are of other patients, perhaps harder ones."
        " Planting the same lesions in exams of each (nameplate challenge) holds the task fixed.",
        "What happens to patients: a table of scores has no readers and no treatment.",
    ]
    if not audit.table.is_dice:
        lines.append(
            "How many ill there are where the network will be used: predictive values change with that, and"
            " are given for one prevalence."
        )
        lines.append("Errors of the reference standard: every label is taken for the truth.")
    return tuple(lines)


def _json(audit: Audit, roles: Roles, name: str) -> bytes:
    """Every number of the audit, keys sorted."""
    settings = audit.settings
    found: dict[str, Any] = {
        "table": name,
        "version": nameplate.__version__,
        "columns": roles.lines,
        "factor": audit.factor.column.field.name,
        "metric": audit.metric,
        "margin": audit.margin,
        "confidence": settings.confidence,
        "prevalence": audit.prevalence,
        "warnings": list(cautions_of(audit)),
        "left_out": [
            {"count": loss.count, "what": loss.what, "why": loss.reason} for loss in audit.table.losses
        ],
        "networks": [],
    }
    for one, answer in zip(audit.networks, answers_of(audit), strict=True):
        odds = one.main.odds
        found["networks"].append(
            {
                "network": one.network.name,
                "runs": list(one.network.runs),
                "verdict": answer.verdict,
                "answer": answer.sentence,
                "threshold": one.threshold,
                "chosen_threshold": one.chosen,
                "equal_opportunity_difference": odds.equal_opportunity,
                "average_odds_difference": odds.average_odds,
                "equalized_odds_difference": odds.equalized_odds,
                "all_exams": {key: _value(value) for key, value in one.whole.values.items()},
                "columns": [
                    {
                        "column": comparison.levels.column.field.name,
                        "levels": [
                            {
                                "level": of.level,
                                "exams": of.exams,
                                "patients": of.patients,
                                "positives": of.positives,
                                "figures": {key: _value(value) for key, value in of.values.items()},
                            }
                            for of in comparison.of_level
                        ],
                        "gaps": [
                            {
                                "first": gap.first,
                                "second": gap.second,
                                "metric": gap.metric,
                                "main": gap.main,
                                "p_holm": gap.p_holm,
                                **_value(gap.estimate),
                            }
                            for gap in comparison.gaps
                        ],
                    }
                    for comparison in one.comparisons
                ],
            }
        )
    return (json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _value(value: Estimate | str) -> dict[str, Any]:
    if isinstance(value, str):
        return {"missing": value}
    found = {
        "value": value.mean,
        "sd_over_runs": value.sd,
        "low": value.low,
        "high": value.high,
        "p": value.p,
        "detectable": value.detectable,
        "exams": value.exams,
        "note": value.note or None,
    }
    return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in found.items()}
