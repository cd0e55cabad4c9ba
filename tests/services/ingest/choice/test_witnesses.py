"""Each witness of a header can refuse, and none of them alone can make a series pass."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_head import FACTS as GOOD
from plain_head import SAYS as PLAIN

from nameplate.campaign.ingest import SeriesRules
from nameplate_ingest.choice.facts import Facts
from nameplate_ingest.choice.select import apply_rules
from nameplate_ingest.choice.witnesses import opinions

SILENT = {"series": "", "study": "", "protocol": "", "body_part": ""}


def verdict(facts: Facts = GOOD, rules: SeriesRules | None = None, **says: Any) -> tuple[str, bool]:
    """The rule that refuses a series whose header says this, and whether it is only doubtful."""
    told = replace(facts, says=(replace(PLAIN, **says),))
    rules = rules or SeriesRules()
    found = apply_rules(told, opinions(told, rules), rules)
    return found.rule, found.doubtful


def measured(**facts: Any) -> tuple[str, bool]:
    told = replace(GOOD, **facts)
    found = apply_rules(told, opinions(told, SeriesRules()), SeriesRules())
    return found.rule, found.doubtful


def test_a_plain_head_passes() -> None:
    assert verdict() == ("", False)


@pytest.mark.parametrize(
    "says",
    [
        SILENT,
        {"body_part": "HEADNECK"},
        {"units": ""},
        {"units": "US"},
        {"series": "HEAD POST OP 5MM", "protocol": "TRAUMA"},
        {"series": "Head 5.0", "study": "POLYTRAUMA HEAD CHEST ABDOMEN", "protocol": ""},
        {"series": "Head w/o contrast", "study": "CT HEAD W CONTRAST"},
        {"series": "Head native 5.0", "study": "CT HEAD WO AND W CONTRAST"},
        {"agent": "NO CONTRAST GIVEN"},
        {"agent": "ohne KM", "series": "5.0"},
        {"image_type": ("ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI")},
        {"image_type": ("",), "kvp": None, "diameter_mm": None},
        {"diameter_mm": 0.0},
    ],
)
def test_harmless_headers_pass(says: dict[str, Any]) -> None:
    assert verdict(**says) == ("", False)


@pytest.mark.parametrize(
    ("says", "rule"),
    [
        ({"series": "Head + KM"}, "description"),
        ({"series": "CTA HEAD"}, "description"),
        ({"series": "Perfusion head"}, "description"),
        ({"series": "5.0", "protocol": "Head with contrast"}, "description"),
        ({"series": "5.0", "protocol": "", "study": "CT brain with contrast"}, "description"),
        ({"series": "5.0", "protocol": "", "study": "CT HEAD W\nO head"}, "description"),
        ({"series": "", "protocol": "", "study": "CTA"}, "description"),
        ({"series": "Sinus 3.0"}, "description"),
        ({"series": "5.0", "protocol": "Thorax", "body_part": ""}, "description"),
        ({"series": "5.0", "protocol": "", "study": "CT abdomen", "body_part": ""}, "description"),
        ({"series": "Head COR"}, "description"),
        ({"series": "5.0", "protocol": "", "study": "PET CT whole body"}, "description"),
        ({"series": "", "protocol": "QA phantom"}, "description"),
        ({"series": "5.0", "protocol": "", "study": "", "body_part": "CHEST"}, "body-part"),
        ({"agent": "Iohexol"}, "contrast"),
        ({"agent": "IV"}, "contrast"),
        ({"contrast": ("sequence",)}, "contrast"),
        ({"contrast": ("volume", "route")}, "contrast"),
        ({"units": "Z_EFF"}, "units"),
        ({"units": "HU_MOD"}, "units"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "AXIAL", "IODINE")}, "image-type"),
        ({"times": 10}, "temporal"),
        ({"kvp": 40.0}, "energy"),
        ({"diameter_mm": 100.0}, "field"),
    ],
)
def test_each_witness_can_refuse(says: dict[str, Any], rule: str) -> None:
    assert verdict(**says) == (rule, False)


@pytest.mark.parametrize(
    ("says", "rule"),
    [
        ({"body_part": "CHEST"}, "body-part"),
        ({"series": "Head and neck 3.0"}, "description"),
        ({"series": "5.0", "protocol": "", "study": "CT HEAD WO AND W CONTRAST"}, "description"),
        ({"series": "Head 5.0", "protocol": "", "study": "CT head and CTA"}, "description"),
        ({"series": "Head w/o contrast", "agent": "Iohexol"}, "contrast"),
        ({"agent": "NONE", "contrast": ("volume",)}, "contrast"),
        ({"multienergy": True}, "energy"),
        ({"diameter_mm": 180.0}, "field"),
    ],
)
def test_where_witnesses_disagree_a_person_should_look(says: dict[str, Any], rule: str) -> None:
    assert verdict(**says) == (rule, True)


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"passes": 3}, "temporal"),
        ({"energies": 2}, "energy"),
        ({"field_mm": 100.0, "wide_mm": 100.0}, "field"),
        ({"field_mm": 600.0, "wide_mm": 600.0}, "field"),
        ({"coverage_mm": 60.0}, "coverage"),
        ({"coverage_mm": 300.0}, "coverage"),
        ({"stray_gaps": 4}, "two-passes"),
    ],
)
def test_measures_can_refuse(facts: dict[str, Any], rule: str) -> None:
    assert measured(**facts)[0] == rule


def test_one_enhanced_slice_among_plain_ones_is_enough() -> None:
    assert measured(says=(PLAIN, replace(PLAIN, agent="Iohexol")))[0] == "contrast"


def test_the_campaigns_patterns_refuse_and_vouch() -> None:
    strict = SeriesRules(refuse_description=("h31",))
    assert verdict(rules=strict) == ("description", False)
    site = SeriesRules(plain_description=(r"^head & neck room 3",))
    words = {"series": "Head & neck room 3", "protocol": "", "study": ""}
    assert verdict(**words)[0] == "description"
    assert verdict(rules=site, **words) == ("", False)
    # The other witnesses are still heard.
    assert verdict(rules=site, agent="Iohexol", **words)[0] == "contrast"


texts = st.sampled_from(
    ["", "5.0", "head", "head w contrast", "head w/o", "CTA", "chest", "sagittal", "bone"]
)


@given(texts, texts, texts, st.sampled_from(["", "HEAD", "CHEST"]), st.sampled_from(["", "NONE", "Iohexol"]))
def test_no_word_turns_a_refusal_into_a_pass(
    series: str, protocol: str, study: str, part: str, agent: str
) -> None:
    """Whatever the other witnesses say: a named agent, a wrong unit or a short scan is refused."""
    says = {"series": series, "protocol": protocol, "study": study, "body_part": part}
    assert verdict(units="MGML", agent=agent, **says)[0]
    assert verdict(agent="Iohexol", **says)[0]
    assert verdict(replace(GOOD, coverage_mm=50.0), agent=agent, **says)[0]
