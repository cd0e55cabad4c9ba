"""Which exams a run learns from: its own draw, balanced, and the same in every task."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.campaign.experiment import ArmSettings, ConvergenceSettings
from nameplate.errors import CohortError
from nameplate.pack.packed import Pack
from nameplate.steps.cell import Cell
from nameplate.steps.training import TrainingJob
from nameplate_training.exams import group_counts, training_rows

MakeJob = Callable[..., TrainingJob]


@pytest.fixture
def job(learning: Any) -> MakeJob:
    """make(arm, dataset, seed, group) -> the settings of a run of that arm."""

    def make(arm: ArmSettings, *, dataset: str = "easy", seed: int = 0, group: int = 0) -> TrainingJob:
        return TrainingJob(
            campaign_seed=5,
            cell=Cell(
                experiment="spheres", cohort="study", dataset=dataset, training_set=arm.name, group=group
            ),
            seed=seed,
            round=0,
            arm=arm,
            learning=learning("spheres"),
            choose_on="all",
            convergence=ConvergenceSettings(),
        )

    return make


def _exams(pack: Pack, rows: tuple[int, ...]) -> set[str]:
    assert all(pack.samples[row].split == "train" for row in rows)
    return {pack.samples[row].exam for row in rows}


def test_without_a_number_all_exams_of_the_arms_levels(job: MakeJob, tiny_pack: Any) -> None:
    pack = tiny_pack(40)
    assert training_rows(job(ArmSettings(name="mixed")), pack) == pack.rows("train")
    ge = training_rows(job(ArmSettings(name="GE", levels=("GE",))), pack)
    assert ge == pack.rows("train", ["GE"])
    assert len(ge) == 12


@pytest.mark.parametrize(("exams", "number"), [(2, 2), (4, 4), (7, 7), (23, 23), (24, 24), ("one-level", 12)])
def test_as_many_of_each_level_and_label(exams: Any, number: int, job: MakeJob, tiny_pack: Any) -> None:
    pack = tiny_pack(40)  # 24 training exams, 6 of each level and label
    for seed in range(5):
        rows = training_rows(job(ArmSettings(name="some", exams=exams), seed=seed), pack)
        assert len(rows) == len(set(rows)) == number
        assert list(rows) == sorted(rows)
        for what in ("level", "label"):
            counts = Counter(getattr(pack.samples[row], what) for row in rows)
            assert max(counts.values()) - min(counts.values()) <= 1, what
        both = Counter((pack.samples[row].level, pack.samples[row].label) for row in rows)
        assert max(both.values()) - min(both.values()) <= 1 or number < 4


def test_exams_of_one_level(job: MakeJob, tiny_pack: Any) -> None:
    pack = tiny_pack(40)
    rows = training_rows(job(ArmSettings(name="few", levels=("GE",), exams=4)), pack)
    assert [pack.samples[row].level for row in rows] == ["GE"] * 4
    assert sum(pack.samples[row].label for row in rows) == 2


def test_every_run_draws_its_own_and_draws_it_again(job: MakeJob, tiny_pack: Any) -> None:
    pack, arm = tiny_pack(80), ArmSettings(name="some", exams=24)
    drawn = {training_rows(job(arm, seed=seed, group=group), pack) for seed in range(6) for group in (0, 1)}
    assert len(drawn) == 12
    assert training_rows(job(arm, seed=3), pack) == training_rows(job(arm, seed=3), pack)
    other = training_rows(job(ArmSettings(name="others", exams=24), seed=3), pack)
    assert other != training_rows(job(arm, seed=3), pack)


def test_a_run_draws_the_same_exams_in_every_task(job: MakeJob, tiny_pack: Any) -> None:
    pack, arm = tiny_pack(80), ArmSettings(name="some", exams=24)
    easy = _exams(pack, training_rows(job(arm, seed=2), pack))
    order = np.random.default_rng(1).permutation(80)
    other = Pack(pack.images[order], None, tuple(pack.samples[row] for row in order))
    assert _exams(other, training_rows(job(arm, dataset="hard", seed=2), other)) == easy


def test_an_exam_that_a_task_lacks_is_replaced_by_one_other(job: MakeJob, tiny_pack: Any) -> None:
    pack, arm = tiny_pack(80), ArmSettings(name="some", exams=24)
    easy = _exams(pack, training_rows(job(arm), pack))
    lost = min(easy)
    rest = [row for row, sample in enumerate(pack.samples) if sample.exam != lost]
    fewer = Pack(pack.images[rest], None, tuple(pack.samples[row] for row in rest))
    hard = _exams(fewer, training_rows(job(arm, dataset="hard"), fewer))
    assert easy - hard == {lost}
    assert len(hard) == 24


def test_every_exam_is_drawn_as_often_as_another(job: MakeJob, tiny_pack: Any) -> None:
    pack, arm = tiny_pack(40), ArmSettings(name="some", exams=7)
    runs = 300
    often = Counter(row for seed in range(runs) for row in training_rows(job(arm, seed=seed), pack))
    assert set(often) == set(pack.rows("train"))
    share = 7 / 24
    assert (
        max(abs(count / runs - share) for count in often.values()) < 4 * (share * (1 - share) / runs) ** 0.5
    )


@pytest.mark.parametrize(("what", "one"), [("level", "GE"), ("label", 1)])
def test_the_odd_exam_is_of_each_level_and_label_equally_often(
    what: str, one: Any, job: MakeJob, tiny_pack: Any
) -> None:
    pack, arm = tiny_pack(40), ArmSettings(name="some", exams=7)
    runs = [training_rows(job(arm, seed=seed), pack) for seed in range(200)]
    most = sum(sum(getattr(pack.samples[row], what) == one for row in rows) == 4 for rows in runs)
    assert abs(most - 100) < 4 * 50**0.5


def test_more_exams_than_there_are(job: MakeJob, tiny_pack: Any) -> None:
    with pytest.raises(CohortError) as caught:
        training_rows(job(ArmSettings(name="many", exams=25)), tiny_pack(40))
    expected = "experiments.spheres.arms.many.exams: 25 training exams are wanted, cohort study has 24"
    assert str(caught.value) == expected


def test_the_settings_of_an_arm_are_in_the_digest(job: MakeJob) -> None:
    some, more = ArmSettings(name="some", exams=24), ArmSettings(name="some", exams=25)
    assert job(some).text != job(more).text
    assert job(some).text != job(some).model_copy(update={"choose_on": "own"}).text


def test_labels_keep_their_share_of_a_level_and_levels_make_up_for_a_small_one() -> None:
    sizes = {("A", 0): 80, ("A", 1): 20, ("B", 0): 4, ("B", 1): 1}
    counts = group_counts(sizes, 55, ["A", "B"], [0, 1])
    assert counts == {("A", 0): 40, ("A", 1): 10, ("B", 0): 4, ("B", 1): 1}


@given(st.data(), st.integers(1, 4), st.integers(1, 3))
def test_counts_add_up_fit_and_are_as_equal_as_can_be(data: Any, levels: int, labels: int) -> None:
    names, kinds = [f"L{n}" for n in range(levels)], list(range(labels))
    sizes = {(name, kind): data.draw(st.integers(0, 9)) for name in names for kind in kinds}
    wanted = data.draw(st.integers(0, sum(sizes.values())))
    counts = group_counts(sizes, wanted, names, kinds)
    assert sum(counts.values()) == wanted
    assert all(0 <= counts[group] <= size for group, size in sizes.items())
    taken = {name: sum(counts[name, kind] for kind in kinds) for name in names}
    there = {name: sum(sizes[name, kind] for kind in kinds) for name in names}
    for name in names:
        if taken[name] < there[name]:
            assert taken[name] >= max(taken.values()) - 1
        for kind in kinds:
            assert abs(counts[name, kind] - taken[name] * sizes[name, kind] / max(there[name], 1)) < 1
