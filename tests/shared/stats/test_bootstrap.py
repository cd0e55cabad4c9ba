import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.stats.bootstrap import (
    exam_weights,
    patient_weights,
    percentile_interval,
    resampled_auroc,
    resampled_mean,
    win_matrix,
)
from nameplate.stats.metrics import auroc
from nameplate.streams import stream


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30), st.integers(0, 10**6))
def test_every_resample_keeps_the_size_of_each_stratum(strata, seed):
    counts = patient_weights(strata, 20, stream(seed, "test"))
    for stratum in set(strata):
        inside = [name == stratum for name in strata]
        assert (counts[:, inside].sum(axis=1) == sum(inside)).all()


def test_resampled_figures_are_those_of_repeated_exams():
    rng = stream(1, "scores")
    labels = np.array([1, 0, 1, 0, 0, 1, 1, 0], dtype=bool)
    scores = rng.integers(0, 5, size=(3, 8)) / 4
    weights = patient_weights(["all"] * 8, 50, rng).astype(float)
    areas = resampled_auroc(scores, labels, weights)
    means = resampled_mean(scores[0], weights)
    for row, area, mean in zip(weights.astype(int), areas, means, strict=True):
        again = np.repeat(np.arange(8), row)
        assert mean == pytest.approx(scores[0, again].mean())
        if 0 < labels[again].sum() < again.size:
            assert area == pytest.approx(np.mean([auroc(labels[again], s[again]) for s in scores]))
        else:
            assert np.isnan(area)


def test_win_matrix_averages_the_models():
    wins = win_matrix(np.array([[0.9], [0.2]]), np.array([[0.5, 0.9], [0.2, 0.1]]))
    assert wins.tolist() == [[0.75, 0.75]]


def test_exams_of_a_patient_stay_together():
    counts = patient_weights(["x", "x", "y"], 200, stream(2, "test"))
    weights = exam_weights(["p2", "p1", "p1", "p3"], ["p1", "p2", "p3"], counts)
    assert (weights[:, 1] == weights[:, 2]).all()
    assert (weights[:, 1] == counts[:, 0]).all()
    assert (weights[:, 3] == 1).all()
    with pytest.raises(ValueError, match="1 exams"):
        exam_weights(["p4"], ["p1", "p2", "p3"], counts)


def test_one_patient_gives_an_interval_without_width():
    weights = exam_weights(["p"] * 4, ["p"], patient_weights(["all"], 100, stream(0, "test")))
    draws = resampled_mean(np.array([0.0, 1.0, 1.0, 1.0]), weights)
    found = percentile_interval(draws, 0.95)
    assert (found.low, found.high) == (0.75, 0.75)


def test_interval_leaves_out_undefined_draws():
    found = percentile_interval(np.array([np.nan, 0.0, 1.0, np.nan]), 0.5)
    assert (found.low, found.high) == (0.25, 0.75)
    assert found.holds(0.25)
    assert not found.holds(0.2)
    assert percentile_interval(np.array([np.nan]), 0.95) is None


def clustered(rng, patients, exams):
    """Right or wrong for several exams a patient, alike within a patient; the true mean is 0.7."""
    share = rng.beta(1.4, 0.6, size=patients)
    return (rng.random((patients, exams)) < share[:, None]).astype(float)


def test_intervals_cover_as_often_as_they_say_only_if_patients_stay_together():
    patients, exams, studies = 60, 4, 300
    names = np.repeat([f"p{n}" for n in range(patients)], exams).tolist()
    by_patient = by_exam = 0
    for study in range(studies):
        rng = stream(9, "coverage", study)
        values = clustered(rng, patients, exams).ravel()
        counts = patient_weights(["all"] * patients, 300, rng)
        weights = exam_weights(names, [f"p{n}" for n in range(patients)], counts)
        by_patient += percentile_interval(resampled_mean(values, weights), 0.95).holds(0.7)
        loose = patient_weights(["all"] * values.size, 300, rng).astype(float)
        by_exam += percentile_interval(resampled_mean(values, loose), 0.95).holds(0.7)
    assert 0.90 <= by_patient / studies <= 0.98
    assert by_exam / studies < 0.87
