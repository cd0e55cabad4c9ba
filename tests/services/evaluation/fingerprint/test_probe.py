from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.stats.metrics import auroc
from nameplate_evaluation.fingerprint.design import Numbers, Texts
from nameplate_evaluation.fingerprint.draws import Labels
from nameplate_evaluation.fingerprint.probe import Probe, aurocs, probe, probe_features

MakeLabels, Make = Callable[..., Labels], Callable[..., Numbers]
NAN = float("nan")


def found(labels: Labels, *columns: Numbers | Texts) -> Probe:
    made = probe(labels, columns)
    assert made is not None
    return made


def inside(made: Probe) -> bool:
    return bool(made.auroc <= np.quantile(made.null, 0.975))


ROWS = st.lists(st.tuples(st.integers(-4, 4), st.booleans(), st.integers(0, 2)), min_size=2, max_size=40)


@given(ROWS)
def test_aurocs_are_those_of_pairs_of_a_fold(rows: list[tuple[int, bool, int]]) -> None:
    values, labels, folds = (np.array(part) for part in zip(*rows, strict=True))
    scores, positive = (values / 7).astype(np.float32), labels.astype(bool)
    wins = [
        (a > b) + (a == b) / 2
        for a, one, here in zip(values, positive, folds, strict=True)
        for b, other, there in zip(values, positive, folds, strict=True)
        if one and not other and here == there
    ]
    made = aurocs(scores[None], positive[None], folds.astype(np.int8))
    assert made[0] == pytest.approx(np.mean(wins) if wins else 0.5)
    alone = aurocs(scores[None], positive[None], np.zeros(len(rows), dtype=np.int8))
    assert made.shape == (1,)
    if (whole := auroc(positive, scores)) is not None:
        assert alone[0] == pytest.approx(whole)


def test_a_number_that_is_the_level_names_every_exam(labels: MakeLabels, number: Make) -> None:
    of = labels([0, 1] * 30)
    assert found(of, number(of.codes * 2.5 - 9)).auroc == 1
    assert found(of, number(of.codes * 2.5 - 9)).balanced_accuracy == 1
    assert found(of, Texts("t", tuple("ab"[code] for code in of.codes))).auroc == 1
    assert not inside(found(of, number(of.codes)))


def test_values_that_no_threshold_separates_are_found(labels: MakeLabels, number: Make) -> None:
    random = np.random.default_rng(1)
    of = labels([0, 1] * 60)
    padding = np.where(of.codes == 1, -2000.0, random.choice([-3024.0, -1024.0], 120))
    assert found(of, number(padding)).auroc == 1
    spread = np.where(of.codes == 1, random.uniform(-1, 1, 120), random.choice([-1, 1], 120) * 2 + 0.1)
    assert found(of, number(spread + random.normal(0, 0.01, 120))).auroc > 0.9


def test_three_levels_are_probed_each_against_the_rest(labels: MakeLabels, number: Make) -> None:
    of = labels([0, 1, 2] * 30)
    made = found(of, number(of.codes))
    assert (made.auroc, made.balanced_accuracy) == (1, 1)
    half = found(of, number(of.codes == 1))
    assert half.auroc == pytest.approx((1 + 0.75 + 0.75) / 3, abs=0.03)


def test_unequal_levels_have_balanced_accuracies(labels: MakeLabels, number: Make) -> None:
    random = np.random.default_rng(1)
    of = labels([0] * 400 + [1] * 40)
    made = found(of, number(of.codes * 2 + random.normal(size=440)))
    assert made.balanced_accuracy == pytest.approx(0.84, abs=0.03)
    # The threshold lies between the levels, and not at the mean of all exams, which most are of one level.
    assert found(of, number(of.codes * 6 + random.normal(size=440))).balanced_accuracy > 0.93


@pytest.mark.parametrize("kind", ["single", "repeated", "twins"])
def test_numbers_that_say_nothing_are_inside_the_band(kind: str, labels: MakeLabels, number: Make) -> None:
    random = np.random.default_rng(8)
    hits, tries, areas = 0, 120, []
    for _ in range(tries):
        if kind == "single":
            codes, patients = random.permutation([0, 1] * 30), np.arange(60)
        elif kind == "repeated":  # patients with three exams of one level, which are alike
            codes, patients = np.repeat(random.permutation([0, 1] * 10), 3), np.repeat(np.arange(20), 3)
        else:
            codes, patients = np.tile([0, 1], 30), np.repeat(np.arange(30), 2)
        of = labels(codes, patients, 100)
        shared = random.normal(size=(3, patients.max() + 1))[:, patients]
        values = shared + (0.1 if kind == "repeated" else 0.7) * random.normal(size=(3, 60))
        made = found(of, *(number(row, f"m{n}") for n, row in enumerate(values)))
        low, high = np.quantile(made.null, [0.025, 0.975])
        hits += bool(low <= made.auroc <= high)
        areas += [made.auroc, *made.null]
    assert hits >= 0.9 * tries
    # The band must not move away with what is probed: no probe sees the labels of the exams that it names.
    assert np.mean(areas) == pytest.approx(0.5, abs=0.015)


