"""The section ``challenge`` of a campaign: what it means, and what is refused when the file is read."""

from typing import Any

import pytest
import yaml

from nameplate.campaign import Campaign, parse_campaign
from nameplate.campaign.challenge import ModelSettings
from nameplate.errors import CampaignError

MODEL = {"command": "predict {image} {output}"}


def _campaign(tiny_text: str, challenge: Any, **cohorts: Any) -> Campaign:
    raw = yaml.safe_load(tiny_text)
    raw["cohorts"] |= cohorts
    return parse_campaign(yaml.safe_dump({**raw, "challenge": challenge}), "my.yaml")


def test_a_model_alone_is_enough(tiny_text: str) -> None:
    shuffled = {"role": "null-control", "from": "study", "shuffle": "factor"}
    raw = yaml.safe_load(tiny_text)
    raw["experiments"][0]["cohorts"] = ["study", "null"]
    raw["cohorts"]["null"] = shuffled
    campaign = parse_campaign(yaml.safe_dump({**raw, "challenge": {"models": {"acme": MODEL}}}), "my.yaml")
    assert campaign.challenged == ("study",)
    assert campaign.challenge is not None
    model = campaign.challenge.models["acme"]
    assert (model.said, model.found_from) == ("predict {image} {output}", 0.5)
    assert len(campaign.challenge.grid.radii_mm) == 7
    assert parse_campaign(tiny_text, "my.yaml").challenged == ()


def test_radii_and_contrasts_are_in_order_and_once(tiny_text: str) -> None:
    grid = {"radii_mm": [8.0, 2.0, 8.0], "hu": [30.0, -20.0]}
    campaign = _campaign(tiny_text, {"models": {"acme": MODEL}, "grid": grid})
    assert campaign.challenge is not None
    assert (campaign.challenge.grid.radii_mm, campaign.challenge.grid.hu) == ((2.0, 8.0), (-20.0, 30.0))


def test_a_threshold_of_another_range() -> None:
    model = ModelSettings(serve="model", score_range=(0, 100), threshold=35.0)
    assert (model.said, model.found_from) == ("model", 35.0)


@pytest.mark.parametrize(
    ("challenge", "said"),
    [
        ({"models": {}}, "challenge.models: "),
        ({"models": {"Acme": MODEL}}, "challenge.models: model name 'Acme' must be lower-case"),
        ({"models": {"acme-": MODEL}}, "challenge.models: model name 'acme-' must be lower-case"),
        ({"models": {"a": {}}}, "challenge.models.a: expected either command or serve"),
        ({"models": {"a": {**MODEL, "serve": "x"}}}, "challenge.models.a: expected either command or serve"),
        ({"models": {"a": {"command": "predict"}}}, "challenge.models.a: expected {image} where the command"),
        ({"models": {"a": {"command": "it's {image}"}}}, "challenge.models.a: cannot be split into words"),
        ({"models": {"a": {"serve": "x {image}"}}}, "challenge.models.a: expected no {image}"),
        (
            {"models": {"a": {**MODEL, "threshold": 2.0}}},
            "challenge.models.a: threshold: 2 is not from 0 to 1",
        ),
        (
            {"models": {"a": {**MODEL, "score_range": [0, 5]}}},
            "challenge.models.a: threshold: required with another score_range",
        ),
        (
            {"models": {"a": {**MODEL, "score_range": [5, 0], "threshold": 1.0}}},
            "challenge.models.a: score_range: expected the lower one first",
        ),
        (
            {"models": {"a": {**MODEL, "environment": {"A B": "1"}}}},
            "challenge.models.a.environment: 'A B' cannot name a variable",
        ),
        ({"models": {"a": {**MODEL, "image": "x"}}}, "challenge.models.a.image: unknown key"),
        ({"models": {"a": MODEL}, "cohorts": ["none"]}, "challenge.cohorts: 'none' is not one of ['study']"),
        (
            {"models": {"a": MODEL}, "grid": {"radii_mm": [0.1]}},
            "challenge.grid.radii_mm: expected 0.5 to 60: [0.1]",
        ),
        ({"models": {"a": MODEL}, "grid": {"hu": [0.0]}}, "challenge.grid.hu: expected -200 to 2000, not 0"),
    ],
)
def test_a_challenge_that_makes_no_sense(tiny_text: str, challenge: Any, said: str) -> None:
    with pytest.raises(CampaignError) as refused:
        _campaign(tiny_text, challenge)
    assert f"my.yaml: {said}" in str(refused.value)
