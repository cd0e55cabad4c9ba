"""Thresholds at a specificity, at every edge; and what is lost when they are carried to another level."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.threshold import thresholds_at, transfers_of


def at(scored, negatives, specificity, positives=(0.99,)):
    """The threshold of one run with these scores of negatives."""
    labels = [0] * len(negatives) + [1] * len(positives)
    found = thresholds_at(scored([[*negatives, *positives]], labels), specificity)
    return None if found is None else float(found[0])


TENTHS = [n / 10 for n in range(10)]


@pytest.mark.parametrize(
    ("specificity", "threshold"),
    [
        (0.90, 0.85),  # nine of ten below it; 0.9 x 10 is 9.000000000000002 or so
        (0.91, 0.95),  # ten of ten: half-way to 1
        (0.999, 0.95),
        (0.80, 0.75),
        (0.81, 0.85),
        (0.05, 0.05),
    ],
)
def test_threshold_is_half_way_between_the_negatives_that_it_parts(scored, specificity, threshold):
    assert at(scored, TENTHS, specificity) == pytest.approx(threshold)
    assert at(scored, TENTHS[::-1], specificity) == pytest.approx(threshold)


def test_positives_do_not_count(scored):
    assert at(scored, TENTHS, 0.9, positives=(0.86, 0.2)) == pytest.approx(0.85)


def test_each_run_has_its_own_threshold(scored):
    values = [[0.1, 0.2, 0.9], [0.5, 0.7, 0.9]]
    found = thresholds_at(scored(values, [0, 0, 1]), 0.5)
    assert found.tolist() == pytest.approx([0.15, 0.6])


def test_without_negatives_there_is_no_threshold(scored):
    assert at(scored, [], 0.9) is None


def test_equal_scores_are_not_parted(scored):
    assert at(scored, [0.3] * 10, 0.9) == pytest.approx(0.65)
    assert at(scored, [0.1, 0.3, 0.3, 0.3, 0.7], 0.4) == pytest.approx(0.5)


def test_of_negatives_that_all_score_one_none_is_positive(scored):
    assert at(scored, [0.2, 1.0, 1.0], 0.9) > 1.0
    assert 0.2 < at(scored, [0.2, 1.0, 1.0], 0.3) < 1.0


@given(
    st.lists(
        st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5 + 2**-53, 0.9, 1 - 2**-53, 1.0]), min_size=1, max_size=25
    ),
    st.floats(0.01, 0.99),
)
def test_the_share_is_kept_by_this_threshold_and_by_none_that_parts_the_negatives_lower(
    scored, negatives, specificity
):
    threshold = at(scored, negatives, specificity)
    below = np.array(negatives) < threshold
    assert below.mean() >= specificity - 1e-9
    lower = sorted({score for score in negatives if score < threshold})[:-1]
    for score in lower:  # a threshold just above a lower score keeps too few
        assert np.mean(np.array(negatives) <= score) < specificity


# Carried from one level to another.


@pytest.fixture(scope="module")
def analysis(plant):
    """Siemens' exams score higher by one logit, whatever was trained on: a matter of the threshold alone."""
    results = plant(own=(3.0, 2.0), runs=3, exams=120, val=60)
    return analyse(shifted(results, 1.0))


def shifted(results, by):
    cells = []
    for cell in results.cells:
        predictions = {
            seed: tuple(
                row.model_copy(update={"score": raised(row.score, by)}) if row.level == "Siemens" else row
                for row in rows
            )
            for seed, rows in cell.predictions.items()
        }
        cells.append(replace(cell, predictions=predictions))
    return replace(results, cells=tuple(cells))


def raised(score, by):
    return float(1 / (1 + np.exp(-(np.log(score / (1 - score)) + by))))


def test_what_a_shift_of_scores_loses_comes_back_with_a_threshold_of_ones_own(analysis):
    (grid,) = analysis.of_task("spheres")
    found = {(one.dataset, one.trained): one for one in transfers_of(analysis, grid)}
    assert list(found) == [(task, level) for task in ("easy", "medium") for level in ("GE", "Siemens")]
    for (_, trained), one in found.items():
        assert one.tested == ("Siemens" if trained == "GE" else "GE")
        assert one.lost.mean == pytest.approx(one.own.mean - one.carried.mean)
    worst = found["easy", "GE"]  # its threshold is too low for Siemens
    assert worst.lost.mean > 0.05
    assert worst.returned.mean > 0.6 * worst.lost.mean


def test_accuracies_are_those_at_the_thresholds_of_each_run_by_hand(analysis):
    (grid,) = analysis.of_task("spheres")
    (one,) = [t for t in transfers_of(analysis, grid) if (t.dataset, t.trained) == ("medium", "Siemens")]
    cell = grid.cell("medium", "Siemens")

    def accuracy(tested, chosen_on):
        rights = []
        for rows in cell.cell.predictions.values():
            negatives = sorted(r.score for r in rows if (r.split, r.level, r.label) == ("val", chosen_on, 0))
            threshold = (negatives[26] + negatives[27]) / 2  # 27 of 30 below it
            test = [r for r in rows if (r.split, r.level) == ("test", tested)]
            rights.append(np.mean([(r.score >= threshold) == (r.label == 1) for r in test]))
        return np.mean(rights)

    assert one.own.mean == pytest.approx(accuracy("Siemens", "Siemens"))
    assert one.carried.mean == pytest.approx(accuracy("GE", "Siemens"))
    assert one.returned.mean == pytest.approx(accuracy("GE", "GE") - accuracy("GE", "Siemens"))


def test_the_specificity_is_that_of_the_campaign(plant):
    means = []
    for specificity in (0.5, 0.95):
        analysis = analyse(
            plant(own=(1.0,), runs=3, exams=100, val=40, analysis={"specificity": specificity})
        )
        (grid,) = analysis.of_task("spheres")
        means.append([one.own.mean for one in transfers_of(analysis, grid)])
    assert means[0] != means[1]


def test_mixed_training_carries_no_threshold(plant):
    analysis = analyse(plant(own=(2.0,), training_sets=["mixed", "GE"]))
    (grid,) = analysis.of_task("spheres")
    assert [one.trained for one in transfers_of(analysis, grid)] == ["GE"]
