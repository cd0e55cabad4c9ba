"""Figures by level from outcomes: a planted gap is found, none is not, and cases without a score count
nowhere."""

import numpy as np
import pytest
from scipy.special import expit

from nameplate.steps.challenge import MODEL, Outcome
from nameplate.streams import stream
from nameplate_challenge.analysis import Question, analysed
from nameplate_challenge.case import lesions_of

QUESTION = Question("manufacturer", 0.5, 0.9, 0.95, 0, 200)
LESIONS = lesions_of((2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0), (30.0,), 2)


def outcomes(r50: dict[str, float], patients: int = 30, seed: int = 1) -> list[Outcome]:
    """Answers by a logistic curve in log radius with this middle at each level."""
    rng = stream(seed, "answers")
    rows = []
    for level, middle in r50.items():
        for patient in range(patients):
            for lesion in (None, *LESIONS):
                chance = 0.0 if lesion is None else expit(6 * np.log(lesion.radius_mm / middle))
                score = 0.9 if rng.random() < chance else 0.1
                name = f"{level}{patient}"
                rows.append(Outcome(key="", exam=name, patient=name, level=level, lesion=lesion, score=score))
    return rows


def test_a_known_gap_is_within_its_interval() -> None:
    found = analysed(outcomes({"GE": 4.0, "Siemens": 6.0}), QUESTION, refused=0)
    truth = {level: middle * 9 ** (1 / 6) for level, middle in (("GE", 4.0), ("Siemens", 6.0))}
    for level in found.levels:
        (curve,) = level.curves
        assert curve.bound == "reached"
        assert curve.radius_mm == pytest.approx(truth[level.level], abs=1.0)
        assert curve.low is not None
        assert curve.high is not None
        assert curve.radius_mm is not None
        assert curve.low < curve.radius_mm < curve.high
        assert [point.cases for point in curve.points] == [60] * 7
    gap = found.gaps[0]
    assert (gap.figure, gap.first, gap.second) == ("radius, mm", "GE", "Siemens")
    assert gap.low is not None
    assert gap.high is not None
    assert 0 < gap.low < truth["Siemens"] - truth["GE"] < gap.high
    assert gap.p_adjusted is not None
    assert gap.p_adjusted < 0.05
    assert found.gaps[1].value is not None
    assert found.gaps[1].value < 0  # sensitivity


def test_without_a_difference_few_gaps_are_found() -> None:
    called = 0
    for seed in range(10):
        found = analysed(outcomes({"GE": 5.0, "Siemens": 5.0}, seed=seed), QUESTION, refused=0)
        called += any(gap.p_adjusted is not None and gap.p_adjusted < 0.05 for gap in found.gaps)
    assert called <= 2


def test_what_is_never_or_always_found_is_a_bound() -> None:
    found = analysed(outcomes({"bad": 60.0, "good": 0.3}), QUESTION, refused=0)
    assert [(level.curves[0].bound, level.curves[0].radius_mm) for level in found.levels] == [
        ("above", None),
        ("below", None),
    ]
    gap = found.gaps[0]
    assert (gap.value, gap.low) == (None, None)
    assert gap.high == pytest.approx(2.0 - 16.0)


def test_cases_without_a_score_are_counted_and_in_no_figure() -> None:
    rows = outcomes({"GE": 4.0})
    failed = [rows[n].model_copy(update={"score": None, "reason": MODEL + "crash"}) for n in range(3)]
    no_room = rows[3].model_copy(update={"score": None, "reason": "no room"})
    found = analysed([*failed, no_room, *rows[4:]], QUESTION, refused=2)
    (level,) = found.levels
    assert (level.failed, level.no_room, level.cases) == (3, 1, len(rows) - 4)
    assert found.reasons == {MODEL + "crash": 3, "no room": 1}
    assert sum(point.cases for point in level.curves[0].points) == 14 * 30 - 3
    assert level.untouched is not None
    assert level.untouched.cases == 29


def test_the_order_of_the_outcomes_changes_nothing() -> None:
    rows = outcomes({"GE": 4.0, "Siemens": 6.0}, patients=8)
    shuffled = [rows[n] for n in stream(1, "order").permutation(len(rows))]
    assert analysed(rows, QUESTION, refused=0) == analysed(shuffled, QUESTION, refused=0)


def test_patients_of_two_levels_are_resampled_together() -> None:
    rows = outcomes({"GE": 4.0, "Siemens": 4.0}, patients=20)
    # The same answers of the same patients at both levels: the gap is zero in every resample.
    twins = [
        one.model_copy(update={"patient": one.exam.removeprefix("GE"), "level": level})
        for one in rows
        if one.level == "GE"
        for level in ("GE", "Siemens")
    ]
    gap = analysed(twins, QUESTION, refused=0).gaps[0]
    assert (gap.value, gap.low, gap.high, gap.p) == (0.0, 0.0, 0.0, 1.0)


def test_masks_are_not_charged_with_chance() -> None:
    rows = [
        one.model_copy(
            update={"alarms": 1, "alarms_at": 0.5, "score": 0.9 if one.lesion is None else one.score}
        )
        for one in outcomes({"GE": 4.0})
    ]
    (level,) = analysed(rows, QUESTION, refused=0).levels
    assert level.regions == 1.0
    assert level.untouched is not None
    assert level.untouched.share == 1.0
    assert level.curves[0].guess == 0.0
    assert level.curves[0].bound == "reached"
