import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_auc_score

from nameplate.stats.metrics import accuracy, auroc, dice, roc_curve, sensitivity, specificity

scored = st.lists(st.tuples(st.booleans(), st.integers(-40, 40)), min_size=2, max_size=60).filter(
    lambda rows: len({label for label, _ in rows}) == 2
)


def split(rows):
    return np.array([label for label, _ in rows]), np.array([score for _, score in rows]) / 8


@given(scored)
def test_auroc_is_that_of_scikit_learn_with_ties(rows):
    labels, scores = split(rows)
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))


@given(scored)
def test_auroc_keeps_under_monotone_maps(rows):
    labels, scores = split(rows)
    assert auroc(labels, np.exp(scores)) == auroc(labels, scores)
    assert auroc(labels, 3 * scores**3 - 2) == auroc(labels, scores)


@given(scored)
def test_auroc_of_turned_scores_or_labels_is_the_complement(rows):
    labels, scores = split(rows)
    assert auroc(labels, -scores) == pytest.approx(1 - auroc(labels, scores))
    assert auroc(~labels, scores) == pytest.approx(1 - auroc(labels, scores))


@given(scored)
def test_area_under_the_roc_curve_is_the_auroc(rows):
    labels, scores = split(rows)
    curve = roc_curve(labels, scores)
    fpr, tpr = curve.false_positive_rate, curve.true_positive_rate
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    assert (np.diff(fpr) >= 0).all()
    assert (np.diff(tpr) >= 0).all()
    assert np.trapezoid(tpr, fpr) == pytest.approx(auroc(labels, scores))


@given(scored)
def test_accuracy_is_the_mixture_of_sensitivity_and_specificity(rows):
    labels, scores = split(rows)
    share = labels.mean()
    expected = share * sensitivity(labels, scores) + (1 - share) * specificity(labels, scores)
    assert accuracy(labels, scores) == pytest.approx(expected)
    assert accuracy(labels, scores) == accuracy_score(labels, scores >= 0.5)


def test_a_score_at_the_threshold_is_positive():
    assert sensitivity([1, 0], [0.5, 0.4]) == 1.0
    assert specificity([1, 0], [0.5, 0.5]) == 0.0


def test_figures_of_an_absent_class_are_none():
    assert auroc([1, 1], [0.1, 0.2]) is None
    assert sensitivity([0, 0], [0.1, 0.2]) is None
    assert specificity([1, 1], [0.1, 0.2]) is None
    assert roc_curve([0, 0], [0.1, 0.2]) is None
    assert accuracy([], []) is None


@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [([0, 1], [0.1], "one length"), ([0, 2], [0.1, 0.2], "0 and 1"), ([0, 1], [0.1, np.nan], "NaN")],
)
def test_wrong_input_is_named(labels, scores, words):
    with pytest.raises(ValueError, match=words):
        auroc(labels, scores)


def test_dice_by_hand():
    first, second = np.zeros((2, 3), dtype=np.uint8), np.zeros((2, 3), dtype=np.uint8)
    assert dice(first, second) == 1.0
    first[0], second[:, 0] = 1, 1
    assert dice(first, second) == pytest.approx(2 * 1 / (3 + 2))
    with pytest.raises(ValueError, match="one shape"):
        dice(first, second[0])
