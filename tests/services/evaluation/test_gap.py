import numpy as np
import pytest

from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.gap import advantage_of, gaps_of, growth


@pytest.fixture(scope="module")
def analysis(complete):
    return analyse(complete)


def test_advantage_is_half_the_difference_of_the_gaps(analysis):
    grid = analysis.of_task("spheres")[0]
    gaps = {(g.dataset, g.training_set): g for g in gaps_of(analysis, grid)}
    for dataset in ("easy", "medium", "hard"):
        for metric in ("accuracy", "auroc"):
            first, second = (gaps[dataset, s].by_metric[metric].mean for s in ("GE", "Siemens"))
            found = advantage_of(analysis, grid, dataset, metric)
            assert found.estimate.mean == pytest.approx((first - second) / 2)
            assert found.estimate.low <= found.estimate.mean <= found.estimate.high


def test_growth_is_the_difference_of_two_advantages(analysis):
    grid = analysis.of_task("spheres")[0]
    easy, hard = (advantage_of(analysis, grid, d, "auroc") for d in ("easy", "hard"))
    found = growth(analysis, easy, hard)
    assert found.mean == pytest.approx(hard.estimate.mean - easy.estimate.mean)
    assert growth(analysis, easy, easy).low == pytest.approx(0)
    assert growth(analysis, easy, easy).high == pytest.approx(0)


def test_delong_and_bootstrap_agree_on_the_error_of_a_gap(analysis):
    grid = analysis.of_task("spheres")[0]
    wide = [g for g in gaps_of(analysis, grid) if g.delong and g.delong.standard_error > 0.02]
    assert len(wide) >= 2
    for gap in wide:
        estimate = gap.by_metric["auroc"]
        assert gap.delong.difference == pytest.approx(estimate.mean)
        half = (estimate.high - estimate.low) / 2
        assert half == pytest.approx(1.96 * gap.delong.standard_error, rel=0.35)


def test_figures_of_a_cell_are_those_of_its_predictions(analysis, complete):
    cell = next(c for c in complete.cells if c.key[2:4] == ("hard", "GE"))
    rates = []
    for seed in cell.selection.kept:
        rows = [r for r in cell.predictions[seed] if r.split == "test" and r.level == "Siemens"]
        rates.append(np.mean([(r.score >= 0.5) == (r.label == 1) for r in rows]))
    measured = analysis.of_task("spheres")[0].measured("hard", "GE", "Siemens", "accuracy")
    assert measured.by_model.tolist() == pytest.approx(rates)
