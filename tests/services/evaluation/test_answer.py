from dataclasses import replace

import pytest

from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.answer import answer_of
from nameplate_evaluation.control import checks_of
from nameplate_evaluation.gap import gaps_of
from nameplate_evaluation.report import advantages_of


def answer(results):
    analysis = analyse(results)
    gaps = tuple(gap for grid in analysis.of_task("spheres") for gap in gaps_of(analysis, grid))
    return answer_of(analysis, advantages_of(analysis), gaps, checks_of(analysis))


def test_growing_advantage_is_found(complete):
    found = answer(complete)
    assert found.sentence.startswith("In simulated heads, a network does better on the manufacturer")
    assert any("simulated" in line for line in found.warnings)
    assert not any("null control" in line for line in found.warnings)


def test_absent_advantage_is_not_claimed(make):
    found = answer(make(resamples=400, spread=0.0, salt=6))
    assert "it is not shown that" in found.sentence
    assert "contains zero" in found.sentence


def test_failing_null_control_stands_in_the_sentence(make):
    found = answer(make(resamples=400, null_signal=2.0))
    assert "not to be relied on, as the null control fails" in found.sentence
    assert any(line.startswith("The null control fails") for line in found.warnings)


def test_clinical_exams_are_not_called_simulated(complete):
    campaign = complete.campaign
    main = campaign.cohorts["main"].model_copy(update={"phantom": None, "folder": "exams"})
    campaign = campaign.model_copy(update={"cohorts": {**campaign.cohorts, "main": main}})
    found = answer(replace(complete, campaign=campaign))
    assert found.sentence.startswith("A network does better")
    assert not any("simulated" in line for line in found.warnings)


def test_patients_in_two_splits_are_reported(complete):
    cohort = complete.cohorts[0]
    first = next(m for m in cohort.members if m.split == "train")
    double = first.model_copy(update={"exam": "e-again", "split": "test"})
    leaking = replace(cohort, members=(*cohort.members, double))
    found = answer(replace(complete, cohorts=(leaking, *complete.cohorts[1:])))
    assert any("1 patients of cohort main are in more than one split" in line for line in found.warnings)


@pytest.mark.parametrize("sets", [("mixed",), ("mixed", "GE")])
def test_without_every_single_level_there_is_no_answer(complete, sets):
    cells = tuple(c for c in complete.cells if c.key[0] == "spheres" and c.key[3] in sets)
    assert answer(replace(complete, cells=cells)).sentence.startswith("No answer yet")
