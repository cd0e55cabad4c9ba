"""A field of the exams and its levels: bins of numbers, groups of texts, and mistakes in them."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nameplate.campaign import Campaign, parse_campaign
from nameplate.campaign.factor import FactorSettings, FieldLevels
from nameplate.campaign.field import Value
from nameplate.campaign.names import slug
from nameplate.errors import CampaignError


@dataclass(frozen=True)
class Known:
    """An exam of which one field is known."""

    name: str
    value: Value

    def value_of(self, name: str) -> Value:
        return self.value if name == self.name else None


def level(field: FieldLevels, value: Value) -> str | None:
    return field.level_of(Known(field.name, value))


def test_values_of_a_text_are_levels_by_themselves() -> None:
    factor = FactorSettings()
    assert (factor.name, factor.levels, factor.title) == ("manufacturer", ("GE", "Siemens"), "manufacturer")
    assert [level(factor, value) for value in ("GE", "Siemens", "ge", "Canon", None)] == [
        *("GE", "Siemens"),
        *(None, None, None),
    ]
    assert factor.described(Known("manufacturer", "Canon")) == "Canon"
    assert factor.described(Known("manufacturer", None)) == "unknown"


def test_bins_have_names_with_the_unit() -> None:
    factor = FactorSettings(name="thickness_mm", bins=(3, 4.5))
    assert factor.levels == ("below 3 mm", "3 to 4.5 mm", "4.5 mm and more")
    assert [level(factor, value) for value in (2.999, 3.0, 4.499, 4.5, None)] == [
        *("below 3 mm", "3 to 4.5 mm", "3 to 4.5 mm", "4.5 mm and more"),
        None,
    ]
    assert (factor.title, factor.plural) == ("slice thickness", "slice thicknesses")
    named = FactorSettings(name="thickness_mm", bins=(3.0,), levels=("thin", "thick"))
    assert (level(named, 1.0), level(named, 3.0)) == ("thin", "thick")


cuts = st.lists(
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda cut: round(cut, 2)), min_size=1, max_size=6, unique=True
).map(sorted)


@given(cuts, st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_in_the_one_bin_whose_cuts_enclose_it(ends: list[float], value: float) -> None:
    names = tuple(f"bin {n}" for n in range(len(ends) + 1))
    found = level(FieldLevels(name="age", bins=tuple(ends), levels=names), value)
    low, high = [-math.inf, *ends], [*ends, math.inf]
    assert [found] == [name for name, a, b in zip(names, low, high, strict=True) if a <= value < b]


@given(cuts)
def test_default_names_of_bins_differ_and_survive_a_round_trip(ends: list[float]) -> None:
    factor = FactorSettings(name="kvp", bins=tuple(ends))
    assert len(set(factor.levels)) == len(ends) + 1
    assert FactorSettings.model_validate_json(factor.model_dump_json()) == factor
    assert FactorSettings.model_validate(factor.model_dump()) == factor


def test_groups_take_the_first_level_with_a_pattern_in_the_text() -> None:
    factor = FactorSettings(
        name="kernel", groups={"brain": (r"^H[123]\d", "soft|standard"), "bone": (r"^h[6-9]\d", "^bone", "s")}
    )
    values = ("H31s", "h60s", "SOFT", "BonePlus", "Detail", "", None)
    assert [level(factor, value) for value in values] == ["brain", "bone", "brain", "bone", None, None, None]
    assert FactorSettings.model_validate_json(factor.model_dump_json()) == factor


def test_levels_choose_among_groups_without_moving_an_exam_to_another_one() -> None:
    groups = {"middle": ("soft",), "sharp": ("soft", "sharp"), "smooth": ("smooth",)}
    factor = FactorSettings(name="kernel", groups=groups, levels=("smooth", "sharp"))
    assert [level(factor, value) for value in ("soft", "sharp", "smooth")] == [None, "sharp", "smooth"]


def test_a_number_without_bins_is_compared_as_a_number() -> None:
    factor = FactorSettings(name="kvp", levels=("100", "120.0"))
    assert [level(factor, value) for value in (100.0, 120.0, 80.0)] == ["100", "120.0", None]
    every = FieldLevels(name="kvp")
    assert [level(every, value) for value in (100.0, 99.5)] == ["100", "99.5"]


def test_a_column_may_be_a_number_or_a_text() -> None:
    bins = FieldLevels(name="dose_class", bins=(2.0,), levels=("low", "high"))
    assert [level(bins, value) for value in ("1", "2", " 3.5", "high", None)] == [
        *("low", "high", "high"),
        *(None, None),
    ]
    assert level(FieldLevels(name="dose_class", groups={"a": ("^1$",)}), "1") == "a"
    assert FieldLevels(name="dose_class").noun == "dose_class"


def test_a_bare_name_is_a_field() -> None:
    assert FieldLevels.model_validate("kernel_class") == FieldLevels(name="kernel_class")


@pytest.mark.parametrize(
    ("title", "plural"),
    [
        ("number of slices", "numbers of slices"),
        ("manufacturer", "manufacturers"),
        ("kernel class", "kernel classes"),
        ("body", "bodies"),
        ("sex", "sexes"),
    ],
)
def test_a_title_has_a_plural(title: str, plural: str) -> None:
    assert FactorSettings(title=title).plural == plural


def test_the_title_decides_no_level() -> None:
    assert FactorSettings(title="vendor").field_levels == FactorSettings().field_levels


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (
            {"name": "thicknes_mm", "bins": [3]},
            "factor.name: 'thicknes_mm' is no field of an exam, and no colum",
        ),
        ({"name": "thicknes_mm", "bins": [3]}, "did you mean 'thickness_mm'? (cohort 'study')"),
        ({"name": "a/b", "levels": ["x", "y"]}, "factor.name: 'a/b' is no field"),
        ({"name": "thickness_mm"}, "factor: levels: required for 'thickness_mm'"),
        ({"name": "kernel"}, "factor: levels: required for 'kernel'"),
        ({"name": "thickness_mm", "bins": []}, "factor.bins: needs at least one cut"),
        ({"name": "thickness_mm", "bins": [4, 3]}, "factor.bins: expected ascending cuts: [4.0, 3.0]"),
        ({"name": "thickness_mm", "bins": [3, 3]}, "factor.bins: expected ascending cuts"),
        ({"name": "thickness_mm", "bins": [math.nan]}, "factor.bins: expected finite numbers"),
        ({"name": "thickness_mm", "bins": [3, math.inf]}, "factor.bins: expected finite numbers"),
        ({"name": "thickness_mm", "bins": ["thin"]}, "factor.bins[0]: "),
        ({"name": "thickness_mm", "bins": 3}, "factor.bins: "),
        (
            {"name": "thickness_mm", "bins": [3], "levels": ["a", "b", "c"]},
            "factor: levels: 1 cuts make 2 levels, got 3 names",
        ),
        ({"name": "thickness_mm", "levels": ["thin", "5"]}, "'thin' is no value of 'thickness_mm', a number"),
        ({"name": "kernel", "bins": [3]}, "factor: bins: 'kernel' is a text; 'groups' puts texts together"),
        ({"name": "age", "groups": {"a": ["x"], "b": ["y"]}}, "'age' is a number; 'bins' puts numbers"),
        (
            {"name": "kernel", "groups": {"a": ["x"], "b": ["y"]}, "bins": [3]},
            "factor: bins are for numbers and groups for texts: give one of them",
        ),
        ({"name": "kernel", "groups": {}}, "factor.groups: needs at least one level"),
        ({"name": "kernel", "groups": {"a": ["x"], "b": []}}, "factor.groups: 'b' has no pattern"),
        (
            {"name": "kernel", "groups": {"a": ["("], "b": ["y"]}},
            "factor.groups: 'a': '(' is not a regular exp",
        ),
        ({"name": "kernel", "groups": {"a": "x", "b": ["y"]}}, "factor.groups.a: "),
        ({"name": "kernel", "groups": {"a": ["x"]}}, "factor.levels: expected two or more to compare: ['a']"),
        (
            {"name": "kernel", "groups": {"a": ["x"], "b": ["y"]}, "levels": ["a", "c"]},
            "factor: levels: 'c' is not one of the groups ['a', 'b']",
        ),
        ({"levels": ["GE"]}, "factor.levels: expected two or more to compare: ['GE']"),
        ({"levels": []}, "factor.levels: expected two or more to compare: []"),
        ({"levels": ["GE", "GE"]}, "factor.levels: expected different names"),
        (
            {"levels": ["GE", "mixed"]},
            "factor.levels: expected different names, none of them 'mixed' and 'val'",
        ),
        ({"levels": ["GE", "val"]}, "factor.levels: expected different names"),
        ({"levels": ["GE", ""]}, "factor.levels: '' is no name of a level"),
        ({"levels": ["GE", " x"]}, "factor.levels: ' x' is no name of a level"),
        ({"levels": ["GE", "a\nb"]}, "factor.levels: 'a\\nb' is no name of a level"),
        ({"levels": ["GE", "x" * 65]}, "is no name of a level"),
        ({"levels": ["GE", "語" * 40]}, "is no name of a level"),
        ({"title": ""}, "factor.title: expected 1 to 64 printable characters"),
        ({"titel": "x"}, "factor.titel: unknown key"),
        (3, "factor: "),
    ],
)
def test_mistakes_have_a_place_and_a_reason(tiny_text: str, factor: Any, expected: str) -> None:
    raw = yaml.safe_load(tiny_text)
    raw["factor"] = factor
    with pytest.raises(CampaignError) as caught:
        parse_campaign(yaml.safe_dump(raw), "my.yaml")
    assert expected in str(caught.value)


def _with_columns(tiny_text: str, **changes: Any) -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load(tiny_text)
    raw["cohorts"]["study"].pop("phantom")
    raw["cohorts"]["study"] |= {
        "folder": "dicom",
        "fields_csv": "f.csv",
        "fields": ["site", "dose"],
        **changes,
    }
    return raw


def _parsed(raw: Any) -> Campaign:
    return parse_campaign(yaml.safe_dump(raw), "my.yaml")


def test_a_column_can_be_the_factor_and_be_matched(tiny_text: str) -> None:
    same = ["kernel_class", {"name": "dose", "bins": [2, 3]}]
    raw = _with_columns(tiny_text, match={"same": same})
    raw["factor"] = {"name": "site", "levels": ["A", "B"], "title": "hospital"}
    raw["experiments"] = [e | {"training_sets": ["mixed"]} for e in raw["experiments"]]
    campaign = _parsed(raw)
    assert (campaign.factor.title, campaign.factor.noun) == ("hospital", "site")
    match = campaign.cohorts["study"].match
    assert match is not None
    assert [field.name for field in match.same] == ["kernel_class", "dose"]
    assert Campaign.model_validate_json(campaign.model_dump_json(by_alias=True)) == campaign


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"match": {"same": ["kernel_clas"]}}, "cohorts.study.match.same[0].name: 'kernel_clas' is no field"),
        ({"match": {"same": ["sites"]}}, "did you mean 'site'?"),
        ({"match": {"same": ["site", "site"]}}, "cohorts.study.match.same: 'site' appears twice"),
        ({"match": {"same": ["manufacturer"]}}, "same[0].name: 'manufacturer' is the factor: exams of two"),
        (
            {"match": {"same": [{"name": "dose", "bins": []}]}},
            "cohorts.study.match.same[0].bins: needs at least",
        ),
        ({"fields": []}, "'fields_csv' and 'fields', the columns to take from it, belong together"),
        ({"fields_csv": None}, "'fields_csv' and 'fields', the columns to take from it, belong together"),
        ({"fields": ["site", "site"]}, "cohorts.study.fields: a name appears twice"),
        ({"fields": ["age"]}, "cohorts.study.fields: 'age' cannot name a column"),
        ({"fields": ["study"]}, "cohorts.study.fields: 'study' cannot name a column"),
    ],
)
def test_mistakes_in_matching_and_columns(tiny_text: str, changes: Any, expected: str) -> None:
    with pytest.raises(CampaignError) as caught:
        _parsed(_with_columns(tiny_text, **changes))
    assert expected in str(caught.value)


def test_simulated_exams_have_no_columns(tiny_text: str) -> None:
    raw = yaml.safe_load(tiny_text)
    raw["cohorts"]["study"] |= {"fields_csv": "f.csv", "fields": ["site"]}
    with pytest.raises(CampaignError, match="'fields_csv' needs exams that are not simulated"):
        _parsed(raw)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=2, unique=True))
def test_whatever_a_level_is_called_its_keys_are_plain_and_its_own(levels: list[str]) -> None:
    """≥ 3 mm, 4 and more, ../x."""
    one, two = (slug(name) for name in levels)
    assert one != two
    for key in (one, two):
        assert all(c.isascii() and (c.isalnum() or c in "-._") for c in key)
        assert key[0].isalnum()


@pytest.mark.parametrize(
    ("factor", "value", "said"),
    [
        ({"name": "site", "levels": ("A", "B")}, "ward 7", "another value"),
        ({"name": "age", "bins": (40.0,), "levels": ("young", "old")}, 63.0, "old"),
        ({"name": "manufacturer", "groups": {"big": ("GE",), "other": ("C.*",)}}, "Philips", "Philips"),
    ],
)
def test_values_that_may_be_a_patients_are_not_told(factor: dict[str, Any], value: Value, said: str) -> None:
    assert FactorSettings(**factor).described(Known(factor["name"], value)) == said
