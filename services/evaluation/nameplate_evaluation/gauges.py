"""The few numbers of the report that a cluster's monitoring shows. Pure."""

from collections.abc import Iterable
from statistics import fmean
from typing import Any

from nameplate.campaign import Campaign
from nameplate_evaluation.analysis import ALL

BOUNDS = {"mean": "advantage_mean", "low": "advantage_low", "high": "advantage_high"}
"""Names by the part of the estimate."""


def gauges_of(metrics: dict[str, Any], campaign: Campaign) -> dict[str, float]:
    """Numbers by name from ``metrics``, the content of metrics.json; one that does not exist is left out.

    AUROC as a fraction. ``advantage_mean``, ``_low`` and ``_high``: the answer, over all tasks.
    ``auroc_own`` and ``auroc_others``: of the same networks, those that were trained on one level, on test
    exams of that level and of the others. ``auroc_factor``: naming the level, on all test exams of the study.
    """
    gauges: dict[str, float] = {}
    figures = [
        row
        for row in metrics["tables"]["all-figures"]
        if row["split"] == "test" and row["metric"] == "auroc" and row["value"] is not None
    ]
    claim = metrics["claim"]
    if claim is not None:
        estimate = claim["auroc"]["advantage"]
        gauges |= {name: estimate[part] for part, name in BOUNDS.items() if estimate[part] is not None}
        own_level = {arm.name: arm.own_level for arm in campaign.experiment(claim["experiment"]).all_arms}
        main = [
            row
            for row in figures
            if (row["experiment"], row["cohort"]) == (claim["experiment"], claim["cohort"])
            and own_level[row["training_set"]] is not None
            and row["exams_of"] in campaign.factor.levels
        ]
        own = {True: "auroc_own", False: "auroc_others"}
        for is_own, name in own.items():
            rows = [row for row in main if (own_level[row["training_set"]] == row["exams_of"]) is is_own]
            gauges |= _mean(name, rows)
    factor = {one.name for one in campaign.experiments if one.task == "factor"}
    study = {name for name, cohort in campaign.cohorts.items() if cohort.role == "study"}
    naming = [
        row
        for row in figures
        if row["experiment"] in factor and row["cohort"] in study and row["exams_of"] == ALL
    ]
    return gauges | _mean("auroc_factor", naming)


def _mean(name: str, rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    values = [row["value"]["mean"] for row in rows]
    return {name: fmean(values)} if values else {}
