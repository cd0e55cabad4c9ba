from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.image.fingerprint.slices import Missing
from nameplate.streams import stream
from nameplate_evaluation.fingerprint.draws import (
    FOLDS,
    LEAST_EXAMS,
    Labels,
    Permuted,
    Subject,
    labels_of,
    permuted,
)
from nameplate_evaluation.fingerprint.probe import probe_features

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


@given(PATIENTS, st.integers(0, 2**16))
def test_parts_have_the_draws_of_the_whole(patients: list[list[str]], salt: int) -> None:
    subjects = subjects_of([*patients, *([["A", "A"]] * LEAST_EXAMS), *([["B", "B"]] * LEAST_EXAMS)])
    # The first and second exam of every patient are in different parts.
    parts = [{s.exam for s in subjects if s.exam.endswith(end)} for end in ("0", "1")]
    whole = permuted(subjects, ("A", "B"), salt, ("x",), 10, parts=parts)
    assert isinstance(whole, Permuted)
    place = {subject.exam: n for n, subject in enumerate(whole.subjects)}
    for part in parts:
        labels = whole.labels(part)
        assert isinstance(labels, Labels)
        assert set(labels.exams) == part
        assert (labels.draws == whole.draws[:, [place[exam] for exam in labels.exams]]).all()
        levels = {subject.exam: subject.level for subject in subjects}
        assert [labels.levels[code] for code in labels.codes] == [levels[exam] for exam in labels.exams]
    every = whole.labels(place)
    alone = labels_of(subjects, ("A", "B"), salt, ("x",), 10)
    assert isinstance(every, Labels)
    assert isinstance(alone, Labels)
    assert (every.draws == alone.draws).all()
    assert (every.folds == alone.folds).all()


def test_a_level_needs_enough_exams_in_every_part() -> None:
    subjects = subjects_of([["A", "A"]] * 12 + [["B", "B"]] * 12 + [["C"]] * 12)
    parts = [{s.exam for s in subjects if s.exam.endswith(end)} for end in ("0", "1")]
    found = permuted(subjects, ("A", "B", "C"), 3, ("x",), 5, parts=parts)
    assert isinstance(found, Permuted)
    assert (found.levels, found.left_out) == (("A", "B"), ("C: 0 exams, needs 10",))
    assert found.labels(sorted(parts[0])[:20]) == Missing("too few exams (B: 8 exams, needs 10)")
    assert permuted(subjects, ("A", "C"), 3, ("x",), 5, parts=parts) == Missing(
        "too few exams (C: 0 exams, needs 10)"
    )


def _patients(kind: str, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Levels, patients and parts of 60 to 80 exams."""
    if kind == "an exam in each part":
        return np.repeat(random.permutation(30) % 2, 2), np.repeat(np.arange(30), 2), np.tile([0, 1], 30)
    if kind == "twins in one part":
        part = np.repeat(random.permutation(30) % 2, 2)
        return np.tile([0, 1], 30), np.repeat(np.arange(30), 2), part
    if kind == "one exam a patient":
        return random.permutation(60) % 2, np.arange(60), random.permutation(60) % 2
    sizes = random.permutation([1] * 20 + [2] * 15 + [3] * 10)
    patients = np.repeat(np.arange(45), sizes)
    own = (random.permutation(45) % 2)[patients]
    levels = np.where(random.random(80) < 0.15, 1 - own, own)
    return levels, patients, random.permutation(80) % 2


@pytest.mark.parametrize(
    "kind", ["an exam in each part", "twins in one part", "one exam a patient", "mixed patients"]
)
def test_the_mean_over_parts_varies_as_its_null_does(kind: str) -> None:
    observed, widths = [], []
    for n in range(150):
        random = stream(6, kind, n)
        levels, patients, part = _patients(kind, random)
        # What is measured depends on the patient and not on the level.
        heads = random.normal(size=(patients.max() + 1, 2))[patients]
        values = (heads + 0.3 * random.normal(size=heads.shape)).astype(np.float32)
        subjects = [
            Subject(f"e{k:02d}", f"p{patient:02d}", "AB"[level])
            for k, (patient, level) in enumerate(zip(patients, levels, strict=True))
        ]
        parts = [{f"e{k:02d}" for k in np.flatnonzero(part == which)} for which in (0, 1)]
        whole = permuted(subjects, ("A", "B"), n, ("x",), 60, parts=parts)
        if isinstance(whole, Missing):
            continue
        probes = []
        for exams in parts:
            labels = whole.labels(exams)
            assert isinstance(labels, Labels)
            probes.append(probe_features(labels, values[[int(exam[1:]) for exam in labels.exams]]))
        observed.append(np.mean([one.auroc for one in probes]))
        widths.append(np.mean([one.null for one in probes], axis=0).var())
    assert len(observed) > 100
    # Parts that are permuted apart give 0.7 to 0.8 for patients with an exam in each.
    assert np.sqrt(np.mean(widths)) / np.std(observed) == pytest.approx(1, abs=0.17)
