"""A step sees only what its digest holds: its settings, and the files that its needs committed."""

import ast
import importlib
import importlib.util
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from nameplate.campaign import Campaign, parse_campaign
from nameplate.campaign.settings import Settings
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Output, Result, job_digest
from nameplate.plan.pipeline import STEPS, step_named
from nameplate.plan.plan import cells_of, plan
from nameplate.steps.selection import Selection
from nameplate.steps.step import Job, Step, faults_of
from nameplate.store.directory import DirectoryStore

ROOT = Path(__file__).parents[2]


def _jobs(campaign: Campaign) -> dict[str, Job]:
    """Every job of a campaign whose cells have each kept their first run."""
    selections = {
        cell: (
            Selection(
                cell=cell, round=0, trained=1, converged=1, kept=(0,), next_seeds=(), finished="target"
            ),
        )
        for cell in cells_of(campaign)
    }
    return {job.id: job for job in plan(campaign, selections, {}).jobs}


MODELS = """
challenge:
  models:
    acme: {command: "predict {image}", environment: {WEIGHTS: here}}
    other: {serve: "model", threshold: 0.4}
"""


@pytest.fixture(scope="module")
def jobs(controlled_text: str) -> dict[str, Job]:
    text = controlled_text.replace("cohorts:\n", "cohorts:\n  read: {folder: dicom}\n", 1)
    return _jobs(parse_campaign(text + MODELS, "controlled"))


def _result(job: str) -> Result:
    return Result(job=job, digest="d", code="x", outputs=(Output(key=job, size=1, sha256=job),))


def _digest(job: Job) -> str:
    return job_digest(job, {need: _result(need) for need in job.needs})


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_a_step_is_given_its_settings_its_inputs_and_its_outputs(step: Step) -> None:
    module, _, name = step.entry.partition(":")
    function = getattr(importlib.import_module(module), name)
    given = inspect.signature(function, eval_str=True).parameters
    assert [parameter.annotation for parameter in given.values()] == [step.settings, Inputs, Outputs]
    assert list(faults_of(step.settings)) == []


def test_every_step_has_jobs_of_its_own_settings(jobs: dict[str, Job]) -> None:
    assert {job.step for job in jobs.values()} == {step.name for step in STEPS}
    for job in jobs.values():
        assert type(job.settings) is step_named(job.step).settings, job.id


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case None:
            return "something"
    raise AssertionError(f"no leaf: {value!r}")


def _changed(value: Any) -> Iterator[tuple[str, Any]]:
    """Copies of settings that differ in one leaf each, with the leaf's place."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            for place, other in _changed(getattr(value, name)):
                yield f"{name}.{place}", value.model_copy(update={name: other})
    elif isinstance(value, tuple):
        for position, item in enumerate(value):
            for place, other in _changed(item):
                yield f"{position}.{place}", (*value[:position], other, *value[position + 1 :])
        yield "", (*value, "one more")
    elif isinstance(value, dict):
        for key, item in value.items():
            for place, other in _changed(item):
                yield f"{key}.{place}", {**value, key: other}
        yield "", {**value, "one more": 1}
        if len(value) > 1:
            yield "order", dict(reversed(value.items()))
    else:
        yield "", _other(value)


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_whatever_a_job_can_read_of_its_settings_is_in_its_digest(step: Step, jobs: dict[str, Job]) -> None:
    chosen = {  # one of each cohort, of each recipe of a dataset, of each task of an experiment
        f"{job.cohort}{getattr(job.settings, 'dataset', '')}{getattr(job.cell, 'experiment', '')}": job
        for job in jobs.values()
        if job.step == step.name
    }
    assert chosen
    for job in chosen.values():
        digest = _digest(job)
        leaves = 0
        for place, settings in _changed(job.settings):
            other = Job(id=job.id, step=job.step, settings=settings, needs=job.needs)
            assert _digest(other) != digest, f"{job.id}: {place}"
            leaves += 1
        assert leaves >= len(type(job.settings).model_fields)


def _campaigns_with_one_change(text: str) -> Iterator[tuple[str, Campaign]]:
    """Campaigns that differ from a file in one setting each, defaults included."""
    campaign = parse_campaign(text, "tiny")
    for place, other in _changed(campaign):
        try:
            yield place, Campaign.model_validate(other.model_dump(warnings=False))
        except ValueError:
            continue  # no campaign any more: a name that nothing has


def test_a_job_that_is_given_other_settings_has_another_digest(
    controlled_text: str, jobs: dict[str, Job]
) -> None:
    """Swapped levels, another floor, another threshold: whatever is changed, digest and settings agree."""
    changes = 0
    for place, campaign in _campaigns_with_one_change(controlled_text):
        changes += 1
        for job in _jobs(campaign).values():
            before = jobs.get(job.id)
            if before is None or before.needs != job.needs:
                continue
            same = before.settings.text == job.settings.text
            assert same == (_digest(before) == _digest(job)), (place, job.id)
    assert changes > 100


def test_inputs_and_outputs_lead_to_no_settings(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    store.put("campaign.yaml", b"name: x")
    inputs = Inputs(store, {"a": _result("a")}, None, tmp_path / "cache")
    outputs = Outputs("a", store, tmp_path, lambda: False)
    with pytest.raises(KeyError):
        inputs.read("campaign.yaml")
    with pytest.raises(KeyError):
        inputs.fetch("campaign.yaml")
    with pytest.raises(LookupError):
        _ = inputs.source
    seen: set[int] = set()
    waiting: list[Any] = [inputs, outputs]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        assert not isinstance(thing, Settings)
        waiting += vars(thing).values() if hasattr(thing, "__dict__") else ()
        waiting += thing.values() if isinstance(thing, dict) else ()
        waiting += thing if isinstance(thing, tuple | list) else ()


def test_no_step_reads_a_campaign_file() -> None:
    """Of a service's code only its commands for people may: no module behind a step's function does."""
    readers = {"load_campaign", "parse_campaign", "read_campaign", "load_with_overrides"}
    for step in STEPS:
        waiting, seen = [step.entry.partition(":")[0]], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen or not name.startswith("nameplate_"):
                continue
            seen.add(name)
            path = importlib.import_module(name).__file__
            assert path is not None
            for node in ast.walk(ast.parse(Path(path).read_text())):
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = {alias.name for alias in node.names}
                    assert not readers & names, (step.name, name)
                    waiting.append(node.module)
