"""The answer as a picture."""

import re

import pytest

from nameplate_evaluation import headline
from nameplate_evaluation.advantage import advantage_of
from nameplate_evaluation.curve import curve_of
from nameplate_evaluation.headline import flips_panels, headline_panels

RISING = {"own": (3,) * 6, "other": (3, 2.95, 2.8, 2.2, 1.4, 0.6), "exams": 80, "run_sd": 0.02}


def words(panel):
    return re.findall(r"<text[^>]*>([^<]+)</text>", panel.svg)


@pytest.fixture(scope="module")
def found(plant, ask):
    return ask(plant(own=(3.4, 2.6, 2.2), other=(2.6, 2.0, 0.8), twins=True, machine=0.5))


def test_without_a_claim_there_is_no_picture(found):
    assert headline_panels(found.analysis, None, None) == ()


def test_the_advantage_by_task_comes_first_and_then_what_is_tested_in_study_and_controls(found):
    by_task, tested = headline_panels(found.analysis, found.claim, None)
    assert by_task.title == "Own-manufacturer advantage by task"
    assert [task for task in words(by_task) if task in ("easy", "medium", "hard")] == [
        "easy",
        "medium",
        "hard",
    ]
    rows = ["study, all tasks", "study, growth", "null control, all tasks", "null control, growth"]
    assert [row for row in words(tested) if "," in row] == rows[::-1]


def test_a_single_task_has_no_growth_to_show(plant, ask):
    found = ask(plant(own=(2.5,), other=(1.5,)))
    _, tested = headline_panels(found.analysis, found.claim, None)
    assert [row for row in words(tested) if "," in row] == ["null control, all tasks", "study, all tasks"]


def test_a_campaign_of_many_tasks_leads_with_the_curve(plant, ask):
    found = ask(plant(**RISING))
    curve = curve_of(found.analysis, found.claim.advantage)
    first, *_ = headline_panels(found.analysis, found.claim, curve)
    assert first.title == "Advantage by difficulty, of manufacturer"
    assert first.caption == (
        "Line: the best curve that never falls; it leaves the margin at t3 (shown from t3 on)."
    )
    assert "radius, mm" in words(first)


def test_a_curve_within_the_margin_says_so(plant, ask):
    found = ask(plant(own=(3,) * 6, exams=80, noise=0.1))
    curve = curve_of(found.analysis, advantage_of(found.analysis, found.grid, "auroc"))
    caption = headline_panels(found.analysis, found.claim, curve)[0].caption
    assert caption.endswith("it never leaves the margin (shown at no task).")


def test_twins_have_a_picture_of_flips_and_others_none(found, plant, ask):
    (panel,) = flips_panels(found.analysis, found.analysis.of_task("spheres"))
    assert panel.title == "Answers that flip between twins, study"
    assert {"easy", "medium", "hard"} <= set(words(panel))
    other = ask(plant(own=(2.0,), runs=2))
    assert flips_panels(other.analysis, other.analysis.of_task("spheres")) == ()


def test_an_estimate_at_the_ceiling_is_a_dot_without_a_line(plant, ask, monkeypatch):
    """On all tasks and on the growth an interval is drawn, on the easy task none."""
    drawn = []
    monkeypatch.setattr(
        headline, "intervals", lambda axes, estimates, *_: drawn.append([e.low is None for e in estimates])
    )
    found = ask(plant(own=(30, 2.6, 2.2), other=(20, 2.0, 0.8)))
    headline_panels(found.analysis, found.claim, None)
    assert drawn == [[True, False, False]]
