"""The verdict on one field, and the rates at which it is right."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from nameplate.campaign.field import Field
from nameplate.streams import stream
from nameplate_evaluation.separability.confound import (
    ALPHA,
    Confound,
    confound_of,
    corrected,
    draws_for,
    p_of_any,
)
from nameplate_evaluation.separability.labels import Labels

TEXT, NUMBER = Field("kernel_class", "text", "", "kernel class"), Field("kvp", "number", "kV", "tube voltage")


def judged(values, level, *, patients=None, levels=("GE", "Siemens")):
    patients = range(len(level)) if patients is None else patients
    labels = Labels.of(levels, [(levels[n], str(p)) for n, p in zip(level, patients, strict=True)])
    known = [value for value in values if value is not None]
    field = NUMBER if known and isinstance(known[0], float) else TEXT
    return confound_of(values, field, labels, stream(1, "confound"))


def test_a_text_of_one_level_each():
    found = judged(["soft"] * 20 + ["sharp"] * 20, [0] * 20 + [1] * 20)
    assert found.kind == "cannot be told"
    assert found.overlap == 0.0
    assert found.v == pytest.approx(1.0, abs=0.02)
    assert found.difference is None


def test_constants_of_their_own_have_no_standardised_difference():
    found = judged([120.0] * 20 + [140.0] * 20, [0] * 20 + [1] * 20)
    assert (found.kind, found.overlap, found.difference) == ("cannot be told", 0.0, None)


def test_a_shift_is_partly():
    rng = np.random.default_rng(1)
    values = [*rng.normal(0, 1, 60).tolist(), *rng.normal(1.5, 1, 60).tolist()]
    found = judged(values, [0] * 60 + [1] * 60)
    assert found.kind == "partly"
    assert found.difference == pytest.approx(1.5, abs=0.4)
    assert 0.2 < found.overlap < 0.8


def test_the_same_mean_with_another_spread_is_partly():
    rng = np.random.default_rng(2)
    values = [*rng.normal(0, 1, 80).tolist(), *rng.normal(0, 8, 80).tolist()]
    assert judged(values, [0] * 80 + [1] * 80).kind == "partly"


def test_a_small_difference_of_many_exams_is_told_apart():
    """52 and 48 % of thousands: far more than chance, and next to nothing."""
    values = ["a"] * 1560 + ["b"] * 1440 + ["a"] * 1440 + ["b"] * 1560
    found = judged(values, [0] * 3000 + [1] * 3000)
    assert found.p <= ALPHA
    assert found.kind == "told apart"


def test_patients_are_kept_together():
    """5 patients of each level with 8 exams of one value each: 4 against 2 of 5 patients is chance."""
    values = [value for value in "bbbbabbaaa" for _ in range(8)]
    level = [0] * 40 + [1] * 40
    assert judged(values, level, patients=[n // 8 for n in range(80)]).p > ALPHA
    assert judged(values, level).kind == "partly"


def test_twins_with_the_same_value_differ_in_nothing():
    values = [value for n in range(60) for value in (float(n), float(n))]
    found = judged(values, [0, 1] * 60, patients=[n // 2 for n in range(120)])
    assert (found.kind, found.overlap, found.p) == ("told apart", 1.0, 1.0)


def test_constant_and_missing_fields_say_so():
    level = [0] * 20 + [1] * 20
    assert judged(["soft"] * 40, level).kind == "constant"
    assert judged([None] * 5 + ["soft"] * 35, level).missing == (5, 0)
    gone = judged([None] * 20 + ["soft", "sharp"] * 10, level)
    assert (gone.kind, gone.unknown, gone.reason) == ("not known", ("GE",), "no value")
    assert gone.known == (0, 20)
    assert judged([None] * 40, level).unknown == ("GE", "Siemens")


def test_few_exams_of_many_values_do_not_look_apart():
    """Twelve values of 40 exams: most are by chance one level's, and overlap is measured against that."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        found.append(judged([f"v{n}" for n in rng.integers(0, 12, 40)], rng.permutation([0, 1] * 20)))
    assert np.mean([one.overlap for one in found]) > 0.9
    assert sum(one.kind == "no difference found" for one in found) >= 17
    assert all(one.kind != "told apart" for one in found)


def test_little_overlap_of_few_exams_is_no_verdict():
    """Of ten exams six have a value of one level alone, as chance could make it."""
    found = judged([*"aabbb", *"aaccc"], [0] * 5 + [1] * 5)
    assert found.p > ALPHA
    assert 0.2 < found.overlap < 0.75
    assert found.kind == "no difference found"


@pytest.mark.parametrize(("count", "fewest_partly"), [(8, 0), (30, 25), (60, 45)])
def test_a_difference_is_not_called_told_apart_where_it_could_not_be_found(count, fewest_partly):
    """0.8 standard deviations between so many exams a level."""
    kinds = Counter()
    for seed in range(50):
        rng = np.random.default_rng(seed)
        values = [*rng.normal(0, 1, count).tolist(), *rng.normal(0.8, 1, count).tolist()]
        kinds[judged(values, [0] * count + [1] * count).kind] += 1
    assert kinds["partly"] >= fewest_partly
    assert kinds["told apart"] <= (10 if count == 60 else 0)


