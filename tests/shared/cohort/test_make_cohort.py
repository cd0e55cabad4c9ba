"""Proportions, balance and refusals of the cohort for any size and any patients."""

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from nameplate.campaign.cohort import MatchSettings, SplitSettings
from nameplate.campaign.factor import FactorSettings, FieldLevels
from nameplate.cohort import split_counts
from nameplate.errors import CohortError
from nameplate.steps.skullstrip import MaskReport

MATCHED = MatchSettings()
TABLE_1 = {"train": (138, 138), "val": (17, 17), "test": (40, 41)}


def counted(members):
    """(positives, negatives) by split and level."""
    counts = Counter((member.split, member.level, member.positive) for member in members)
    return {
        (split, level): (counts[split, level, True], counts[split, level, False])
        for split, level, _ in counts
    }


@pytest.mark.parametrize("match", [MATCHED, None], ids=["matched", "unmatched"])
@pytest.mark.parametrize("seed", [0, 20200317])
def test_391_exams_a_maker_make_the_papers_table_1(two_makers, build, match, seed):
    exams = two_makers(391)
    made = build(exams, match=match, seed=seed)
    assert len(made.members) == 782
    assert made.refusals == ()
    assert counted(made.members) == {
        (split, level): TABLE_1[split] for split in TABLE_1 for level in ("GE", "Siemens")
    }
    assert Counter(member.split for member in made.members) == {"train": 552, "val": 68, "test": 162}
    assert Counter((member.level, member.positive) for member in made.members) == {
        ("GE", True): 195,
        ("GE", False): 196,
        ("Siemens", True): 195,
        ("Siemens", False): 196,
    }


@pytest.mark.parametrize(("share", "train", "val", "test"), [(0.2, 28, 3, 8), (0.35, 48, 6, 14)])
def test_a_share_of_a_difficulty_changes_that_many_positives(two_makers, build, share, train, val, test):
    exams = two_makers(391)
    members = build(exams).members
    for level in ("GE", "Siemens"):
        changed = Counter(m.split for m in members if m.positive and m.rank < share and m.level == level)
        assert changed == {"train": train, "val": val, "test": test}


