"""Masks of the user's own in the campaign file: what is refused when it is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate.campaign import parse_campaign
from nameplate.errors import CampaignError
from nameplate.plan.plan import plan
from nameplate.steps.report import shown
from nameplate.steps.synthesis import chain_of, datasets_on

TINY = Path(__file__).parents[2] / "tiny.yaml"


def _raw() -> Any:
    raw = yaml.safe_load(TINY.read_text())
    study = raw["cohorts"]["study"]
    del study["phantom"]
    study |= {"folder": "dicom", "masks": "masks"}
    raw["datasets"]["masks"] = {"name": "hemorrhage"}
    raw["experiments"][2]["task"] = "masks"
    return raw


def test_its_networks_learn_a_dataset_of_its_name() -> None:
    campaign = parse_campaign(yaml.safe_dump(_raw()), "my.yaml")
    own = campaign.experiments[2]
    assert campaign.datasets_of(own) == ("hemorrhage",)
    assert (own.what.metrics, own.what.answers) == (("dice",), "mask")
    assert campaign.learns_masks("study")
    assert not campaign.learns_labels("study")
    assert datasets_on(campaign, "study") == ["original", "easy", "hard", "hemorrhage"]
    assert chain_of(campaign, "hemorrhage") == ["original", "hemorrhage"]
    ids = {job.id for job in plan(campaign, {}, {}).jobs}
    assert {"synthesis/study/hemorrhage/001", "pack/study/skull/hemorrhage"} <= ids


def test_a_derived_cohort_has_the_masks_of_the_other() -> None:
    raw = _raw()
    raw["cohorts"]["control"] = {"role": "null-control", "from": "study", "shuffle": "factor"}
    raw["experiments"][2]["cohorts"] = ["control"]
    campaign = parse_campaign(yaml.safe_dump(raw), "my.yaml")
    assert campaign.learns_masks("study")
    assert "hemorrhage" in datasets_on(campaign, "study")


def test_the_report_does_not_show_where_they_are() -> None:
    raw = _raw()
    raw["cohorts"]["study"]["masks"] = "/data/somewhere"
    campaign = parse_campaign(yaml.safe_dump(raw), "my.yaml")
    assert "somewhere" not in shown(campaign).model_dump_json()


def _no_masks(raw: Any) -> None:
    del raw["cohorts"]["study"]["masks"]


def _from_without(raw: Any) -> None:
    _no_masks(raw)
    raw["cohorts"]["control"] = {"role": "null-control", "from": "study", "shuffle": "factor"}
    raw["experiments"][2]["cohorts"] = ["control"]


def _nobody_learns(raw: Any) -> None:
    raw["experiments"][2]["task"] = "segmentation"


def _simulated(raw: Any) -> None:
    study = raw["cohorts"]["study"]
    del study["folder"]
    study["phantom"] = {"exams": 52}


def _no_section(raw: Any) -> None:
    del raw["datasets"]["masks"]


def _called(name: str) -> Callable[[Any], None]:
    def change(raw: Any) -> None:
        raw["datasets"]["masks"]["name"] = name

    return change


def _same_as_labels(raw: Any) -> None:
    raw["datasets"]["labels"] = {"column": "hemorrhage", "table": "labels.csv"}


def _class_network(raw: Any) -> None:
    raw["experiments"][2]["network"] = raw["experiments"][1]["network"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_no_masks, "experiments[2].cohorts: 'study' has no masks: give cohorts.study.masks, a folder"),
        (_from_without, "experiments[2].cohorts: 'control' has no masks: give cohorts.study.masks, a folder"),
        (_nobody_learns, "cohorts.study.masks: no experiment learns them: name the cohort in one of task"),
        (_simulated, "cohorts.study: 'masks' needs exams that are not simulated: simulated exams have none"),
        (_no_section, "experiments[2].task: 'masks' needs a section datasets.masks"),
        (_called("easy"), "datasets.spheres.difficulties: 'easy' is the name of another dataset"),
        (_called("skull"), "datasets.masks.name: 'skull' is the name of another dataset"),
        (_called("A/b"), "datasets.masks.name: "),
        (_same_as_labels, "datasets.masks.name: 'hemorrhage' is the name of another dataset"),
        (_class_network, "experiments[2]: network.kind: 'resnet3d' cannot be given the task 'masks'"),
    ],
)
def test_what_cannot_be_meant_is_one_line(change: Callable[[Any], None], said: str) -> None:
    raw = _raw()
    change(raw)
    with pytest.raises(CampaignError) as refused:
        parse_campaign(yaml.safe_dump(raw), "my.yaml")
    assert f"my.yaml: {said}" in str(refused.value)
    assert "\n" not in str(refused.value)
