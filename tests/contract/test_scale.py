"""A campaign of thousands of jobs stays within what Kubernetes and Argo allow of one workflow.

The worst case: jobs so long that none shares a pod until the limit of pods makes them.

The nodes are made in the shape of those that a real run leaves (tests/contract/nodes.json, recorded from
Argo Workflows 4.0.7), one chain a pod, and packed as Argo packs them once a workflow outgrows a megabyte.
"""

import base64
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate.campaign import Campaign, load_campaign, parse_campaign
from nameplate.job.result import Output, Result
from nameplate.job.state import State
from nameplate.plan.chunks import Chunk, arms_of, stages_of
from nameplate.plan.estimate import seconds_estimate
from nameplate.plan.pipeline import STEPS
from nameplate.plan.plan import plan
from nameplate.service.arm import next_iteration
from nameplate.steps.cell import Arm
from nameplate.steps.step import Job
from nameplate.store.directory import DirectoryStore
from nameplate_cluster.plan_step import outputs_of
from nameplate_cluster.pools import Pool

ROOT = Path(__file__).parents[2]
NODES = json.loads((Path(__file__).parent / "nodes.json").read_text())
MOST = yaml.safe_load((ROOT / "charts/nameplate/values.yaml").read_text())["workflow"]["maxChunks"]
WORKFLOW_LIMIT, PARAMETER_LIMIT = 1_000_000, 256_000
REST = 60_000
"""Bytes of a workflow beside its nodes: its templates are stored in it (38 kB in the recorded one)."""


def large_campaign(manufacturers: int = 10, levels: int = 10, seeds: int = 20) -> Campaign:
    """A grid of so many manufacturers, difficulties and seeds: three times the paper's cells."""
    raw = yaml.safe_load((ROOT / "campaigns" / "demo.yaml").read_text())
    names = [f"Maker {number} Medical" for number in range(manufacturers)]
    raw["factor"]["levels"] = names
    study = raw["cohorts"]["study"]
    study.pop("phantom")
    study.update(folder="dicom", shards=400)
    raw["cohorts"] = {"study": study}
    sphere = {"start": None, "radius_mm": [13, 17], "hu_mean": 40, "hu_sd": 2}
    raw["datasets"]["spheres"]["difficulties"] = [
        {key: value for key, value in {**sphere, "name": f"level-{n}"}.items() if value is not None}
        for n in range(levels)
    ]
    for experiment in raw["experiments"]:
        experiment.update(cohorts=["study"], training_sets=["mixed", *names], expected_convergence={})
        experiment["convergence"] = {"default": experiment["convergence"]["default"]}
        experiment["rounds"] = {"first": seeds, "target": seeds, "keep": 5, "limit": 4 * seeds}
    return parse_campaign(yaml.safe_dump(raw), "large")


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return large_campaign()


def _finished(job: Job) -> Result:
    return Result(job=job.id, digest="d", code="c", outputs=(Output(key=f"x/{job.id}", size=1, sha256="0"),))


def _packed(pods: list[tuple[str, str]]) -> int:
    """Bytes of the packed nodes of a workflow with these pods, by their place in it and their chunk."""
    nodes: dict[str, Any] = {}
    for position, (place, chunk) in enumerate(pods):
        numbers = hashlib.sha256(f"{place}{chunk}".encode()).digest()
        for shape, number in zip(NODES, (numbers[:4], numbers[4:8]), strict=True):
            node = json.loads(json.dumps(shape))
            name = f"nameplate-large-x7k2p-{int.from_bytes(number)}"
            node.update(id=name, name=f"nameplate-large-x7k2p.{place}({position}:{chunk})(0)")
            node["displayName"] = f"{place.rpartition('.')[2]}({position}:{chunk})(0)"
            node["boundaryID"] = "nameplate-large-x7k2p-1234567890"
            node["children"] = [f"nameplate-large-x7k2p-{int.from_bytes(numbers[8:12])}"]
            node["inputs"]["parameters"][2]["value"] = chunk
            seconds = int.from_bytes(numbers[12:14])
            node["startedAt"] = f"2026-11-24T{seconds % 24:02d}:{seconds % 60:02d}:{seconds % 59:02d}Z"
            node["finishedAt"] = f"2026-11-24T{seconds % 23:02d}:{seconds % 58:02d}:{seconds % 57:02d}Z"
            timing = {"start_s": numbers[14] / 99, "plan_s": numbers[15] / 98, "work_s": seconds / 97,
                      "commit_s": numbers[16] / 96, "jobs": 3}  # fmt: skip
            node["outputs"]["parameters"][0]["value"] = json.dumps(timing)
            nodes[name] = node
    return len(base64.b64encode(gzip.compress(json.dumps(nodes).encode())))


