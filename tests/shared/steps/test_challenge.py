"""The jobs of the steps ``challenge`` and ``detection``, and what makes them be done again."""

import yaml

from nameplate.campaign import parse_campaign
from nameplate.plan.plan import Plan, plan
from nameplate.steps import report
from nameplate.steps.step import Job

LINES = """
challenge:
  models:
    acme: {command: "predict {image}"}
    other: {serve: "model"}
"""


def _plan(text: str) -> Plan:
    return plan(parse_campaign(text, "tiny"), {}, {})


def _jobs(text: str) -> dict[str, Job]:
    return {job.id: job for job in _plan(text).jobs if job.step in ("challenge", "detection")}


def test_a_job_a_model_and_shard_and_one_a_model(tiny_text: str) -> None:
    jobs = _jobs(tiny_text + LINES)
    assert {name: job.needs for name, job in jobs.items()} == {
        f"challenge/study/{model}/{shard}": (
            f"ingest/study/{shard}",
            f"skullstrip/study/{shard}",
            "cohort/study",
        )
        for model in ("acme", "other")
        for shard in ("000", "001")
    } | {
        f"detection/study/{model}": (f"challenge/study/{model}/000", f"challenge/study/{model}/001")
        for model in ("acme", "other")
    }
    assert not _jobs(tiny_text)


def test_the_report_waits_for_them(tiny_text: str) -> None:
    campaign = parse_campaign(tiny_text + LINES, "tiny")
    needs = report.job(campaign, _plan(tiny_text + LINES).jobs).needs
    assert {need for need in needs if need.startswith("detection/")} == {
        "detection/study/acme",
        "detection/study/other",
    }


def test_another_version_is_asked_again_and_another_margin_is_not(tiny_text: str) -> None:
    def settings(text: str) -> dict[str, str]:
        return {name: job.settings.text for name, job in _jobs(text).items()}

    raw = yaml.safe_load(tiny_text + LINES)
    before = settings(yaml.safe_dump(raw))
    raw["challenge"]["sensitivity"] = 0.8
    finer = settings(yaml.safe_dump(raw))
    assert {name for name in before if before[name] != finer[name]} == {
        "detection/study/acme",
        "detection/study/other",
    }
    raw["challenge"]["models"]["acme"]["version"] = "2"
    newer = settings(yaml.safe_dump(raw))
    assert {name for name in before if finer[name] != newer[name]} == {
        name for name in before if "/acme" in name
    }
