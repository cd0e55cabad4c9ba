import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.stats.delong import (
    compare_independent,
    covariance,
    holm,
    placements,
    variance,
)
from nameplate.stats.metrics import auroc
from nameplate.streams import stream


def brute(scores, labels):
    """DeLong's structural components by comparing every pair."""
    kernel = np.array(
        [[(x > y) + 0.5 * (x == y) for y in scores[~labels]] for x in scores[labels]], dtype=float
    )
    return kernel.mean(axis=1), kernel.mean(axis=0)


def draw(rng, shift=1.0, positives=12, negatives=15, models=1):
    labels = np.arange(positives + negatives) < positives
    scores = np.round(rng.normal(size=(models, labels.size)) + shift * labels, 1)
    return scores, labels


@given(st.integers(0, 10**6))
def test_variance_and_covariance_are_those_of_the_definition(seed):
    rng = stream(seed, "delong")
    first, labels = draw(rng)
    second, _ = draw(rng)
    ours = placements(first, labels), placements(second, labels)
    theirs = brute(first[0], labels), brute(second[0], labels)
    for a, b in ((0, 0), (0, 1), (1, 1)):
        expected = np.cov(theirs[a][0], theirs[b][0])[0, 1] / labels.sum()
        expected += np.cov(theirs[a][1], theirs[b][1])[0, 1] / (~labels).sum()
        assert covariance(ours[a], ours[b]) == pytest.approx(expected, abs=1e-12)
    assert ours[0].auroc == pytest.approx(auroc(labels, first[0]))


def test_variance_of_a_case_done_by_hand():
    # Positives 3, 2 against negatives 1, 2.5: the pairs won are 1 1 / 1 0, so that the AUROC is 3/4;
    # components of the positives 1, 1/2 and of the negatives 1, 1/2: each has variance 1/8.
    placed = placements(np.array([[3, 2, 1, 2.5]]), np.array([True, True, False, False]))
    assert placed.auroc == 0.75
    assert variance(placed) == pytest.approx(1 / 8 / 2 + 1 / 8 / 2)


def test_mean_of_models_has_the_variance_of_averaged_components():
    scores, labels = draw(stream(4, "models"), models=3)
    placed = placements(scores, labels)
    parts = [placements(row[None], labels) for row in scores]
    every = [[covariance(a, b) for b in parts] for a in parts]
    assert placed.auroc == pytest.approx(np.mean([auroc(labels, row) for row in scores]))
    assert variance(placed) == pytest.approx(np.sum(every) / 9)


@given(st.integers(0, 10**6))
def test_comparisons_turn_sign_when_turned(seed):
    rng = stream(seed, "symmetry")
    (first, labels), (second, _) = draw(rng, 0.5), draw(rng, 1.5)
    there = compare_independent(placements(first, labels), placements(second, labels))
    back = compare_independent(placements(second, labels), placements(first, labels))
    assert there.difference == pytest.approx(-back.difference)
    assert (there.p is None) == (back.p is None)
    if there.p is not None:
        assert there.p == pytest.approx(back.p)


def test_where_nothing_varies_nothing_is_tested():
    scores, labels = np.array([[3.0, 2.0, 1.0, 0.0]]), np.array([True, True, False, False])
    found = compare_independent(placements(scores, labels), placements(10 * scores, labels))
    assert (found.difference, found.z, found.p) == (0.0, None, None)


def test_p_is_even_when_nothing_differs():
    values = []
    for study in range(400):
        rng = stream(6, "null", study)
        pair = [placements(*draw(rng, 1.0, 40, 40)) for _ in range(2)]
        values.append(compare_independent(*pair).p)
    shares = np.histogram(values, bins=5, range=(0, 1))[0] / len(values)
    assert np.abs(shares - 0.2).max() < 0.06
    assert 0.02 < np.mean(np.array(values) < 0.05) < 0.09


def test_p_agrees_with_a_permutation_of_exams():
    rng = stream(7, "permutation")
    (ours, labels), (theirs, _) = draw(rng, 1.6, 40, 40), draw(rng, 0.8, 40, 40)
    found = compare_independent(placements(ours, labels), placements(theirs, labels))
    pool = np.concatenate([ours[0], theirs[0]])
    kinds = np.concatenate([labels, labels])
    differences = []
    for _ in range(2000):
        side = np.zeros(pool.size, dtype=bool)
        for kind in (True, False):
            places = np.flatnonzero(kinds == kind)
            side[rng.permutation(places)[: places.size // 2]] = True
        differences.append(auroc(kinds[side], pool[side]) - auroc(kinds[~side], pool[~side]))
    permuted = np.mean(np.abs(differences) >= abs(found.difference) - 1e-12)
    assert found.p == pytest.approx(permuted, abs=0.02)


def test_exams_of_one_patient_count_once():
    scores, labels = draw(stream(8, "clusters"), 1.0, 20, 20)
    patients = [f"p{n}" for n in range(labels.size)]
    alone = placements(scores, labels, patients)
    assert variance(alone) == pytest.approx(variance(placements(scores, labels)))
    twice = placements(np.repeat(scores, 2, axis=1), np.repeat(labels, 2), list(np.repeat(patients, 2)))
    assert variance(twice) == pytest.approx(variance(alone))
    fooled = placements(np.repeat(scores, 2, axis=1), np.repeat(labels, 2))
    assert variance(fooled) < 0.6 * variance(alone)


def test_too_few_exams_are_not_tested():
    scores, labels = draw(stream(9, "few"), 1.0, 1, 5)
    few = placements(scores, labels)
    assert variance(few) is None
    assert compare_independent(few, few) is None
    assert placements(scores, np.ones_like(labels)) is None


def test_holm_by_hand():
    assert holm([0.01, None, 0.04, 0.03]) == [
        pytest.approx(0.03),
        None,
        pytest.approx(0.06),
        pytest.approx(0.06),
    ]
    assert holm([]) == []
