from itertools import pairwise

from nameplate_evaluation.flow import stages_of
from nameplate_evaluation.results import CohortResult


def test_every_series_and_exam_is_counted_once(complete):
    cohort = complete.cohorts[0]
    stages = stages_of(cohort)
    assert [stage.label for stage in stages] == [
        "series read",
        "series chosen, one an exam",
        "brains found",
        "matched and split",
        "in every dataset",
    ]
    assert [s.count for s in stages] == [1080, 360, 356, 356, 350]
    for before, after in pairwise(stages):
        assert before.count - sum(count for _, count in after.left) == after.count


def test_exams_that_nobody_explains_are_those_not_matched(complete):
    cohort = complete.cohorts[0]
    fewer = CohortResult(name="x", exams=cohort.exams, members=cohort.members[:300])
    stages = stages_of(fewer)
    assert [s.count for s in stages] == [360, 300]
    assert stages[1].left == (("not matched, or not needed", 60),)


def test_nothing_known_is_no_stage():
    assert stages_of(CohortResult(name="x")) == ()
