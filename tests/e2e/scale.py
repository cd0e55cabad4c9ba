#!/usr/bin/env python3
"""500 jobs, a pod each, 20 at once: none may be lost, none done twice.

    make scale

The jobs are real ones and small: the shards of a simulated cohort, a study each. Prints how long it took
and how large the Workflow object became, raw and as Argo packs it.
"""

import argparse
import base64
import gzip
import json
import sys
import time
from collections import Counter

from installation import Json, Site, call, nodes_of, say

from nameplate.campaign import parse_campaign
from nameplate.campaign.overrides import load_with_overrides
from nameplate.job.result import Result, job_digest
from nameplate.plan.plan import plan

NAMESPACE = "nameplate-scale"
TINY = "tests/tiny.yaml"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--parallelism", type=int, default=20)
    parser.add_argument("--keep", action="store_true", help="leave the namespace")
    options = parser.parse_args()
    from pathlib import Path

    text = load_with_overrides(
        Path(__file__).parents[2] / TINY,
        [
            "name=scale",
            f"cohorts.study.shards={options.jobs}",
            f"cohorts.study.phantom.exams={options.jobs}",
        ],
    )[1]
    site = Site(NAMESPACE)
    try:
        site.install(
            f"workflow.parallelism={options.parallelism}",
            "workflow.chunkSeconds=0.01",
            "steps.phantom.resources.requests.cpu=20m",
            "steps.phantom.resources.requests.memory=64Mi",
        )
        began = time.monotonic()
        workflow = site.submit("scale", text=text, only="phantom")
        done = site.finish(workflow, 3600)
        seconds = time.monotonic() - began
        check(site, text, done, options.jobs, seconds)
    finally:
        if not options.keep:
            site.remove()
    return 0


def check(site: Site, text: str, workflow: Json, jobs: int, seconds: float) -> None:
    """Every job committed once, with the digest that this machine expects."""
    expected = {
        job.id: job_digest(job, {})
        for job in plan(parse_campaign(text, "scale"), {}, {}).jobs
        if job.step == "phantom"
    }
    assert len(expected) == jobs
    with site.store("scale") as store:
        keys = list(store.sizes("jobs/phantom/"))
        results = [Result.model_validate_json(store.get(key)) for key in keys]
        sizes = store.sizes("cohorts/")
    committed = {result.job: result.digest for result in results}
    assert committed == expected, f"lost: {sorted(set(expected) - set(committed))[:5]}"
    assert all(sizes[output.key] == output.size for result in results for output in result.outputs)
    pods = [node for node in nodes_of(workflow) if node["type"] == "Pod" and "phantom" in node["name"]]
    work = Counter(
        parameter["value"]
        for node in pods
        for parameter in node["inputs"]["parameters"]
        if parameter["name"] == "chunk"
    )
    doubled = [chunk for chunk, count in work.items() if count > 1]
    assert len(work) == jobs, f"{len(work)} chunks"
    assert not doubled, f"done twice: {doubled[:5]}"
    nodes = json.dumps({node["id"]: node for node in nodes_of(workflow)})
    packed = base64.b64encode(gzip.compress(nodes.encode()))
    stored = len(
        call("kubectl", "-n", site.namespace, "get", "workflow", workflow["metadata"]["name"], "-o", "json")
    )
    say(
        f"{jobs} jobs in {seconds:.0f} s ({jobs / seconds:.2f} a second), {len(pods)} pods; "
        "none lost, none doubled"
    )
    say(
        f"nodes of the workflow: {len(nodes):,} bytes, packed {len(packed):,}; "
        f"the object as stored {stored:,}"
    )


if __name__ == "__main__":
    sys.exit(main())