def test_patients_with_unequally_many_exams_do_not_make_a_difference():
    """Three exams of each patient of one level and one of the other: no equals to exchange with."""
    for shared in (False, True):
        ps = []
        for seed in range(80):
            rng = np.random.default_rng(seed)
            of_patient = np.repeat(rng.normal(size=30), 3)
            values = [
                *(of_patient if shared else rng.normal(size=90)).tolist(),
                *rng.normal(size=30).tolist(),
            ]
            patients = [n // 3 for n in range(90)] + [n + 90 for n in range(30)]
            ps.append(judged(values, [0] * 90 + [1] * 30, patients=patients).p)
        assert np.mean([p <= 0.05 for p in ps]) <= 0.125
        assert np.mean([p <= 0.5 for p in ps]) > 0.3
    found = judged(["a"] * 90 + ["b"] * 30, [0] * 90 + [1] * 30, patients=patients)
    assert (found.kind, found.overlap) == ("cannot be told", 0.0)


def test_fields_are_judged_together():
    """Of fields that say nothing one in twenty differs alone; together they do in one cohort of twenty."""
    rng = np.random.default_rng(8)
    alone = together = 0
    for _ in range(6):
        level = [0] * 40 + [1] * 40
        found = [judged(rng.normal(size=80).tolist(), level) for _ in range(20)]
        alone += sum(one.kind == "partly" for one in found)
        together += sum(one.kind == "partly" for one in corrected(found))
    assert alone >= 2
    assert together <= 1


def test_the_correction_is_holms():
    kept = Confound(kind="constant", known=(9, 9), missing=(0, 0))
    ps = [0.03, 0.001, 0.02, 0.6]
    found = corrected([kept, *(_with_p(p) for p in ps)])
    assert found[0] is kept
    assert [one.adjusted for one in found[1:]] == pytest.approx([0.06, 0.004, 0.06, 0.6])
    assert [one.kind for one in found[1:]] == ["no difference found", "partly"] + ["no difference found"] * 2
    assert [one.level for one in found[1:]] == [pytest.approx(ALPHA / 3)] * 4
    assert corrected([]) == ()


def _with_p(p):
    values = [float(n) for n in range(40)]
    return replace(judged(values, [0, 1] * 20), p=p, overlap=0.85)


def test_the_smallest_p_can_be_significant_among_all_fields():
    assert all(fields / (draws_for(fields) + 1) < ALPHA for fields in (1, 20, 100, 400))


@pytest.mark.parametrize("level", [[0, 1], [0] * 4 + [1] * 30, [0] * 20 + [1]])
def test_few_patients_are_not_judged(level):
    found = judged([float(n) for n in range(len(level))], level)
    assert found.kind == "not known"
    assert found.reason == "fewer than 5 patients"
    assert found.overlap is None


def test_four_patients_with_many_exams_are_few():
    level = [0] * 40 + [1] * 40
    patients = [n % 4 for n in range(40)] + [n + 10 for n in range(40)]
    found = judged(["ab"[n % 2] for n in range(80)], level, patients=patients)
    assert (found.kind, found.unknown) == ("not known", ("GE",))


def test_no_exam_of_a_level_is_not_a_missing_value():
    found = judged(["a", "b"] * 10, [0] * 20)
    assert (found.unknown, found.reason) == (("Siemens",), "no exam")


def test_a_value_of_its_own_for_every_exam_says_nothing():
    found = judged([f"name-{n}" for n in range(60)], [0, 1] * 30)
    assert (found.kind, found.reason) == ("not known", "nearly every exam has a value of its own")


def test_p_of_the_best_of_several_statistics_keeps_its_level():
    rng = np.random.default_rng(6)
    ps = [p_of_any([rng.normal(size=100) for _ in range(3)]) for _ in range(400)]
    assert np.mean([p <= 0.05 for p in ps]) < 0.09
    assert np.mean(ps) == pytest.approx(0.5, abs=0.06)
    assert p_of_any([np.arange(100.0)[::-1], rng.normal(size=100)]) <= 0.03
    assert p_of_any([np.zeros(100)]) == 1.0


def test_verdicts_on_simulated_tables_are_right_in_19_of_20(simulated):
    """Tables of another seed than those the benchmark prints; of each kind most are right, and no verdict is upside down."""
    given = {column: Counter() for column in simulated.COLUMNS}
    for number in range(24):
        for column, verdict in simulated.verdicts(number, 12).items():
            given[column][verdict] += 1
    right = sum(given[column][simulated.EXPECTED[column[0]]] for column in given)
    verdicts = sum(
        n for counts in given.values() for kind, n in counts.items() if kind not in simulated.WITHHELD
    )
    assert right >= 0.95 * verdicts
    assert verdicts >= 0.75 * 24 * len(given)
    for (kind, form), counts in given.items():
        withheld = sum(counts[word] for word in simulated.WITHHELD)
        assert counts[simulated.EXPECTED[kind]] + withheld >= 22, (kind, form, counts)
        assert kind == "independent" or withheld <= 6
        assert kind == "independent" or counts["told apart"] == 0
        assert kind != "independent" or counts["cannot be told"] == 0


def test_withheld_verdicts_are_neither_right_nor_wrong(simulated):
    column = ("independent", "text")
    counts = {(column, True): Counter({"told apart": 3, "partly": 1, "no difference found": 4})}
    assert simulated.shares_of(counts, [column], (True,)) == ("75.0%", "50.0%")
    assert simulated.shares_of({(column, True): Counter()}, [column], (True,)) == ("-", "-")
