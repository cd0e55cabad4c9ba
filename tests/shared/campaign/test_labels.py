from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate.campaign import parse_campaign
from nameplate.campaign.labels import LabelSettings
from nameplate.errors import CampaignError

TINY = Path(__file__).parents[2] / "tiny.yaml"


class Saying:
    """An exam whose fields all have one value."""

    def __init__(self, value: float | str | None) -> None:
        self.value = value

    def value_of(self, name: str) -> float | str | None:
        return self.value


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("1", 1), ("0", 0), ("1.0", 1), (1.0, 1), (0.0, 0), ("yes", 1), ("No", 0), ("TRUE", 1), ("false", 0),
        (None, None), ("2", None), (0.5, None), ("maybe", None), ("-1", None),
    ],
)  # fmt: skip
def test_what_a_value_means(value: float | str | None, label: int | None) -> None:
    assert LabelSettings(column="bleed").label_of(Saying(value)) == label


def test_values_of_ones_own_and_no_others() -> None:
    labels = LabelSettings(column="finding", values=("none", "bleed"))
    assert [labels.label_of(Saying(value)) for value in ("none", "bleed", "Bleed", "1")] == [0, 1, None, None]


def _raw(**labels: Any) -> Any:
    raw = yaml.safe_load(TINY.read_text())
    del raw["cohorts"]["study"]["phantom"]
    raw["cohorts"]["study"]["folder"] = "dicom"
    raw["datasets"]["labels"] = labels
    raw["experiments"][1]["task"] = "labels"
    del raw["experiments"][1]["convergence"]["hard"]
    return raw


def test_the_table_is_that_of_every_cohort_with_a_folder() -> None:
    raw = _raw(table="labels.csv", column="has bleed")
    raw["cohorts"]["other"] = {"phantom": {"exams": 20}}
    campaign = parse_campaign(yaml.safe_dump(raw), "my.yaml")
    study = campaign.cohorts["study"]
    assert (study.fields_csv, study.fields) == ("labels.csv", ("has bleed",))
    assert campaign.cohorts["other"].fields_csv is None
    assert campaign.datasets_of(campaign.experiments[1]) == ("has_20_bleed",)
    assert campaign.learns_labels("study")
    assert not campaign.learns_labels("other")
    assert campaign.compared == ()


def test_a_cohorts_own_table_comes_first() -> None:
    raw = _raw(table="labels.csv", column="bleed")
    raw["cohorts"]["study"] |= {"fields_csv": "own.csv", "fields": ["bleed", "site"]}
    assert parse_campaign(yaml.safe_dump(raw), "my.yaml").cohorts["study"].fields_csv == "own.csv"


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"column": "bleed"}, "datasets.labels.column: 'bleed' is no field of an exam"),
        ({"column": "a/b"}, "datasets.labels.column: 'a/b' cannot name a column"),
        (
            {"column": "sex", "table": "x.csv"},
            "datasets.labels: table: 'sex' is a field that ingest",
        ),
        ({"column": "sex", "values": ["M", "M"]}, "datasets.labels.values: expected two different values"),
        (
            {"column": "easy", "table": "x.csv"},
            "datasets.spheres.difficulties: 'easy' is the name",
        ),
        (None, "experiments[1].task: 'labels' needs a section datasets.labels"),
    ],
)
def test_labels_that_make_no_sense(labels: Any, said: str) -> None:
    raw = _raw(**(labels or {}))
    if labels is None:
        del raw["datasets"]["labels"]
    with pytest.raises(CampaignError) as refused:
        parse_campaign(yaml.safe_dump(raw), "my.yaml")
    assert f"my.yaml: {said}" in str(refused.value)


def test_without_spheres_no_experiment_can_look_for_them() -> None:
    raw = yaml.safe_load(TINY.read_text())
    del raw["datasets"]["spheres"]
    del raw["experiments"][1]["convergence"]["hard"]
    with pytest.raises(CampaignError, match=r"\[1\]\.task: 'spheres' needs a section datasets\.spheres"):
        parse_campaign(yaml.safe_dump(raw), "my.yaml")
