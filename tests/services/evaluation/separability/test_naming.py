"""Naming the level from fields, patients kept together."""

import numpy as np
import pytest

from nameplate.streams import stream
from nameplate_evaluation.separability.bins import number_bins, text_bins
from nameplate_evaluation.separability.labels import Labels
from nameplate_evaluation.separability.naming import accuracies_together, accuracy_alone, folds_of


def labels_of(level, patients=None) -> Labels:
    patients = range(len(level)) if patients is None else patients
    return Labels.of(
        ("GE", "Siemens"), [(("GE", "Siemens")[n], str(p)) for n, p in zip(level, patients, strict=True)]
    )


def test_folds_keep_patients_together_and_divide_the_levels():
    labels = labels_of([0] * 40 + [1] * 20, [n // 2 for n in range(60)])
    fold = folds_of(labels, stream(1, "folds"))
    assert sorted(np.unique(fold)) == [0, 1, 2, 3, 4]
    assert (fold[::2] == fold[1::2]).all()
    assert all((labels.level[fold == n] == 0).sum() == 8 for n in range(5))


def test_one_patient_has_no_folds():
    assert folds_of(labels_of([0, 1], ["a", "a"]), stream(1, "folds")) is None


def test_a_field_of_one_level_each_names_all_and_noise_names_no_more_than_chance():
    labels = labels_of([0, 1] * 50)
    fold = folds_of(labels, stream(1, "folds"))
    own = text_bins(["ab"[n] for n in labels.level])
    assert accuracy_alone(own, labels, fold) == 1.0
    rng = np.random.default_rng(1)
    noise = [accuracy_alone(number_bins(rng.normal(size=100), 2), labels, fold) for _ in range(40)]
    assert np.mean(noise) == pytest.approx(0.5, abs=0.05)


def test_a_patients_own_value_does_not_name_the_patients_other_exams():
    """Each patient has a value of its own and three exams: in folds of exams it would name them all."""
    patients = [n // 3 for n in range(90)]
    labels = labels_of([p % 2 for p in patients], patients)
    fold = folds_of(labels, stream(1, "folds"))
    assert accuracy_alone(text_bins([str(p) for p in patients]), labels, fold) <= 0.55


def test_a_number_in_an_empty_bin_is_named_by_the_nearest():
    values = np.array([0.0] * 10 + [1.0] * 2 + [9.0] * 12)
    labels = labels_of([0] * 12 + [1] * 12, [*range(10), 10, 10, *range(12, 24)])
    fold = folds_of(labels, stream(1, "folds"))
    assert accuracy_alone(number_bins(values, 2), labels, fold) == 1.0


def test_fields_together_name_what_none_names_alone_and_unknown_ones_say_nothing():
    rng = np.random.default_rng(5)
    labels = labels_of([0, 1] * 100)
    fold = folds_of(labels, stream(1, "folds"))
    fields = []
    for _ in range(9):
        hint = np.where(rng.random(200) < 0.7, labels.level, 1 - labels.level)
        known = np.flatnonzero(rng.random(200) < 0.9)
        fields.append((text_bins([str(n) for n in hint[known]]), known))
    alone = np.eye(9, dtype=bool)
    everything, none, *single = accuracies_together(
        fields, [np.ones(9, dtype=bool), np.zeros(9, dtype=bool), *alone], labels, fold
    )
    assert everything > max(single) + 0.05
    assert none == 0.5
