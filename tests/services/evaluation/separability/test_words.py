"""Separability in words."""

from dataclasses import replace

import pytest

from nameplate.campaign.field import Field
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.separability import (
    Stratified,
    proposal_of,
    sentences,
    separability_of,
    warnings,
)
from nameplate_evaluation.separability.strata import Stratum
from nameplate_evaluation.separability.words import listed, verdict


def rows_of(count=240, **changes) -> list[dict]:
    """Model and kernel are each manufacturer's own, the rest is alike."""
    return [
        {
            "manufacturer": ("GE", "Siemens")[n % 2],
            "model": ("LightSpeed", "Sensation")[n % 2],
            "kernel": ("STANDARD", "H31s")[n % 2],
            "kernel_class": ("soft", "medium")[n // 2 % 2],
            "institution": f"i{n // 2 % 3}",
            **{name: value(n) for name, value in changes.items()},
        }
        for n in range(count)
    ]


@pytest.fixture
def judge(make_campaign, make_cohort):
    """The separability of a cohort with these fields."""
    return lambda **changes: separability_of(make_cohort(rows_of(**changes)), make_campaign())


def estimate(mean, low, high) -> Estimate:
    return Estimate(mean=mean, low=low, high=high, models=4, exams=100)


def within(name, title, mean, change, strata=2) -> Stratified:
    whole = estimate(0.12, 0.08, 0.16)
    return Stratified(
        cohort="study", field=Field(name, "text", "", title), exams=90, of_exams=100, whole=whole,
        together=estimate(0.13, 0.09, 0.17),
        strata=(Stratum(name="soft", exams=(45, 45), advantage=estimate(mean, 0.0, 0.2)),) * strata,
        within=estimate(mean, 0.0, 0.2), change=change,
    )  # fmt: skip


def test_the_first_sentence_names_what_cannot_be_told_from_the_factor(judge):
    first, second, *_ = sentences(judge())
    assert first == (
        "In cohort study the manufacturer cannot be told from scanner model and kernel (overlap 0 %):"
        " an effect of the manufacturer could be theirs."
    )
    assert second.startswith("Scanner model and kernel are nested by nature (a model is made by one")


def test_a_class_that_could_overlap_is_told_from_a_name_that_cannot(judge):
    lines = sentences(judge(kernel_class=lambda n: ("soft", "medium")[n % 2]))
    assert "Kernel class could have overlapped, but do not here." not in lines
    assert "Kernel class could have overlapped, but does not here." in lines
    assert any("fields that all could have: kernel class." in line for line in lines)


def test_a_column_keeps_its_capitals(judge):
    lines = sentences(judge(fields=lambda n: {"CTDIvol phantom": ("16 cm", "32 cm")[n % 2]}))
    assert "CTDIvol phantom could have overlapped, but does not here." in lines


def test_sites_of_one_manufacturer_each_are_said_to_be_so(judge):
    found = judge(institution=lambda n: f"i{n % 4}")
    lines = sentences(found)
    assert any(line.startswith("Each institution has exams of one manufacturer alone") for line in lines)
    site = next(row for row in found.rows if row.field.name == "institution")
    assert verdict(site, "manufacturer").endswith("(overlap 0 %); each institution has one")


def test_every_field_is_in_a_sentence_or_its_verdict(judge):
    found = judge(exposure_mas=lambda n: None if n % 2 else 200.0)
    text = "\n".join(sentences(found))
    assert "Not known for Siemens (no value): exposure." in text
    assert "Not known (no value): software version." in text
    assert "Constant in all exams: tube voltage" in text
    assert "Told apart: institution and kernel class." in text
    assert all(row.field.title in text.lower() for row in found.rows)
    words = {row.field.name: verdict(row, "manufacturer") for row in found.rows}
    assert words["exposure_mas"] == "not known for Siemens: no value"
    assert words["kvp"] == "constant"
    assert words["kernel_class"] == "told apart (overlap 100 %)"
    assert words["model"] == "cannot be told from the manufacturer (overlap 0 %), by nature"


def test_few_exams_without_a_difference_are_said_to_be_few(make_campaign, make_cohort):
    rows = rows_of(48, exposure_mas=lambda n: 200.0 + n // 2 % 8)
    found = separability_of(make_cohort(rows), make_campaign())
    words = {row.field.name: verdict(row, "manufacturer") for row in found.rows}
    assert words["kernel_class"] == "no difference found (few exams, overlap 100 %)"
    text = "\n".join(sentences(found))
    assert "No difference found, but few exams: institution, kernel class and exposure." in text
    assert (
        "A difference of 0.8 standard deviations or an association of V = 0.37 could have been missed" in text
    )
    assert "Told apart" not in text


def test_the_warning_is_for_low_overlap_alone(judge):
    assert warnings(judge()) == (
        "In cohort study the manufacturer cannot be told from scanner model and kernel (overlap 0 %): an"
        " effect of the manufacturer could be theirs.",
    )
    alike = judge(model=lambda n: "any", kernel=lambda n: "any")
    assert warnings(alike) == ()
    assert sentences(alike)[0].startswith("In cohort study no field that is known goes with the manufacturer")


def test_hardly_is_not_at_all(judge):
    """A tenth of the exams have a kernel class that both have."""
    found = judge(
        model=lambda n: "",
        kernel=lambda n: "",
        kernel_class=lambda n: "sharp" if n < 24 else ("soft", "medium")[n % 2],
    )
    assert warnings(found)[0].startswith(
        "In cohort study the manufacturer can hardly be told from kernel class (overlap 10 %)"
    )


def test_without_members_it_is_about_the_exams_before(make_campaign, make_cohort):
    found = separability_of(make_cohort(rows_of(), members=[]), make_campaign())
    assert sentences(found)[0].startswith("No exam of cohort study came through the matching")
    assert warnings(found)


def test_nothing_known_is_no_claim(make_campaign, make_cohort):
    found = separability_of(make_cohort(rows_of(2)), make_campaign())
    assert sentences(found)[0] == "In cohort study nothing is known of what else goes with the manufacturer."


def test_strata_are_told_with_their_change(judge):
    found = judge(exposure_mas=lambda n: 200.0 + 20 * (n % 2) + n % 30)
    shrinks = within("exposure_mas", "exposure", 0.05, estimate(-0.07, -0.10, -0.04))
    same = within("kernel_class", "kernel class", 0.11, estimate(-0.01, -0.03, 0.02))
    text = "\n".join(sentences(found, [same, shrinks]))
    assert "Within 2 strata of exposure (90 of 100 test exams) the advantage is +5.0 AUROC points" in text
    assert "and +13.0 (+9.0 to +17.0) on the same exams together: it is smaller within exposure" in text
    assert (
        "(change \u22127.0 points (\u221210.0 to \u22124.0); not corrected for the number of fields)." in text
    )
    assert "came with the exposure" not in text
    assert "Within strata of kernel class it is +11.0 points; that it is smaller is not shown." in text
    one = "\n".join(sentences(found, [replace(shrinks, strata=shrinks.strata[:1])]))
    assert "Within 1 stratum of exposure (90 of 100 test exams) the advantage is +5.0 AUROC points (" in one
    assert "on the same exams together" not in one
    assert "No stratum of" in "\n".join(sentences(found, []))
    assert "stratum" not in "\n".join(sentences(found))


def test_the_proposal_is_told_with_what_remains(make_campaign, make_cohort):
    rows = rows_of(240, kernel_class=lambda n: ("soft", "medium")[n % 2 if n % 5 < 2 else n // 2 % 2])
    campaign, cohort = make_campaign(), make_cohort(rows)
    found = separability_of(cohort, campaign)
    proposal = proposal_of(cohort, campaign, found)
    text = "\n".join(sentences(found, None, proposal))
    assert f"Matched on kernel class as well, {proposal.then[0]} of 120 GE and" in text
    nothing = replace(proposal, fields=(), left_out=(Field("kernel_class", "text", "", "kernel class"),))
    assert "No matching on kernel class would leave" in "\n".join(sentences(found, None, nothing))


def test_the_last_sentence_tells_a_confounder_from_the_way_an_effect_takes(judge):
    assert "confounds its effect and should be matched" in sentences(judge())[-1]


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists(names, text):
    assert listed(names) == text
