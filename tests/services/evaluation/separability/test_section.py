"""The section of all study cohorts, on the complete campaign."""

from dataclasses import replace

import yaml

from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.results import CohortResult
from nameplate_evaluation.separability import section_of


def with_classes(results, wanted):
    """The campaign with a kernel and a kernel class by exam."""
    cohorts = []
    for cohort in results.cohorts:
        exams = tuple(
            exam.model_copy(update={"kernel": f"k-{exam.manufacturer}", "kernel_class": wanted(n, exam)})
            for n, exam in enumerate(cohort.exams)
        )
        cohorts.append(replace(cohort, exams=exams))
    return replace(results, cohorts=tuple(cohorts))


def partly(number, exam):
    """Soft in three of four exams of GE and one of four of Siemens, by patient and half."""
    return "soft" if (number // 4 % 4 < 3) == (exam.manufacturer == "GE") else "sharp"


def test_study_cohorts_have_all_parts_and_controls_none(complete):
    section = section_of(analyse(with_classes(complete, partly)))
    (found,) = section.found
    assert found.cohort == "main"
    assert [row.field.name for row in found.of_kind("cannot be told")] == ["kernel"]
    assert [row.field.name for row in found.of_kind("partly")] == ["kernel_class"]
    assert [one.field.name for one in section.strata] == ["kernel_class"]
    assert section.warnings == (
        "In cohort main the manufacturer cannot be told from kernel (overlap 0 %): an effect of the"
        " manufacturer could be the kernel's.",
    )
    assert any("the advantage is" in line for line in section.sentences)
    assert [table.section for table in section.tables] == ["separability"] * 3
    assert all(table.rows for table in section.tables)
    (lines,) = section.lines
    assert yaml.safe_load(lines)["match"]["same"] == ["kernel_class"]


def test_the_same_results_give_the_same_section(complete):
    results = with_classes(complete, partly)
    turned = replace(results, cohorts=tuple(replace(one, exams=one.exams[::-1]) for one in results.cohorts))
    assert section_of(analyse(results)) == section_of(analyse(turned))


def test_without_cells_there_is_a_verdict_and_no_word_of_strata(complete):
    section = section_of(analyse(replace(with_classes(complete, partly), cells=())))
    assert section.strata == ()
    assert section.found
    assert not any("stratum" in line for line in section.sentences)


def test_without_exams_it_is_empty(complete):
    empty = tuple(CohortResult(name=cohort.name) for cohort in complete.cohorts)
    section = section_of(analyse(replace(complete, cohorts=empty, cells=())))
    assert (section.found, section.sentences, section.warnings, section.lines) == ((), (), (), ())
    assert all(not table.rows for table in section.tables)
