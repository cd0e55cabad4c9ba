"""The own-level advantage, its growth, and gaps: against sums of the cells' own figures by hand."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate.stats.holm import holm
from nameplate_evaluation.advantage import advantage_of, advantages_of, gaps_of
from nameplate_evaluation.analysis import analyse

TASKS = ("easy", "medium", "hard")


@pytest.fixture(scope="module")
def results(plant):
    return plant(own=(3.4, 2.6, 2.2), other=(2.6, 2.0, 0.8))


@pytest.fixture(scope="module")
def analysis(results):
    return analyse(results)


def grid_of(analysis, role="study"):
    (grid,) = analysis.of_task("spheres", role)
    return grid


def theta(grid, task, trained, tested, metric="auroc"):
    return grid.measured(task, trained, tested, metric).mean


def by_hand(grid, task, metric="auroc", levels=("GE", "Siemens")):
    own = np.mean([theta(grid, task, level, level, metric) for level in levels])
    other = np.mean([theta(grid, task, a, b, metric) for a in levels for b in levels if a != b])
    return own - other


@pytest.mark.parametrize("metric", ["auroc", "probit", "accuracy"])
def test_advantage_is_own_minus_other_and_then_the_mean_over_the_tasks(analysis, metric):
    grid = grid_of(analysis)
    found = advantage_of(analysis, grid, metric)
    expected = [by_hand(grid, task, metric) for task in TASKS]
    assert list(found.by_task) == list(TASKS)
    assert [found.by_task[task].mean for task in TASKS] == pytest.approx(expected)
    assert found.overall.mean == pytest.approx(np.mean(expected))
    assert found.missing == ()


def test_growth_is_the_rise_of_a_line_from_the_first_task_to_the_last(analysis):
    """At 0, 20 and 35 % of changed spheres."""
    grid = grid_of(analysis)
    found = advantage_of(analysis, grid, "auroc")
    slope, _ = np.polyfit([0, 0.20, 0.35], [by_hand(grid, task) for task in TASKS], 1)
    assert found.growth.mean == pytest.approx(0.35 * slope)


def test_advantage_is_half_the_difference_of_the_gaps_of_two_levels(analysis):
    grid = grid_of(analysis)
    gaps = {(gap.dataset, gap.training_set): gap for gap in gaps_of(analysis, grid)}
    for metric in ("accuracy", "auroc"):
        found = advantage_of(analysis, grid, metric)
        for task in TASKS:
            first, second = (gaps[task, level].by_metric[metric].mean for level in ("GE", "Siemens"))
            assert found.by_task[task].mean == pytest.approx((first - second) / 2)


def test_all_tasks_and_the_growth_have_an_interval_though_a_task_is_at_the_ceiling(plant):
    analysis = analyse(plant(own=(30, 2.6, 2.2), other=(20, 2.0, 0.8)))
    found = advantage_of(analysis, grid_of(analysis), "auroc")
    assert found.by_task["easy"].low is None
    assert found.overall.low < found.overall.mean < found.overall.high
    assert found.growth.low < found.growth.mean < found.growth.high
    assert not found.at_ceiling
    assert found.overall.exams == 80
    assert found.overall.models == 3 * 2 * 4


def test_with_three_levels_the_others_are_averaged(plant):
    levels = ("GE", "Siemens", "Philips")
    analysis = analyse(plant(own=(2.5,), other=(1.5,), factor={"levels": levels}, runs=3))
    grid = grid_of(analysis)
    found = advantage_of(analysis, grid, "auroc")
    assert found.overall.mean == pytest.approx(by_hand(grid, "easy", levels=levels))
    assert sum(factor for factor, _ in found.overall_parts) == pytest.approx(0)
    assert len(found.overall_parts) == 9


def test_one_task_has_no_growth(plant):
    analysis = analyse(plant(own=(2.5,), other=(1.5,)))
    found = advantage_of(analysis, grid_of(analysis), "auroc")
    assert found.growth is None
    assert found.overall.mean == pytest.approx(found.by_task["easy"].mean)


def without(results, *gone):
    """The results without these cells, by task and training set."""
    cells = [c for c in results.cells if (c.cell.dataset, c.cell.training_set) not in gone]
    return replace(results, cells=tuple(cells))


def test_a_task_that_lacks_a_training_set_is_missing_and_the_rest_has_no_growth(results):
    analysis = analyse(without(results, ("medium", "GE")))
    found = advantage_of(analysis, grid_of(analysis), "auroc")
    assert found.missing == ("medium",)
    assert list(found.by_task) == ["easy", "hard"]
    assert found.growth is None
    grid = grid_of(analysis)
    assert found.overall.mean == pytest.approx(np.mean([by_hand(grid, task) for task in ("easy", "hard")]))


def test_without_both_training_sets_in_any_task_there_is_no_advantage(results):
    analysis = analyse(without(results, *((task, "GE") for task in TASKS)))
    assert advantage_of(analysis, grid_of(analysis), "auroc") is None
    assert advantages_of(analysis, analysis.grids) == ()


def test_an_arm_of_part_of_a_levels_exams_is_no_training_set_of_that_level(plant):
    arms = [{"name": "few GE", "levels": ["GE"], "exams": 20}]
    analysis = analyse(plant(own=(2.5,), other=(1.5,), training_sets=["Siemens"], arms=arms))
    assert advantage_of(analysis, grid_of(analysis), "auroc") is None
    whole = [{"name": "GE alone", "levels": ["GE"]}]
    analysis = analyse(plant(own=(2.5,), other=(1.5,), training_sets=["Siemens"], arms=whole))
    assert advantage_of(analysis, grid_of(analysis), "auroc").overall.models == 8


def test_the_best_runs_of_each_cell_are_the_first_kept(analysis):
    grid = grid_of(analysis)
    best = advantage_of(analysis, grid, "auroc", best=2)
    merits = {
        (trained, tested): grid.measured("easy", trained, tested, "auroc").merit.values[:2].mean()
        for trained in ("GE", "Siemens")
        for tested in ("GE", "Siemens")
    }
    expected = merits["GE", "GE"] + merits["Siemens", "Siemens"]
    expected -= merits["GE", "Siemens"] + merits["Siemens", "GE"]
    assert best.by_task["easy"].mean == pytest.approx(expected / 2)
    assert best.overall.models == 3 * 2 * 2


def test_groups_of_runs_have_an_advantage_each(plant):
    analysis = analyse(plant(own=(2.5,), other=(1.5,), groups=2))
    grid = grid_of(analysis)
    found = [one for one in advantages_of(analysis, [grid]) if one.metric == "auroc"]
    assert [one.group for one in found] == [0, 1]
    assert found[0].overall.mean != found[1].overall.mean
    own = [grid.measured("easy", level, level, "auroc", group=1).mean for level in ("GE", "Siemens")]
    other = [
        grid.measured("easy", a, b, "auroc", group=1).mean for a, b in (("GE", "Siemens"), ("Siemens", "GE"))
    ]
    assert found[1].overall.mean == pytest.approx(np.mean(own) - np.mean(other))


def test_every_metric_that_has_an_advantage_has_one(analysis, complete):
    assert [one.metric for one in advantages_of(analysis, [grid_of(analysis)])] == [
        "auroc",
        "probit",
        "accuracy",
    ]
    everything = analyse(complete)
    assert [one.metric for one in advantages_of(everything, everything.of_task("segmentation"))] == ["dice"]
    assert advantages_of(everything, everything.of_task("factor")) == ()


def test_segmentation_has_no_growth(complete):
    analysis = analyse(complete)
    (one,) = advantages_of(analysis, analysis.of_task("segmentation"))
    assert one.growth is None


def test_gaps_are_first_minus_second_level_in_the_grids_order(analysis):
    grid = grid_of(analysis)
    gaps = gaps_of(analysis, grid)
    assert [(gap.dataset, gap.training_set) for gap in gaps] == [
        (task, level) for task in TASKS for level in ("GE", "Siemens")
    ]
    for gap in gaps:
        assert (gap.first, gap.second) == ("GE", "Siemens")
        for metric, found in gap.by_metric.items():
            ours, theirs = (theta(grid, gap.dataset, gap.training_set, x, metric) for x in ("GE", "Siemens"))
            assert found.mean == pytest.approx(ours - theirs)
            assert found.models == 4
            assert found.exams == 80


def test_holms_p_allows_for_every_gap_of_the_grid(analysis):
    gaps = gaps_of(analysis, grid_of(analysis))
    own = [gap.by_metric["auroc"].p for gap in gaps]
    assert [gap.p_holm for gap in gaps] == holm(own)
    assert any(adjusted > p for adjusted, p in zip([g.p_holm for g in gaps], own, strict=True) if p)


def test_a_gap_at_the_ceiling_is_not_tested(plant):
    analysis = analyse(plant(own=(30,), other=(20,)))
    for gap in gaps_of(analysis, grid_of(analysis)):
        assert gap.by_metric["auroc"].note == "at the ceiling"
        assert gap.p_holm is None
