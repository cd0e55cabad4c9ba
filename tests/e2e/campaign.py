#!/usr/bin/env python3
"""From nothing to a report on a real cluster, and nothing left behind.

    make e2e

With any KUBECONFIG whose cluster has Argo Workflows: installs the chart with its defaults in a namespace
of its own that is held to Pod Security `restricted`, where the API server has taken every example of values
without a warning (a dry run), submits a small campaign with ``nameplate submit``,
fetches its report, holds every object against the same campaign run on this machine, runs one stage alone
and the whole once more (nothing is left to do), compares the flows that were seen with the NetworkPolicies
where that can be observed, trains on a node with GPUs where there is one, and uninstalls.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from flows import Flows
from installation import ROOT, Site, call, fingerprint, nodes_of, same_bytes, say
from scraped import compare, scraped

from nameplate.campaign import load_campaign

NAMESPACE = "nameplate-e2e"
CAMPAIGN = ROOT / "tests" / "tiny.yaml"


def nameplate(*arguments: str, check: bool = True) -> str:
    """The command line, as a person has it; what it prints is shown."""
    command = [sys.executable, "-m", "nameplate_local", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    shown = "\n".join(f"    {line}" for line in (ran.stdout + ran.stderr).splitlines())
    print(f"    $ nameplate {' '.join(arguments)}\n{shown}", flush=True)
    if check and ran.returncode != 0:
        raise RuntimeError(f"nameplate {arguments[0]}: exit {ran.returncode}")
    return ran.stdout + ran.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", action="append", default=[], help="values of the chart")
    parser.add_argument("--keep", action="store_true", help="leave the namespace")
    options = parser.parse_args()
    site = Site(NAMESPACE)
    with site.visited(keep=options.keep) as folder:
        site.create()
        say("every example, as the API server sees it")
        for values in [None, *sorted((ROOT / "charts/nameplate/examples").glob("*.yaml"))]:
            site.dry_run(values)
        say("install, with defaults, in a restricted namespace")
        site.install(*options.set, "schedules.tiny.cron=0 3 * * *", create=False)
        call("helm", "test", "nameplate", "-n", NAMESPACE)
        run(site, folder)
        gpus(site, options.set)
    say("nothing is left behind; all is well")
    return 0


def run(site: Site, folder: Path) -> None:
    """The campaign, its report, and both held against the local run."""
    say("submit, and watch until the end")
    before = scraped(site.namespace)
    with Flows(site.namespace) as flows:
        nameplate("submit", str(CAMPAIGN), "-n", NAMESPACE, "--yes", "--watch")
    flows.compare()
    (first,) = (item["metadata"]["name"] for item in site.get("workflows")["items"])
    with site.store("tiny") as store:
        compare(site, before, first, store, {one.name for one in load_campaign(CAMPAIGN).experiments})
    nameplate("status", "tiny", "-n", NAMESPACE, "--timings")
    nameplate("report", "tiny", "-n", NAMESPACE, "--out", str(folder / "report"))
    assert (folder / "report" / "index.html").stat().st_size > 10_000

    remote = same_bytes(site, CAMPAIGN, folder / "local")

    say("one stage alone, the whole once more, and by its schedule: nothing is left to do")
    runs = [[f"argo/{file}.yaml", "-p", "campaign=tiny"] for file in ("training", "campaign")]
    for arguments in (*runs, ["--from", "cronwf/nameplate-tiny"]):
        began = time.monotonic()
        call("argo", "submit", "-n", NAMESPACE, *arguments, "--wait")
        say(f"  {' '.join(arguments)}: {time.monotonic() - began:.0f} s")
    newest = max(site.get("workflows")["items"], key=lambda item: str(item["metadata"]["creationTimestamp"]))
    pods = [node["displayName"] for node in nodes_of(newest) if node["type"] == "Pod"]
    assert pods == ["plan(0)"], pods
    with site.store("tiny") as store:
        assert fingerprint(store) == remote


def gpus(site: Site, values: list[str]) -> None:
    """Two pools by training set, with GPUs where a node claims some."""
    nodes = json.loads(call("kubectl", "get", "nodes", "-o", "json"))["items"]
    with_gpu = [node for node in nodes if int(node["status"]["allocatable"].get("nvidia.com/gpu", 0)) > 0]
    if not with_gpu:
        say("no node has nvidia.com/gpu: pools of GPUs are not tried")
        return
    say(f"a pool of GPUs for each training set, on {with_gpu[0]['metadata']['name']}")
    name = with_gpu[0]["metadata"]["name"]
    call("kubectl", "label", "node", name, "nameplate-e2e/card=some", "--overwrite")
    call("kubectl", "taint", "node", name, "nameplate-e2e/card=some:PreferNoSchedule", "--overwrite")
    try:
        file = ROOT / "charts" / "nameplate" / "examples" / "gpu-per-manufacturer.yaml"
        sets = [part for value in values for part in ("--set", value)]
        call("helm", "upgrade", "nameplate", "charts/nameplate", "-n", NAMESPACE, "-f", str(file),
             # Those of this machine, without CUDA: pods that ask for a card are placed, and run on the CPU.
             "--set", "image.tags.training=0.1.0", "--set", "pools.default.gpu.required=false",
             "--set", "pools.siemens.nodeSelector.nameplate-e2e/card=some",
             "--set", "pools.siemens.tolerations[0].key=nameplate-e2e/card",
             "--set", "pools.siemens.tolerations[0].operator=Exists", *sets)  # fmt: skip
        with site.store("tiny") as store:
            for prefix in ("jobs/training/spheres/", "jobs/selection/spheres/", "models/spheres/"):
                for key in store.sizes(prefix):
                    store.delete(key)
        workflow = site.finish(site.submit("tiny"))
        placed = {}
        for pod in site.pods(workflow["metadata"]["name"], "training"):
            main = next(c for c in pod["spec"]["containers"] if c["name"] == "main")
            pool = pod["metadata"]["labels"]["nameplate.dev/pool"]
            placed[pool] = (main["resources"]["limits"].get("nvidia.com/gpu"), pod["spec"]["nodeName"])
        say(f"  training pods by pool: {placed}")
        assert {"default", "siemens"} <= set(placed)
        assert all(count == "1" for count, _ in placed.values())
    finally:
        call("kubectl", "label", "node", name, "nameplate-e2e/card-")
        call("kubectl", "taint", "node", name, "nameplate-e2e/card-", check=False)


if __name__ == "__main__":
    sys.exit(main())