@given(count=st.integers(30, 90), percent=st.integers(1, 99), seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_ranks_nest_and_give_the_nearest_whole_number(two_makers, build, count, percent, seed):
    exams = two_makers(count)
    members = build(exams, match=None, seed=seed).members
    ranks = defaultdict(list)
    for member in members:
        assert 0 <= member.rank < 1
        if member.positive:
            ranks[member.split, member.level].append(member.rank)
    for values in ranks.values():
        changed, exact = sum(rank < percent / 100 for rank in values), percent * len(values) / 100
        assert abs(changed - exact) <= 0.5 + 1e-9
        assert len(set(values)) == len(values)


@st.composite
def hospitals(draw):
    """Rows of (patient, maker, age, sex, usable) with repeated patients, unknowns and other makers."""
    patients = draw(st.integers(20, 150))
    rng = random.Random(draw(st.integers(0, 2**32)))
    repeats = draw(st.sampled_from([0.0, 0.2, 0.9]))
    rows = []
    for patient in range(patients):
        while True:
            age = None if rng.random() < 0.05 else round(rng.uniform(20, 90), 1)
            sex = None if rng.random() < 0.05 else rng.choice("FM")
            maker = rng.choice(["GE", "Siemens"] * 8 + ["Philips", ""])
            rows.append((patient, maker, age, sex, rng.random() > 0.05))
            if rng.random() >= repeats or len(rows) > 300:
                break
    return rows


def records(make_exam, rows):
    exams, masks = [], {}
    for number, (patient, maker, age, sex, usable) in enumerate(rows):
        exam = make_exam(number, patient=f"p{patient:016x}", manufacturer=maker, age=age, sex=sex)
        exams.append(exam)
        flags = () if usable else ("no-brain",)
        masks[exam.exam] = MaskReport(exam=exam.exam, volume_ml=1.0, flags=flags, usable=usable)
    return exams, masks


@given(rows=hospitals(), matched=st.booleans(), seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_no_patient_leaks_and_every_exam_is_accounted_for(make_exam, build, rows, matched, seed):
    exams, masks = records(make_exam, rows)
    match = MATCHED if matched else None
    try:
        made = build(exams, masks, match=match, seed=seed)
    except CohortError:
        return  # too few are left; the errors have tests of their own
    home = {}
    for member in made.members:
        assert home.setdefault(member.patient, member.split) == member.split
    names = [m.exam for m in made.members] + [r.exam for r in made.refusals]
    assert sorted(names) == sorted(exam.exam for exam in exams)
    assert all(refusal.step == "cohort" and refusal.reason for refusal in made.refusals)
    for pair in counted(made.members).values():
        assert min(pair) >= 1
    by_name = {exam.exam: exam for exam in exams}
    for member in made.members:
        exam = by_name[member.exam]
        assert (member.level, member.patient) == (exam.manufacturer, exam.patient)
        assert (member.age, member.sex) == (exam.age, exam.sex)
        assert masks[member.exam].usable
    if matched:
        levels = Counter(member.level for member in made.members)
        assert levels["GE"] == levels["Siemens"]


@given(rows=hospitals(), matched=st.booleans(), seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_exams_does_not_matter(make_exam, build, rows, matched, seed):
    exams, masks = records(make_exam, rows)
    match = MATCHED if matched else None
    shuffled = random.Random(seed).sample(exams, len(exams))
    outcomes = []
    for order in (exams, shuffled):
        try:
            outcomes.append(build(order, masks, match=match, seed=seed))
        except CohortError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


@given(count=st.integers(19, 120), seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_another_size_gets_the_same_proportions(two_makers, build, count, seed):
    exams = two_makers(count, seed=seed)
    made = build(exams, match=None, seed=seed)
    wanted = {
        row.split: (row.positives, row.negatives)
        for row in split_counts(count, SplitSettings(), 195 / 391).rows
    }
    for (split, _), pair in counted(made.members).items():
        assert pair == wanted[split]


def test_repeated_patients_do_not_spoil_the_proportions(make_exam, build):
    """Every patient has several exams: pairs would tie them all together into one block."""
    rng = random.Random(5)
    exams = [
        make_exam(
            n,
            patient=f"p{n // 3:016x}",
            manufacturer=("GE", "Siemens")[n // 3 % 2],
            age=round(rng.uniform(40, 60), 1),
        )
        for n in range(600)
    ]
    made = build(exams)
    total = len(made.members)
    assert total > 500
    for split, share in (("train", 552 / 782), ("val", 68 / 782), ("test", 162 / 782)):
        for level in ("GE", "Siemens"):
            have = sum(m.split == split and m.level == level for m in made.members)
            assert abs(have - share * total / 2) <= 3


def test_seed_and_name_change_the_split(two_makers, build):
    exams = two_makers(60)
    first = build(exams)
    assert build(exams) == first
    assert build(exams, seed=2) != first
    assert build(exams, cohort="control") != first


def test_exams_per_level_truncates_and_says_so(two_makers, build):
    exams = two_makers(60)
    made = build(exams, match=MatchSettings(exams_per_level=40))
    assert Counter(m.level for m in made.members) == {"GE": 40, "Siemens": 40}
    assert len(made.refusals) == 40
    assert {r.reason for r in made.refusals} == {"more exams than the 40 of each level that are wanted"}


def test_fewer_matched_than_wanted_is_logged(two_makers, build, caplog):
    exams = two_makers(40)
    build(exams, match=MatchSettings(exams_per_level=391))
    assert "40 exams of each level match, 391 are wanted" in caplog.text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"manufacturer": "Philips"}, "manufacturer is none of GE, Siemens"),
        ({"age": None}, "age unknown, cannot be matched"),
        ({"sex": None}, "sex unknown, cannot be matched"),
        ({"age": 3.0}, "no partner of the other level with the same sex and age within 5 years"),
    ],
)
def test_each_refusal_says_why(two_makers, make_exam, build, changes, reason):
    odd = make_exam(9999, **changes)
    exams = [*two_makers(40), odd]
    made = build(exams)
    assert [(r.exam, r.reason) for r in made.refusals] == [(odd.exam, reason)]


def test_exams_without_a_usable_mask_are_refused(two_makers, masks_of, build):
    exams = two_makers(40)
    masks = masks_of(exams)
    lost, torn = exams[0].exam, exams[1].exam
    del masks[lost]
    masks[torn] = MaskReport(exam=torn, volume_ml=9.0, flags=("no-brain",), usable=False)
    made = build(exams, masks, match=None)
    assert {r.exam: r.reason for r in made.refusals} == {
        lost: "no brain mask",
        torn: "brain mask refused: no-brain",
    }


def test_an_unknown_age_is_no_obstacle_without_matching(two_makers, make_exam, build):
    odd = make_exam(9999, age=None, sex=None)
    exams = [*two_makers(40), odd]
    made = build(exams, match=None)
    assert odd.exam in {m.exam for m in made.members}


@pytest.mark.parametrize("field", ["model", "kernel", "institution"])
def test_the_factor_may_be_another_field(two_makers, build, field):
    renamed = [
        exam.model_copy(update={field: {"GE": "one", "Siemens": "two"}[exam.manufacturer]})
        for exam in two_makers(40)
    ]
    made = build(renamed, factor=FactorSettings(name=field, levels=("one", "two")))
    assert Counter(m.level for m in made.members) == {"one": 40, "two": 40}


def test_three_levels_are_matched_and_split_together(two_makers, build):
    levels = ("GE", "Siemens", "Philips")
    exams = two_makers(50, levels=levels)
    made = build(exams, factor=FactorSettings(levels=levels))
    sizes = Counter(m.level for m in made.members)
    assert len(set(sizes.values())) == 1
    assert sizes["GE"] >= 45
    for split in ("train", "val", "test"):
        assert len({pair for (at, _), pair in counted(made.members).items() if at == split}) == 1


def test_one_maker_is_an_error_that_says_what_was_found(make_exam, build):
    exams = [make_exam(n) for n in range(7)] + [make_exam(8, manufacturer="")]
    with pytest.raises(CohortError) as caught:
        build(exams)
    assert str(caught.value) == (
        "cohorts.study: no usable exam of manufacturer Siemens; "
        "the campaign compares GE and Siemens, the exams are of GE: 7, unknown: 1"
    )


def test_a_level_whose_masks_were_refused_is_an_error_that_says_so(two_makers, masks_of, build):
    exams = two_makers(10)
    masks = masks_of([exam for exam in exams if exam.manufacturer == "GE"])
    with pytest.raises(CohortError, match=r"GE: 10, Siemens: 10; no brain mask \(10 exams\)$"):
        build(exams, masks)


def test_too_few_for_the_split_is_an_error_that_says_how_many_are_needed(two_makers, build):
    exams = two_makers(9)
    with pytest.raises(CohortError) as caught:
        build(exams, match=None)
    assert str(caught.value) == (
        "cohorts.study: 9 matched exams of GE are too few for the split, which needs at least 19 of each "
        "level: positives in val: 0, negatives: 1"
    )
    exams = two_makers(18)
    with pytest.raises(CohortError, match="18 matched exams of GE are too few"):
        build(exams, match=None)


def test_too_few_patients_is_an_error_that_says_so(make_exam, build):
    exams = [make_exam(n, patient=f"p{n % 2:016x}", manufacturer=("GE", "Siemens")[n % 2]) for n in range(80)]
    with pytest.raises(CohortError, match="40 matched exams of GE belong to so few patients"):
        build(exams)


@pytest.mark.parametrize(
    ("factor", "field", "values"),
    [
        (FactorSettings(name="thickness_mm", bins=(3.0,)), "thickness_mm", (2.5, 5.0)),
        (FactorSettings(name="kvp", levels=("100", "120")), "kvp", (100.0, 120.0)),
        (
            FactorSettings(name="kernel", groups={"soft": ("^H[123]", "soft"), "sharp": ("^H[67]", "bone")}),
            "kernel",
            ("Head soft", "H60s"),
        ),
        (FactorSettings(name="kernel_class", levels=("soft", "sharp")), "kernel_class", ("soft", "sharp")),
        (
            FactorSettings(name="site", levels=("≥ 3 & <b>", "../x")),
            "fields",
            ({"site": "≥ 3 & <b>"}, {"site": "../x"}),
        ),
    ],
    ids=lambda value: value.name if isinstance(value, FactorSettings) else "",
)
def test_any_field_can_be_the_factor(two_makers, make_exam, build, factor, field, values):
    value_of = dict(zip(("GE", "Siemens"), values, strict=True))
    exams = [exam.model_copy(update={field: value_of[exam.manufacturer]}) for exam in two_makers(40)]
    unknown = make_exam(
        9998, **{field: {"kvp": None, "thickness_mm": float("nan"), "fields": {}}.get(field, "")}
    )
    made = build([*exams, unknown], factor=factor, match=MatchSettings(age_years=100, sex=False))
    level_of = dict(zip(("GE", "Siemens"), factor.levels, strict=True))
    maker_of = {exam.exam: exam.manufacturer for exam in exams}
    assert len(made.members) == 80
    assert all(member.level == level_of[maker_of[member.exam]] for member in made.members)
    (refusal,) = made.refusals
    assert (refusal.exam, refusal.reason) == (unknown.exam, f"{factor.noun} unknown")


def test_a_value_in_no_level_is_refused_by_the_field_s_title(two_makers, make_exam, build):
    factor = FactorSettings(name="kernel", groups={"soft": ("^soft$",), "sharp": ("^bone$",)})
    kernels = {"GE": "SOFT", "Siemens": "Bone"}
    exams = [exam.model_copy(update={"kernel": kernels[exam.manufacturer]}) for exam in two_makers(40)]
    odd = make_exam(9998, kernel="Detail")
    made = build([*exams, odd], factor=factor)
    assert {one.exam: one.reason for one in made.refusals} == {odd.exam: "kernel is none of soft, sharp"}
    with pytest.raises(CohortError) as caught:
        build([odd, *(exam for exam in exams if exam.kernel == "SOFT")], factor=factor)
    assert str(caught.value) == (
        "cohorts.study: no usable exam of kernel sharp; "
        "the campaign compares soft and sharp, the exams are of Detail: 1, soft: 40"
    )


def test_an_error_counts_the_commonest_values_only(make_exam, build):
    factor = FactorSettings(name="model", levels=("A", "B"))
    exams = [make_exam(n, model=f"M{n:02d}") for n in range(30)]
    with pytest.raises(CohortError, match=r"M00: 1, .*M11: 1, others: 18"):
        build(exams, factor=factor)


SAME = MatchSettings(same=(FieldLevels(name="kernel_class"), FieldLevels(name="thickness_mm", bins=(3.0,))))


@given(data=st.data(), count=st.integers(60, 90))
@settings(max_examples=20, deadline=None)
def test_matched_exams_agree_in_every_field_that_they_must(two_makers, build, data, count):
    kinds = st.tuples(st.sampled_from(["soft", "sharp"]), st.sampled_from([1.0, 2.9, 3.0, 5.0]))
    exams = [
        exam.model_copy(update=dict(zip(("kernel_class", "thickness_mm"), data.draw(kinds), strict=True)))
        for exam in two_makers(count)
    ]
    rules = SAME.model_copy(update={"age_years": 100.0, "sex": False})
    try:
        made = build(exams, match=rules)
    except CohortError:
        reject()  # too few of them agree
    by_exam = {exam.exam: exam for exam in exams}
    strata = Counter((member.level, member.same) for member in made.members)
    before = Counter((exam.manufacturer, same_of(exam)) for exam in exams)
    for kind in {same for _, same in before}:
        few = min(before["GE", kind], before["Siemens", kind])
        assert strata["GE", kind] == strata["Siemens", kind] == few
    for member in made.members:
        assert member.same == same_of(by_exam[member.exam])
    assert {one.reason for one in made.refusals} <= {
        "no partner of the other level with the same kernel class, slice thickness and age within 100 years"
    }


def same_of(exam):
    return exam.kernel_class, "below 3 mm" if exam.thickness_mm < 3 else "3 mm and more"


def test_an_exam_that_cannot_be_compared_in_a_field_is_refused_with_its_title(two_makers, make_exam, build):
    exams = [exam.model_copy(update={"kernel_class": "soft"}) for exam in two_makers(40)]
    blank, sharp = make_exam(9998), make_exam(9999, kernel_class="sharp")
    only_soft = MatchSettings(same=(FieldLevels(name="kernel_class", levels=("soft", "medium")),))
    made = build([*exams, blank, sharp], match=only_soft)
    assert {one.exam: one.reason for one in made.refusals} == {
        blank.exam: "kernel class unknown, cannot be matched",
        sharp.exam: "kernel class is none of soft, medium, cannot be matched",
    }
