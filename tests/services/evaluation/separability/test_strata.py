"""The advantage within strata, on planted predictions of which the truth is known."""

from dataclasses import replace

import pytest

from nameplate.campaign.factor import FieldLevels
from nameplate.steps.ingest import Exam
from nameplate.streams import stream
from nameplate_evaluation.advantage import advantage_of
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.claim import main_grid
from nameplate_evaluation.separability import separability_of, stratified
from nameplate_evaluation.separability.strata import FEWEST_EXAMS, restricted


def exams_for(members, **fields):
    """Records of the members; each of ``fields`` is a function of the member's number within its level."""
    exams = []
    for member in members:
        number = int(member.exam.rsplit("-", 1)[1])
        given = {
            "model": "", "software": "", "kernel": "", "institution": "", "age": 60.0, "sex": "F",
            "kvp": None, "exposure_mas": None, "thickness_mm": 5.0, "gaps_mm": (5.0,), "pixel_mm": 0.5,
            "tilt_degrees": 0.0, "source_slices": 30, "slices": 30,
        } | {name: of(number, member.level) for name, of in fields.items()}  # fmt: skip
        exams.append(
            Exam(exam=member.exam, patient=member.patient, image="", manufacturer=member.level, **given)
        )
    return tuple(exams)


def share(number, level):
    """Soft in three of four exams of GE and in one of four of Siemens, of positives and negatives alike."""
    return "soft" if (number // 2 % 4 < 3) == (level == "GE") else "sharp"


@pytest.fixture(scope="module")
def campaign(plant):
    """80 test exams of each level, an advantage that no field makes, and records with a kernel class."""
    results = plant(own=(2.6, 2.2), other=(1.6, 1.0), exams=80)
    study = results.cohorts[0]
    exams = exams_for(study.members, kernel_class=share, exposure_mas=lambda n, level: 200.0 + n % 20)
    results = replace(results, cohorts=(replace(study, exams=exams), *results.cohorts[1:]))
    analysis = analyse(results)
    return analysis, main_grid(analysis), results.cohorts[0]


def test_all_exams_give_the_whole_advantage(campaign):
    analysis, grid, cohort = campaign
    part = restricted(analysis, grid, {exam.exam for exam in cohort.exams})
    assert advantage_of(analysis, part, "auroc").overall == advantage_of(analysis, grid, "auroc").overall


def test_strata_are_the_test_exams_of_a_value(campaign):
    analysis, grid, cohort = campaign
    found = separability_of(cohort, analysis.campaign)
    assert [row.field.name for row in found.of_kind("partly")] == ["kernel_class"]
    (one,) = stratified(analysis, grid, found, cohort.exams)
    assert one.field.name == "kernel_class"
    assert [(stratum.name, stratum.exams) for stratum in one.strata] == [
        ("sharp", (20, 60)),
        ("soft", (60, 20)),
    ]
    assert one.exams == one.of_exams == 160
    for stratum in one.strata:
        chosen = {exam.exam for exam in cohort.exams if exam.kernel_class == stratum.name}
        part = restricted(analysis, grid, chosen)
        assert stratum.advantage == advantage_of(analysis, part, "auroc").overall


def test_within_is_weighted_by_exams_and_change_is_its_difference(campaign):
    analysis, grid, cohort = campaign
    (one,) = stratified(analysis, grid, separability_of(cohort, analysis.campaign), cohort.exams)
    by_hand = sum(sum(stratum.exams) * stratum.advantage.mean for stratum in one.strata) / one.exams
    assert one.within.mean == pytest.approx(by_hand)
    assert one.together == one.whole
    assert one.change.mean == pytest.approx(one.within.mean - one.together.mean)
    assert one.change.holds(0.0)
    assert one.within.low > 0
    assert not one.shrinks


def test_an_advantage_that_came_with_the_field_shrinks_within_it(plant):
    """A network sees spheres in the kernel that its level mostly has, and nothing in the other one."""
    results = plant(own=(2.4,), exams=160, runs=5)
    study = results.cohorts[0]
    exams = exams_for(study.members, kernel_class=share)
    kernel = {exam.exam: exam.kernel_class for exam in exams}

    def seen(row, trained_on, seed):
        if kernel[row.exam] == ("soft" if trained_on == "GE" else "sharp"):
            return row
        blind = 0.3 + 0.4 * stream(1, row.exam, trained_on, seed).random()
        return row.model_copy(update={"score": blind})

    cells = [
        replace(
            cell,
            predictions={
                seed: tuple(seen(row, cell.cell.training_set, seed) for row in rows)
                for seed, rows in cell.predictions.items()
            },
        )
        for cell in results.cells
        if cell.cell.cohort == "study"
    ]
    cohort = replace(study, exams=exams)
    analysis = analyse(replace(results, cells=tuple(cells), cohorts=(cohort, *results.cohorts[1:])))
    grid = main_grid(analysis)
    (one,) = stratified(analysis, grid, separability_of(cohort, analysis.campaign), exams)
    assert one.whole.low > 0.05
    assert one.within.holds(0.0)
    assert one.shrinks


def test_strata_with_few_exams_of_a_level_are_left_out(campaign):
    analysis, grid, cohort = campaign
    found = separability_of(cohort, analysis.campaign)
    exams = []
    few = 0
    for exam in cohort.exams:
        if exam.manufacturer == "Siemens" and exam.kernel_class == "soft":
            few += 1
            if few >= FEWEST_EXAMS:
                exam = exam.model_copy(update={"kernel_class": "sharp"})
        exams.append(exam)
    (one,) = stratified(analysis, grid, found, exams)
    assert [stratum.name for stratum in one.strata] == ["sharp"]
    assert one.exams < one.of_exams


def test_the_change_is_from_the_same_exams(campaign):
    """Exams outside the strata, which may be harder, are not compared with."""
    analysis, grid, cohort = campaign
    found = separability_of(cohort, analysis.campaign)
    numbers = {exam.exam: int(exam.exam.rsplit("-", 1)[1]) for exam in cohort.exams}
    exams = [
        exam.model_copy(update={"kernel_class": exam.manufacturer}) if numbers[exam.exam] >= 60 else exam
        for exam in cohort.exams
    ]
    (one,) = stratified(analysis, grid, found, exams)
    inside = {name for name, number in numbers.items() if number < 60}
    together = advantage_of(analysis, restricted(analysis, grid, inside), "auroc").overall
    assert one.exams == len(inside) == 120
    assert one.together == together
    assert one.together.mean != pytest.approx(one.whole.mean, abs=1e-6)
    assert one.change.mean == pytest.approx(one.within.mean - one.together.mean)


def test_without_strata_or_predictions_there_is_nothing(campaign):
    analysis, grid, cohort = campaign
    found = separability_of(cohort, analysis.campaign)
    lone = [exam.model_copy(update={"kernel_class": exam.manufacturer}) for exam in cohort.exams]
    assert stratified(analysis, grid, found, lone) == ()
    assert stratified(analysis, grid, found, ()) == ()
    assert stratified(analysis, replace(grid, cells=()), found, cohort.exams) == ()


def test_a_stratum_without_positives_is_left_out(campaign):
    analysis, grid, cohort = campaign
    found = separability_of(cohort, analysis.campaign)
    positive = {member.exam for member in cohort.members if member.positive}
    exams = [
        exam.model_copy(update={"kernel_class": "soft" if exam.exam in positive else "sharp"})
        for exam in cohort.exams
    ]
    assert stratified(analysis, grid, found, exams) == ()
    assert FieldLevels(name="kernel_class").level_of(exams[0]) == "soft"
