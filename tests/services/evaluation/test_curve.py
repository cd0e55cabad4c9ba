"""The advantage over difficulty: from six tasks on, never falling, and where it leaves the margin."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate.campaign.dataset import DifficultySettings
from nameplate_evaluation.advantage import advantage_of
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.curve import axis_of, curve_of
from nameplate_evaluation.measure import contrast_of

RISING = {"own": (3,) * 6, "other": (3, 2.95, 2.8, 2.2, 1.4, 0.6), "exams": 80, "run_sd": 0.02}


def curve(results, metric="auroc"):
    analysis = analyse(results)
    (grid,) = analysis.of_task("spheres")
    advantage = advantage_of(analysis, grid, metric)
    return advantage, curve_of(analysis, advantage)


def test_five_tasks_are_no_curve_and_six_are(plant):
    assert curve(plant(own=(3,) * 5, runs=2))[1] is None
    assert curve(plant(own=(3,) * 6, runs=2))[1] is not None


def test_the_curve_is_in_auroc(plant):
    assert curve(plant(own=(3,) * 6, runs=2), "probit")[1] is None


def test_the_fit_never_falls_and_pools_what_does(plant):
    advantage, found = curve(plant(**RISING))
    values = [estimate.mean for estimate in advantage.by_task.values()]
    assert (np.diff(found.fit) >= 0).all()
    assert found.fit[-1] == pytest.approx(values[-1])
    falling = {**RISING, "other": RISING["other"][::-1]}
    advantage, found = curve(plant(**falling))
    assert np.ptp(found.fit) == pytest.approx(0)
    values = [estimate.mean for estimate in advantage.by_task.values()]
    assert min(values) < found.fit[0] < max(values)


def test_the_onset_is_the_first_task_whose_fit_is_above_the_margin(plant):
    _, found = curve(plant(**RISING))
    above = [task for task, value in zip(found.advantage.by_task, found.fit, strict=True) if value > 0.02]
    assert found.onset == above[0] == "t3"
    assert found.margin == 0.02
    _, later = curve(plant(**RISING, analysis={"margin": {"auroc": 0.08}}))
    assert later.onset == "t4"


def test_shown_is_the_first_task_whose_interval_is_above_the_margin(plant):
    for margin in (0.02, 0.04):
        advantage, found = curve(plant(**RISING, analysis={"margin": {"auroc": margin}}))
        low = [contrast_of(parts).interval(0.95)[0] for parts in advantage.parts.values()]
        expected = next(task for task, end in zip(advantage.by_task, low, strict=True) if end > margin)
        assert found.shown == expected
    assert (found.onset, found.shown) == ("t3", "t4")


def test_an_advantage_that_stays_within_the_margin_has_neither_onset_nor_is_it_shown(plant):
    _, found = curve(plant(own=(3,) * 6, exams=80, noise=0.1))
    assert (found.onset, found.shown) == (None, None)


def test_tasks_without_any_error_do_not_rule_the_fit(plant):
    _, found = curve(plant(own=(40, 3, 3, 3, 3, 3), other=(40, 2.5, 2.0, 2.0, 1.5, 1.2)))
    assert np.isfinite(found.fit).all()
    assert found.fit[0] == pytest.approx(0)
    assert found.fit[1] > 0.01


def test_a_task_that_is_missing_is_not_on_the_curve(plant):
    results = plant(own=(3,) * 7, runs=2)
    cells = tuple(c for c in results.cells if c.cell.dataset != "t3")
    _, found = curve(replace(results, cells=cells))
    assert len(found.x) == len(found.fit) == 6
    assert found.x == (20, 18, 16, 12, 10, 8)


def tasks(**changes):
    """Three tasks that differ in what is given, a value each."""
    rows = []
    for place in range(3):
        own = {"name": f"t{place}", "radius_mm": (15, 17), "hu_mean": 50, "hu_sd": 2}
        rows.append(DifficultySettings(**own | {name: values[place] for name, values in changes.items()}))
    return rows


@pytest.mark.parametrize(
    ("changes", "axis"),
    [
        ({"radius_mm": ((20, 24), (15, 17), (9, 11))}, ("radius, mm", (22, 16, 10))),
        ({"hu_mean": (60, 50, 40)}, ("sphere, HU", (60, 50, 40))),
        (
            {"start": (None, "t0", "t0"), "share": (1.0, 0.3, 0.6)},
            ("share of changed spheres", (0, 0.3, 0.6)),
        ),
        ({"hu_mean": (60, 50, 40), "radius_mm": ((20, 24), (15, 17), (9, 11))}, ("task", (0, 1, 2))),
        ({"hu_mean": (60, 50, 50)}, ("task", (0, 1, 2))),
        ({}, ("task", (0, 1, 2))),
    ],
)
def test_the_axis_is_the_one_quantity_that_changes_or_the_tasks_place(changes, axis):
    assert axis_of(tasks(**changes)) == axis