def _inside(chains: list[list[str]], chunk: Chunk) -> list[str]:
    """The jobs of a chunk, found once an arm: `jobs_of` cuts the whole plan each time it is asked."""
    start = [chain[0] for chain in chains].index(chunk.first)
    return [job for chain in chains[start : start + chunk.chains] for job in chain]


def test_five_thousand_jobs_stay_within_the_limits(campaign: Campaign, tmp_path: Path) -> None:
    state = State(campaign, DirectoryStore(tmp_path), {})
    seconds = seconds_estimate(campaign)
    every = tuple(step.name for step in STEPS)
    outputs = outputs_of(campaign, state, (Pool(name="default"),), only=every, target_seconds=0.01, most=MOST)
    assert len(state.plan.jobs) > 5000
    assert max(map(len, outputs.values())) < PARAMETER_LIMIT
    pods = [("plan", "")]
    for name, text in outputs.items():
        chunks = json.loads(text)
        if not name.startswith("arms-"):
            assert len(chunks) <= MOST
            pods += [(name, chunk) for chunk in chunks]
    # The first round of every arm, and as much again for what a campaign repeats.
    for job in state.plan.jobs:
        if job.step not in ("training", "selection", "prediction", "report"):
            state.add_result(job, _finished(job))
    chains = {
        stage.arm: [[job.id for job in chain] for chain in stage.chains]
        for stage in stages_of(state.plan)
        if stage.step == "training"
    }
    trained: list[str] = []
    for arm in arms_of(state.plan):
        following = next_iteration(state, arm, seconds, target_seconds=0.01, most=MOST)
        assert len(json.dumps([str(chunk) for chunk in following.training])) < PARAMETER_LIMIT
        place = f"arms-default(0:{arm})[1].training"
        for again in range(3):
            pods += [(place + f"[{again}].again", str(chunk)) for chunk in following.training]
            pods.append((place + f"[{again}].selection", str(arm)))
        trained += [job for chunk in following.training for job in _inside(chains[arm], chunk)]
    assert sorted(trained) == sorted(job.id for job in state.plan.jobs if job.step == "training")
    assert len(pods) > 2000
    assert _packed(pods) + REST < WORKFLOW_LIMIT


def test_the_arms_share_the_most_pods_of_a_round(campaign: Campaign, tmp_path: Path) -> None:
    state = State(campaign, DirectoryStore(tmp_path), {})
    for job in state.plan.jobs:
        if job.step not in ("training", "selection", "prediction", "report"):
            state.add_result(job, _finished(job))
    seconds = seconds_estimate(campaign)
    following = [
        next_iteration(state, arm, seconds, target_seconds=0.01, most=MOST) for arm in arms_of(state.plan)
    ]
    assert sum(len(one.training) for one in following) <= MOST
    assert min(len(one.training) for one in following) >= 1


def test_a_stage_of_one_arm_is_a_small_part_of_a_large_plan(campaign: Campaign) -> None:
    made = plan(campaign, {}, {})
    assert len(arms_of(made)) == sum(len(experiment.all_arms) for experiment in campaign.experiments) >= 33
    assert str(Arm("spheres", "Maker 3 Medical")) == "spheres/Maker_20_3_20_Medical"


def test_the_paper_needs_no_cutting() -> None:
    campaign = load_campaign(ROOT / "campaigns" / "paper.yaml")
    made = plan(campaign, {}, {})
    assert len(made.jobs) < MOST
