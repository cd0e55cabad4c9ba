from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nameplate.campaign import Campaign
from nameplate.campaign.overrides import load_with_overrides
from nameplate_cluster.preflight import (
    MOST_BYTES,
    campaign_problems,
    running_problems,
    steps_needed,
    template_problems,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def demo() -> tuple[Campaign, str]:
    return load_with_overrides(ROOT / "campaigns" / "demo.yaml", [])


def test_a_campaign_that_fits(demo: tuple[Campaign, str]) -> None:
    assert campaign_problems(*demo) == []


def test_a_campaign_file_that_argo_cannot_carry(demo: tuple[Campaign, str]) -> None:
    campaign, text = demo
    problems = campaign_problems(campaign, text + "# {{x}}\n" + "#" * MOST_BYTES)
    assert len(problems) == 2
    assert "a workflow takes 100,000" in problems[0]
    assert "'{{'" in problems[1]


def test_a_grid_beyond_the_limits(demo: tuple[Campaign, str]) -> None:
    changes = [f"experiments.{name}.rounds.limit=1900" for name in ("manufacturer", "spheres", "skull")]
    campaign, text = load_with_overrides(ROOT / "campaigns" / "demo.yaml", changes)
    (problem,) = campaign_problems(campaign, text)
    assert problem.startswith("the grid comes to ")


def test_steps_that_will_have_pods(demo: tuple[Campaign, str]) -> None:
    campaign, _ = demo
    assert steps_needed(campaign, "")[:3] == ("plan", "phantom", "ingest")
    assert steps_needed(campaign, "")[-1] == "report"
    assert steps_needed(campaign, "synthesis") == ("plan", "synthesis")
    assert steps_needed(campaign, "prediction") == ("plan", "training", "selection", "prediction")


def test_absent_templates_name_the_command_that_brings_them() -> None:
    (problem,) = template_problems([], ["plan"], "hospital")
    assert "helm install nameplate charts/nameplate -n hospital --create-namespace" in problem
    (problem,) = template_problems(["nameplate-campaign"], ["plan", "ingest"], "hospital")
    assert "nameplate-plan, nameplate-ingest" in problem
    assert template_problems(["nameplate-campaign", "nameplate-plan"], ["plan"], "hospital") == []


def test_a_campaign_that_is_running_is_named(workflow: Callable[..., Any]) -> None:
    (problem,) = running_problems([workflow(), workflow(phase="Failed")], "demo", "hospital")
    assert "wf" in problem
    assert "nameplate stop demo -n hospital" in problem
