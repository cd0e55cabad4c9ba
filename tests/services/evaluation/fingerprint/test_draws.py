from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.image.fingerprint.slices import Missing
from nameplate_evaluation.fingerprint.draws import FOLDS, LEAST_EXAMS, Labels, Subject, labels_of

PATIENTS = st.lists(st.lists(st.sampled_from("AB"), min_size=1, max_size=3), min_size=12, max_size=30)


def subjects_of(patients: list[list[str]]) -> list[Subject]:
    return [
        Subject(f"e{n:02d}{k}", f"p{n:02d}", level)
        for n, levels in enumerate(patients)
        for k, level in enumerate(levels)
    ]


@given(PATIENTS)
def test_patients_keep_their_exams_together_and_exchange_their_labels(patients: list[list[str]]) -> None:
    subjects = subjects_of([*patients, *([["A"]] * LEAST_EXAMS), *([["B"]] * LEAST_EXAMS)])
    labels = labels_of(subjects, ("A", "B"), 3, ("x",), 20)
    assert isinstance(labels, Labels)
    fold_of: dict[str, int] = {}
    for subject, fold in zip(subjects, labels.folds, strict=True):
        assert fold_of.setdefault(subject.patient, fold) == fold
    assert set(labels.folds) == set(range(FOLDS))
    sizes = Counter(labels.folds.tolist())
    assert max(sizes.values()) - min(sizes.values()) <= 3
    by_patient: dict[str, list[int]] = {}
    for place, subject in enumerate(subjects):
        by_patient.setdefault(subject.patient, []).append(place)

    def lists(codes: np.ndarray) -> Counter[tuple[int, ...]]:  # type: ignore[type-arg]
        return Counter(tuple(sorted(codes[places].tolist())) for places in by_patient.values())

    for draw in labels.draws:
        assert lists(draw) == lists(labels.codes)


def test_twins_have_one_exam_of_each_level_in_every_draw() -> None:
    labels = labels_of(subjects_of([["A", "B"]] * 20), ("A", "B"), 3, ("x",), 400)
    assert isinstance(labels, Labels)
    pairs = labels.draws.reshape(400, 20, 2)
    assert (pairs.sum(axis=2) == 1).all()
    assert pairs[:, :, 0].mean() == pytest.approx(0.5, abs=0.02)


def test_every_exam_is_equally_likely_to_get_a_label() -> None:
    labels = labels_of(subjects_of([["A"]] * 12 + [["B"]] * 36), ("A", "B"), 3, ("x",), 4000)
    assert isinstance(labels, Labels)
    assert (labels.draws == 0).mean(axis=0) == pytest.approx(np.full(48, 0.25), abs=0.03)


def test_the_order_of_exams_does_not_matter() -> None:
    subjects = subjects_of([["A"]] * 15 + [["B"]] * 15 + [["A", "B"]] * 3)
    one, other = (labels_of(rows, ("A", "B"), 3, ("x",), 5) for rows in (subjects, subjects[::-1]))
    assert isinstance(one, Labels)
    assert isinstance(other, Labels)
    assert one.exams == other.exams
    assert (one.draws == other.draws).all()
    assert (one.folds == other.folds).all()
    again = labels_of(subjects, ("A", "B"), 4, ("x",), 5)
    assert isinstance(again, Labels)
    assert (one.draws != again.draws).any()


@pytest.mark.parametrize(
    ("patients", "reason"),
    [
        ([["A"]] * 30, "too few exams (B: 0 exams, needs 10)"),
        ([["A"]] * 30 + [["B"]] * 9, "too few exams (B: 9 exams, needs 10)"),
        ([["A"], ["B"]], "too few exams (A: 1 exams, needs 10; B: 1 exams, needs 10)"),
        ([["A"] * 10, ["B"] * 10], "too few patients (2, needs 10)"),
        ([], "too few exams (A: 0 exams, needs 10; B: 0 exams, needs 10)"),
    ],
)
def test_too_few(patients: list[list[str]], reason: str) -> None:
    assert labels_of(subjects_of(patients), ("A", "B"), 3, ("x",), 5) == Missing(reason)


def test_a_level_with_too_few_exams_is_left_out_and_the_others_are_probed() -> None:
    subjects = subjects_of([["A"]] * 12 + [["C"]] * 12 + [["B"]] * 3)
    labels = labels_of(subjects, ("A", "B", "C"), 3, ("x",), 5)
    assert isinstance(labels, Labels)
    assert labels.levels == ("A", "C")
    assert labels.left_out == ("B: 3 exams, needs 10",)
    assert len(labels.exams) == 24
