"""What a campaign could find: the formulas against all covariances written out, and simulated campaigns."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from nameplate.campaign import Campaign, parse_campaign
from nameplate.campaign.analysis import AssumedSettings
from nameplate.plan.power import (
    Task,
    auroc_variance,
    case_variance,
    contrast_variance,
    dice_task,
    least_effect,
    run_variance,
    sphere_tasks,
    task_aurocs,
)
from nameplate.plan.summary import plan_summary, power_lines
from nameplate.stats.growth import growth_weights

AXIS = (0, 0.20, 0.35)


def test_the_variance_of_an_auroc_is_that_of_exponential_scores() -> None:
    """For these the formula is exact; and of one pair, the AUROC is the toss of a coin."""
    random, positives, negatives = np.random.default_rng(3), 18, 25
    ill = random.exponential(6.0, (20_000, positives, 1))
    well = random.exponential(1.0, (20_000, 1, negatives))
    aurocs = (ill > well).mean(axis=(1, 2))
    assert aurocs.mean() == pytest.approx(6 / 7, abs=0.002)
    assert auroc_variance(6 / 7, positives, negatives) == pytest.approx(aurocs.var(), rel=0.04)
    assert auroc_variance(0.8, 1, 1) == pytest.approx(0.8 * 0.2)


def _factors(levels: int) -> NDArray[np.float64]:
    """Of theta(T, M) in the advantage, as (T, M)."""
    others = -np.ones((levels, levels)) / (levels * (levels - 1))
    return np.where(np.eye(levels, dtype=bool), 1 / levels, others)


def _alike(size: int, correlation: float) -> NDArray[np.float64]:
    return correlation + (1 - correlation) * np.eye(size)


@pytest.mark.parametrize("levels", [2, 3, 5])
@pytest.mark.parametrize("twins", [0.0, 0.75])
def test_the_formulas_are_the_sums_of_all_covariances(levels: int, twins: float) -> None:
    factors = _factors(levels)
    s, r, v, e = 0.07, 0.4, 0.002, 0.3
    for own in range(levels):
        contrast = factors[own] * levels
        assert contrast @ (s**2 * _alike(levels, r)) @ contrast == pytest.approx(run_variance(s, r, levels))
    exams = v * np.kron(_alike(levels, e), _alike(levels, twins))
    assert factors.ravel() @ exams @ factors.ravel() == pytest.approx(case_variance(v, levels, e, twins))


@pytest.mark.parametrize("weights", [[1 / 3] * 3, growth_weights(AXIS).tolist(), [0, 0, 1]])
def test_a_contrast_over_tasks_is_the_sum_of_all_covariances(weights: list[float]) -> None:
    levels, correlation = 3, 0.4
    runs = ((3, 4, 5), (6, 7, 8), (2, 2.5, 9))
    tasks = [
        Task(run_variance=run, case_variance=case, runs=of_task)
        for run, case, of_task in zip((1.0, 2.0, 4.0), (0.5, 1.0, 3.0), runs, strict=True)
    ]
    expected, freedom = 0.0, 0.0
    for (task, weight), own in product(zip(tasks, weights, strict=True), range(levels)):
        of_runs = (weight / levels) ** 2 * task.run_variance / task.runs[own]
        expected += of_runs
        freedom += of_runs**2 / (task.runs[own] - 1)
    for (one, first), (other, second) in product(zip(tasks, weights, strict=True), repeat=2):
        alike = 1.0 if one is other else correlation
        expected += first * second * alike * (one.case_variance * other.case_variance) ** 0.5
    variance, df = contrast_variance(tasks, weights, correlation)
    assert variance == pytest.approx(expected)
    assert df == pytest.approx(expected**2 / freedom)


@pytest.mark.parametrize(
    ("positives", "negatives", "runs", "last", "growth", "overall", "least_growth"),
    [(18, 18, 3, 5.5, 5.5, 2.5, 15), (18, 18, 8, 4.4, 4.3, 2.1, 10), (40, 41, 10, 3.1, 3.1, 1.5, 7.5)],
)
def test_the_assumed_defaults_are_near_simulated_campaigns(
    positives: int, negatives: int, runs: int, last: float, growth: float, overall: float, least_growth: float
) -> None:
    """Standard errors and the least growth in AUROC points, within 15 %."""
    assumed = AssumedSettings()
    tasks = sphere_tasks(
        AXIS,
        ((runs, runs),) * 3,
        positives=positives,
        negatives=negatives,
        twins=False,
        assumed=assumed,
    )
    contrasts = {"last": [0, 0, 1], "growth": growth_weights(AXIS).tolist(), "overall": [1 / 3] * 3}
    errors = {
        name: 100 * contrast_variance(tasks, weights, assumed.exam_correlation)[0] ** 0.5
        for name, weights in contrasts.items()
    }
    assert errors == {
        "last": pytest.approx(last, rel=0.15),
        "growth": pytest.approx(growth, rel=0.15),
        "overall": pytest.approx(overall, rel=0.15),
    }
    correlation = assumed.exam_correlation
    least = least_effect(tasks, contrasts["growth"], correlation=correlation, confidence=0.95)
    assert 100 * least == pytest.approx(least_growth, rel=0.15)


@pytest.mark.parametrize(
    ("exams", "runs", "ratio"), [(36, 3, 3.8 / 4.5), (36, 8, 2.5 / 3.5), (81, 10, 1.8 / 2.4)]
)
def test_twins_make_errors_smaller_as_in_simulated_campaigns(exams: int, runs: int, ratio: float) -> None:
    def error(*, twins: bool) -> float:
        (task,) = sphere_tasks(
            (0,),
            ((runs, runs),),
            positives=exams // 2,
            negatives=exams - exams // 2,
            twins=twins,
            assumed=AssumedSettings(),
        )
        return float(contrast_variance([task], [1], 0.0)[0] ** 0.5)

    assert error(twins=True) / error(twins=False) == pytest.approx(ratio, rel=0.1)


def test_tasks_are_between_the_first_and_the_last_and_vary_less_near_the_ceiling() -> None:
    assumed = AssumedSettings()
    aurocs = task_aurocs(AXIS, assumed)
    assert (aurocs[0], aurocs[-1]) == (pytest.approx(assumed.first_auroc), pytest.approx(assumed.auroc))
    assert aurocs[0] > aurocs[1] > aurocs[2]
    assert task_aurocs((0,), assumed) == (assumed.auroc,)
    tasks = sphere_tasks(
        AXIS, ((4, 4),) * 3, positives=20, negatives=20, twins=False, assumed=assumed
    )  # fmt: skip
    assert tasks[0].run_variance < tasks[1].run_variance < tasks[2].run_variance
    assert tasks[2].run_variance == pytest.approx(run_variance(assumed.run_sd, assumed.run_correlation, 2))
    assert tasks[0].case_variance < tasks[1].case_variance < tasks[2].case_variance


def test_more_runs_and_more_exams_find_smaller_effects_and_more_confidence_larger_ones() -> None:
    def least(runs: float = 4, exams: int = 40, confidence: float = 0.95) -> float:
        task = dice_task((runs, runs), exams=exams, twins=False, assumed=AssumedSettings())
        return least_effect([task], [1], correlation=0.5, confidence=confidence)

    assert least(runs=8) < least(runs=4) < least(runs=2)
    assert least(exams=80) < least() < least(confidence=0.99)
    # Many runs: the normal quantiles 1.960 and 0.842 of the exams' error alone.
    task = dice_task((1e9, 1e9), exams=40, twins=False, assumed=AssumedSettings())
    expected = (1.959964 + 0.841621) * task.case_variance**0.5
    assert least(runs=1e9) == pytest.approx(expected, rel=1e-4)


def _campaign(text: str, **changes: Any) -> Campaign:
    """The tiny campaign with training on every level and three runs a cell."""
    raw = yaml.safe_load(text)
    for experiment in raw["experiments"][1:]:
        experiment["training_sets"] = ["GE", "Siemens"]
        experiment["rounds"] = {"first": 3, "target": 3, "limit": 6}
    for path, value in changes.items():
        *folders, name = path.split("__")
        place = raw
        for folder in folders:
            place = place[int(folder) if folder.isdigit() else folder]
        place[name] = value
    return parse_campaign(yaml.safe_dump(raw), "tiny")


def _effects(line: str) -> list[float]:
    """The numbers after 'advantage' and 'growth'."""
    words = line.replace(",", "").split()
    return [float(words[n + 1]) for n, word in enumerate(words) if word in ("advantage", "growth")]


def test_the_plan_says_what_could_be_found_and_what_it_assumes(tiny_text: str) -> None:
    campaign = _campaign(tiny_text)
    lines = power_lines(campaign)
    assert lines[0] == "least effects that 4 campaigns of 5 would find, at 95 % confidence"
    spheres, skull = (line for line in lines if " on study: " in line)
    assert spheres.startswith("  spheres on study: advantage ")
    assert spheres.endswith("AUROC points (3 runs a cell, 3 + 3 test exams per manufacturer)")
    assert skull.endswith("Dice (3 runs a cell, 6 test exams per manufacturer)")
    assert len(_effects(spheres)) == 2
    assert len(_effects(skull)) == 1  # one task does not grow
    assert [line[:12] for line in lines if "margin" in line] == ["    margin 2"]  # of the default comparison
    assert lines[4:] == [
        "  assumed (analysis.assumed; the report gives a campaign's own)",
        "    AUROC 0.99 in the first task to 0.92 in the last, standard deviation there 0.1 over runs",
        "    Dice: standard deviation 0.002 over runs, 0.005 over exams",
        "    correlation 0.5 of a run on two manufacturers, 0.5 of two training sets or tasks on an exam",
    ]
    summary = plan_summary(campaign, gpu_tflops=40)
    start = summary.index(lines[0])
    assert summary[start - 1 : start + len(lines) + 2] == ["", *lines, "", "bytes"]


def test_what_could_be_found_follows_the_settings(tiny_text: str) -> None:
    def least(**changes: Any) -> list[float]:
        return _effects(power_lines(_campaign(tiny_text, **changes))[1])

    usual = least()
    for smaller in (
        least(analysis={"assumed": {"run_sd": 0.02}}),
        least(experiments__1__rounds={"first": 9, "target": 9, "limit": 9}),
        least(cohorts__study__phantom__exams=208),
        least(cohorts__study__phantom__twins=True),
        least(analysis={"confidence": 0.8}),
    ):
        assert all(one < before for one, before in zip(smaller, usual, strict=True))
    one_task = [{"name": "easy", "radius_mm": [21, 26], "hu_mean": 50, "hu_sd": 2}]
    convergence = {"default": {"accuracy": 0.0}}
    assert len(least(datasets__spheres__difficulties=one_task, experiments__1__convergence=convergence)) == 1
    assert any(
        "twins" in line for line in power_lines(_campaign(tiny_text, cohorts__study__phantom__twins=True))
    )


def test_runs_are_those_expected_to_be_kept(tiny_text: str) -> None:
    rates = {"easy/GE": 0.5, "default": 1.0}
    rounds = {"first": 4, "target": 4, "limit": 6}
    campaign = _campaign(
        tiny_text, experiments__1__expected_convergence=rates, experiments__1__rounds=rounds
    )  # fmt: skip
    assert "(3 to 4 runs a cell, " in power_lines(campaign)[1]


def test_where_nothing_can_be_said(tiny_text: str) -> None:
    assert power_lines(parse_campaign(tiny_text, "tiny")) == []  # nothing is trained on GE alone
    fewer = [{"name": "few GE", "levels": ["GE"], "exams": 4}]
    only = _campaign(tiny_text, experiments__1__training_sets=["Siemens"], experiments__1__arms=fewer)
    assert not any("spheres on" in line for line in power_lines(only))
    once = _campaign(tiny_text, experiments__1__rounds={"first": 1, "target": 1, "limit": 1})
    assert "spheres on study: none, with 1 kept runs in a cell" in power_lines(once)[1]
    folder = _campaign(tiny_text, cohorts__study={"folder": "dicom", "shards": 2})
    assert "spheres on study: only the data can tell (set match.exams_per_level" in power_lines(folder)[1]


def test_controls_are_not_asked_what_they_could_find(tiny_text: str) -> None:
    null = {"from": "study", "shuffle": "factor", "role": "null-control"}
    campaign = _campaign(tiny_text, cohorts__null=null, experiments__1__cohorts=["study", "null"])
    named = [line.split(":")[0].strip() for line in power_lines(campaign) if ": advantage" in line]
    assert named == ["spheres on study", "skull on study"]


def test_a_stated_comparison_is_told_whether_its_size_can_meet_it(tiny_text: str) -> None:
    def said(margin: float) -> list[str]:
        analysis = {"comparisons": ["spheres", "skull"], "margin": {"auroc": margin, "dice": 0.01}}
        return [line for line in power_lines(_campaign(tiny_text, analysis=analysis)) if "margin" in line]

    least = _effects(power_lines(_campaign(tiny_text))[1])[0] / 100
    wide, narrow = said(1.1 * least), said(0.9 * least)
    assert wide[0].endswith("4 campaigns of 5 or more")
    assert narrow[0].endswith("fewer than 4 campaigns of 5: too small for it")
    assert narrow[0].startswith(f"    margin {90 * least:g} AUROC points")
    assert ["Dice" in line for line in wide] == [False, True]
    default = [line for line in power_lines(_campaign(tiny_text)) if "margin" in line]
    assert len(default) == 1  # of sphere classification
