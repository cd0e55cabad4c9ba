"""metrics.json: the report's numbers and words for programs."""

import dataclasses
import json
from typing import Any

from nameplate.campaign.tasks import TASKS
from nameplate_evaluation.claim import Claim
from nameplate_evaluation.fingerprint import words
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.page import Found
from nameplate_evaluation.table import Table, Value


def metrics_of(found: Found, whole: list[Table]) -> dict[str, Any]:
    """The content of metrics.json; ``whole`` are all tables."""
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
        "fingerprint": list(words.sentences(found.fingerprint)),
        "separability": list(found.separability.sentences),
        "metrics_of_tasks": {name: list(task.metrics) for name, task in TASKS.items()},
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


def json_bytes(value: Any) -> bytes:
    """A JSON file for people to read; the same value gives the same bytes."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