def test_exams_of_a_patient_that_are_alike_do_not_leak(labels: MakeLabels, number: Make) -> None:
    # Were a patient's exams in several folds, its number would give its level away: AUROC 1.
    random = np.random.default_rng(3)
    patients = np.repeat(np.arange(24), 5)
    codes = np.repeat(random.permutation([0, 1] * 12), 5)
    of = labels(codes, patients)
    values = number(np.round(random.normal(size=24), 6)[patients])
    assert inside(found(of, values))
    split = replace(of, folds=np.tile(np.arange(5), 24).astype(np.int8))
    assert found(split, Texts("t", tuple(str(patient) for patient in patients))).auroc > 0.99


def test_a_number_that_one_level_lacks_says_nothing_by_that(labels: MakeLabels, number: Make) -> None:
    random = np.random.default_rng(3)
    of = labels([0, 1] * 60)
    values = np.where(of.codes == 1, random.normal(size=120), NAN)
    assert inside(found(of, number(values)))
    padding = np.where(of.codes == 1, random.choice([-3024.0, -1024.0], 120), NAN)
    assert inside(found(of, number(padding)))


def test_the_order_of_columns_and_the_unit_do_not_matter(labels: MakeLabels, number: Make) -> None:
    random = np.random.default_rng(3)
    of = labels([0, 1] * 40)
    one, two = random.normal(size=(2, 80)) + 0.4 * of.codes
    first = found(of, number(one, "a"), number(two, "b"))
    second = found(of, number(two * 1000, "b"), number(one, "a"))
    assert second.auroc == pytest.approx(first.auroc, abs=0.002)
    assert second.null == pytest.approx(first.null, abs=0.01)


def test_measures_that_hardly_any_exam_has_are_named(labels: MakeLabels, number: Make) -> None:
    of = labels([0, 1] * 60)
    rare = np.full(120, NAN)
    rare[:11] = np.arange(11)
    made = found(of, number(of.codes, "a"), number(rare, "rare"), number([NAN] * 120, "never"))
    assert made.left_out == ("rare", "never")
    assert made.auroc == 1
    assert probe(of, [number(rare, "rare")]) is None
    assert probe(of, []) is None


def test_numbers_that_are_the_same_in_all_exams_name_nothing(labels: MakeLabels, number: Make) -> None:
    of = labels([0, 1] * 20)
    made = found(of, number([5.0] * 39 + [NAN]), Texts("t", ("x",) * 40))
    assert made.constant
    assert (made.auroc, made.balanced_accuracy) == (0.5, 0.5)
    assert (made.null == 0.5).all()
    barely = found(of, number([5.0] * 39 + [6.0]))
    assert not barely.constant
    assert barely.auroc == pytest.approx(0.5, abs=0.05)


def test_features_are_probed_as_they_are_even_if_there_are_more_than_exams(labels: MakeLabels) -> None:
    random = np.random.default_rng(5)
    of = labels([0, 1] * 25)
    features = random.normal(size=(50, 400)).astype(np.float32)
    assert inside(probe_features(of, features))
    features[:, :20] += 1.5 * of.codes[:, None]
    features[:, 300:] = 0  # units that a ReLU switches off
    features[3, 299] = np.nan
    assert probe_features(of, features).auroc > 0.95
    assert probe_features(of, features[:, 300:]).constant
    assert probe_features(of, features[:, :0]).constant
    few = random.normal(size=(50, 8)).astype(np.float32)
    few[:, 2] += 2 * of.codes
    assert probe_features(of, few).auroc > 0.85


def test_the_same_labels_and_numbers_give_the_same_result(labels: MakeLabels, number: Make) -> None:
    of = labels([0, 1] * 20)
    values = np.random.default_rng(3).normal(size=40)
    one, other = found(of, number(values)), found(of, number(values))
    assert one.auroc == other.auroc
    assert (one.null == other.null).all()
