"""The matched sub-cohort: what it leaves, and that its lines are a campaign's."""

import numpy as np
import pytest
import yaml

from nameplate.campaign import parse_campaign
from nameplate_evaluation.separability import proposal_of, separability_of


def rows_of(count=240, overlap=0.3) -> list[dict]:
    """Kernel classes in part, dose in part; ages and sexes alike."""
    rng = np.random.default_rng(8)
    return [
        {
            "manufacturer": ("GE", "Siemens")[n % 2],
            "model": ("LightSpeed", "Sensation")[n % 2],
            "kernel": ("STANDARD", "H31s")[n % 2],
            "kernel_class": ("soft", "medium")[int(rng.random() < (overlap, 1 - overlap)[n % 2])],
            "exposure_mas": float(round(rng.normal(220 + 50 * (n % 2), 35))),
            "age": float(40 + n // 2 % 30),
            "sex": "FM"[n // 2 % 2],
        }
        for n in range(count)
    ]


def with_lines(campaign, lines):
    """The campaign with the lines in place of the cohort's matching, read again as a file."""
    raw = campaign.model_dump(mode="json", exclude_unset=True)
    raw["cohorts"]["study"]["match"] = yaml.safe_load(lines)["match"]
    return parse_campaign(yaml.safe_dump(raw), "pasted")


def test_matched_fields_are_alike_and_names_are_not_proposed(make_campaign, make_cohort):
    campaign, cohort = make_campaign(), make_cohort(rows_of())
    found = separability_of(cohort, campaign)
    proposal = proposal_of(cohort, campaign, found)
    names = [one.field.name for one in proposal.fields]
    assert set(names) == {"kernel_class", "exposure_mas"}
    kernel = proposal.fields[names.index("kernel_class")]
    assert kernel.now.kind == "partly"
    assert (kernel.then.kind, kernel.then.v) == ("told apart", 0.0)
    dose = proposal.fields[names.index("exposure_mas")]
    assert dose.then.difference < dose.now.difference / 2
    assert min(proposal.then) >= proposal.floor
    assert len(set(proposal.then)) == 1
    assert proposal.then < proposal.now


def test_lines_are_a_campaigns_and_give_the_exams_that_they_promise(make_campaign, make_cohort):
    campaign, cohort = make_campaign(), make_cohort(rows_of())
    proposal = proposal_of(cohort, campaign, separability_of(cohort, campaign))
    pasted = with_lines(campaign, proposal.lines)
    assert list(pasted.cohorts["study"].match.same) == [one.levels for one in proposal.fields]
    assert proposal.lines.startswith("# In cohorts.study, in place of its match.")
    assert f"{proposal.then[0]} of GE" in proposal.lines
    again = proposal_of(cohort, pasted, separability_of(cohort, pasted))
    assert again.then == proposal.then


@pytest.mark.parametrize("match", ["null", "{age_years: 3.0, sex: false, exams_per_level: 100}"])
def test_the_cohorts_own_matching_is_kept(make_campaign, make_cohort, match):
    campaign, cohort = make_campaign(match=match), make_cohort(rows_of())
    proposal = proposal_of(cohort, campaign, separability_of(cohort, campaign))
    pasted = with_lines(campaign, proposal.lines).cohorts["study"].match
    assert pasted.age_years == (100.0 if match == "null" else 3.0)
    assert pasted.sex is False


def test_columns_with_odd_names_are_quoted(make_campaign, make_cohort):
    rows = rows_of()
    for n, row in enumerate(rows):
        own = "AB"[n % 2]
        row |= {"fields": {"on. Off no": own if n % 5 < 2 else "AB"[n // 2 % 2]}}
        row |= {"kernel_class": "soft", "exposure_mas": None}
    campaign, cohort = make_campaign(), make_cohort(rows)
    proposal = proposal_of(cohort, campaign, separability_of(cohort, campaign))
    assert yaml.safe_load(proposal.lines)["match"]["same"] == ["on. Off no"]


def test_fields_that_would_leave_too_few_are_named(make_campaign, make_cohort):
    """No exam has a partner with its own kernel class."""
    rows = rows_of(overlap=0.0)
    for row in rows:
        row["exposure_mas"] = None
    campaign, cohort = make_campaign(), make_cohort(rows)
    proposal = proposal_of(cohort, campaign, separability_of(cohort, campaign))
    assert (proposal.fields, proposal.lines, proposal.then) == ((), "", (0, 0))
    assert [field.name for field in proposal.left_out] == ["kernel_class"]


def test_twins_stay_together(make_campaign, make_cohort):
    """Each head once by both: matched are heads whose two exams agree in the kernel class, and no others."""
    rows = [row | {"patient": f"p{n // 2:04d}", "exposure_mas": 200.0} for n, row in enumerate(rows_of())]
    campaign, cohort = make_campaign(twins=True), make_cohort(rows)
    proposal = proposal_of(cohort, campaign, separability_of(cohort, campaign))
    agreeing = sum(rows[n]["kernel_class"] == rows[n + 1]["kernel_class"] for n in range(0, len(rows), 2))
    assert [one.field.name for one in proposal.fields] == ["kernel_class"]
    assert proposal.then == (agreeing, agreeing)


def test_without_members_or_unlike_fields_nothing_is_proposed(make_campaign, make_cohort):
    campaign = make_campaign()
    alike = [row | {"kernel_class": "soft", "exposure_mas": 200.0} for row in rows_of()]
    cohort = make_cohort(alike)
    assert proposal_of(cohort, campaign, separability_of(cohort, campaign)) is None
    none = make_cohort(rows_of(), members=[])
    assert proposal_of(none, campaign, separability_of(none, campaign)) is None
