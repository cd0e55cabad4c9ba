"""A PACS is asked by so many pods, and by so many processes here, whatever the number of cohorts."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate.campaign import Campaign, parse_campaign
from nameplate.errors import UserError
from nameplate.job.state import State
from nameplate.store import open_store
from nameplate_cluster.plan_step import outputs_of
from nameplate_cluster.pools import read_pools
from nameplate_local.runner import LocalRunner, _Worker
from nameplate_local.worker import Task


def campaign(tiny_text: str, **cohorts: dict[str, Any]) -> Campaign:
    """The small campaign with these sources of DICOMweb, by cohort."""
    raw = yaml.safe_load(tiny_text)
    del raw["cohorts"]["study"]["phantom"]
    usual = {"kind": "dicomweb", "since": "2020-01-01", "until": "2020-12-31"}
    raw["cohorts"] = {
        name: raw["cohorts"]["study"] | {"source": usual | source, "shards": 6}
        for name, source in cohorts.items()
    }
    return parse_campaign(yaml.safe_dump(raw), "tiny")


def pods(one: Campaign, tmp_path: Path) -> list[str]:
    """The chunks of the ingest, each of which is a pod."""
    (tmp_path / "pools.yaml").write_text("- {name: default}\n")
    state = State(one, open_store(str(tmp_path / "store")), {})
    pools = read_pools(tmp_path / "pools.yaml")
    found = outputs_of(one, state, pools, only=("ingest",), target_seconds=0.001, most=100)
    chunks: list[str] = json.loads(found["ingest"])
    return chunks


def source(url: str = "https://a/dicom-web", at_once: int = 1) -> dict[str, Any]:
    return {"url": url, "limits": {"at_once": at_once}}


def test_a_cohort_has_as_many_pods_as_may_ask(tiny_text: str, tmp_path: Path) -> None:
    assert pods(campaign(tiny_text, study=source()), tmp_path) == ["ingest/study/000+6"]
    assert len(pods(campaign(tiny_text, study=source(at_once=3)), tmp_path)) == 3


def test_cohorts_of_one_server_share_what_it_allows(tiny_text: str, tmp_path: Path) -> None:
    both = campaign(tiny_text, study=source(at_once=4), other=source("https://A/dicom-web/2", at_once=4))
    assert len(pods(both, tmp_path)) == 4
    apart = campaign(tiny_text, study=source(), other=source("https://b/dicom-web"))
    assert len(pods(apart, tmp_path)) == 2
    with pytest.raises(UserError, match="cohorts other, study: ask one server"):
        pods(campaign(tiny_text, study=source(), other=source()), tmp_path)


def test_no_more_processes_here_than_may_ask(tiny_text: str, tmp_path: Path) -> None:
    from nameplate.campaign.cohort_source import sources_of

    one = campaign(tiny_text, study=source(at_once=2), other=source(at_once=2), third=source("https://b/x"))
    sources = sources_of(one, tmp_path)
    progress: Any = None
    store = open_store(str(tmp_path / "store"))
    runner = LocalRunner(one, store, sources=sources, logs=tmp_path, workers=8, progress=progress)
    jobs = {job.id: job for job in runner.state.plan.jobs}

    def begin(name: str) -> None:
        nothing: Any = None
        task = Task(job=jobs[name], results={}, source=None, log=tmp_path / "log")
        runner._workers.append(_Worker(process=nothing, tasks=nothing, lifeline=nothing, task=task))

    def waits(name: str) -> bool:
        return runner._asks_too_much(jobs[name])

    begin("ingest/study/000")
    assert not waits("ingest/study/001")
    begin("ingest/other/000")
    assert waits("ingest/study/001")
    assert waits("ingest/other/001")
    assert not waits("ingest/third/000")
    assert not waits("listing/study")
    begin("ingest/third/000")
    assert waits("ingest/third/001")
