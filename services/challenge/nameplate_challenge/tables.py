"""The files of a challenge for other programs: figures as JSON, detection, scores and the ledger as CSV."""

import json
from collections.abc import Mapping, Sequence

from nameplate.records import csv_cell, csv_text
from nameplate.steps.challenge import Outcome
from nameplate_challenge.asked import Asked
from nameplate_challenge.findings import Findings
from nameplate_challenge.subjects import Subject


def challenge_json(findings: Findings, asked: Asked) -> bytes:
    """All figures and what was asked, keys sorted."""
    content = {**findings.model_dump(mode="json"), "asked": asked.model_dump(mode="json")}
    return json.dumps(content, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"


def detection_csv(findings: Findings) -> str:
    """A row a level, contrast and radius; the untouched exams with no contrast and radius."""
    heads = (findings.factor, "hu", "radius_mm", "cases", "found", "share", "low", "high")
    rows: list[Sequence[str]] = [heads]
    for level in findings.levels:
        points = [(_number(curve.hu), point) for curve in level.curves for point in curve.points]
        for hu, point in ([("", level.untouched)] if level.untouched is not None else []) + points:
            rows.append(
                (
                    csv_cell(level.level),
                    hu,
                    _number(point.radius_mm) if hu else "",
                    str(point.cases),
                    str(point.found),
                    *(_number(value) for value in (point.share, point.low, point.high)),
                )
            )
    return csv_text(rows)


def scores_csv(outcomes: Sequence[Outcome], subjects: Mapping[str, Subject], factor: str) -> str:
    """A row a case with a score: the table that `nameplate audit` reads. ``exam`` names the case."""
    others = dict.fromkeys(name for subject in subjects.values() for name in subject.columns)
    own = ("patient", "exam", "label", "score", "radius_mm", "hu", "place", "original", factor)
    names = [name for name in others if name not in own]
    rows: list[Sequence[str]] = [(*own, *names)]
    for one in sorted(outcomes, key=lambda outcome: outcome.order):
        if one.score is None:
            continue
        columns = subjects[one.exam].columns
        rows.append(
            (
                csv_cell(one.patient),
                csv_cell(_case(one)),
                "0" if one.lesion is None else "1",
                _number(one.score),
                *_lesion(one),
                csv_cell(one.exam),
                csv_cell(one.level),
                *(csv_cell(columns.get(name, "")) for name in names),
            )
        )
    return csv_text(rows)


def ledger_csv(outcomes: Sequence[Outcome], refused: Sequence[tuple[str, str]], factor: str) -> str:
    """A row a case without a score and a row an exam that was not used, each with its reason."""
    rows = [("exam", "patient", factor, "radius_mm", "hu", "place", "reason", "said")]
    for name, reason in sorted(refused):
        rows.append((csv_cell(name), "", "", "", "", "", reason, ""))
    for one in sorted(outcomes, key=lambda outcome: outcome.order):
        if one.reason:
            known = (csv_cell(one.exam), csv_cell(one.patient), csv_cell(one.level))
            rows.append((*known, *_lesion(one), one.reason, csv_cell(one.said)))
    return csv_text(rows)


def _case(one: Outcome) -> str:
    lesion = one.lesion
    what = "untouched" if lesion is None else f"{lesion.hu:g}HU-{lesion.radius_mm:g}mm-{lesion.place}"
    return f"{one.exam}:{what}"


def _lesion(one: Outcome) -> tuple[str, str, str]:
    lesion = one.lesion
    return ("", "", "") if lesion is None else (f"{lesion.radius_mm:g}", f"{lesion.hu:g}", str(lesion.place))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.9g}"
