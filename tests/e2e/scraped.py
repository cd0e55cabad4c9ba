"""What Argo's controller counts of an installation, read through the API server as Prometheus would read it.

tests/e2e/scraped.py [NAMESPACE]      prints it
"""

import json
import re
import sys
from collections import Counter

from installation import Site, call, nodes_of, say

from nameplate.plan.pipeline import STEPS
from nameplate.store.s3 import S3Store
from nameplate_cluster.workflow import step_of

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Values by name, without Argo's prefix, and labels."""
WORDS = {
    *("plan", *(step.name for step in STEPS), "done", "mistake", "try-again", "bug", "lost"),
    *("Succeeded", "Failed", "Error", "mean", "low", "high", "own", "others", "factor"),
}
"""What a label may say besides the names of namespace, campaign and experiments."""


def scraped(namespace: str) -> Series:
    """The metrics of this installation; empty where no controller shows any."""
    pods = json.loads(call("kubectl", "get", "pods", "-A", "-l", "app=workflow-controller", "-o", "json"))
    found: Series = {}
    for pod in pods["items"]:
        where = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/https:{pod['metadata']['name']}:9090"
        text = call("kubectl", "get", "--raw", f"{where}/proxy/metrics", check=False)
        for name, labels, value in re.findall(r"^argo_workflows_(nameplate_\w+)\{(.*)\} (\S+)$", text, re.M):
            pairs = frozenset(re.findall(r'(\w+)="([^"]*)"', labels))
            if ("installation", namespace) in pairs:
                found[name, pairs] = found.get((name, pairs), 0.0) + float(value)
    return found


def compare(site: Site, before: Series, workflow: str, store: S3Store, experiments: set[str]) -> None:
    """Hold what was counted since ``before`` against one workflow that did a whole campaign.

    Raises where a number is another than the workflow's and the store's, or a label says what it should not.
    """
    after = scraped(site.namespace)
    if not after:
        say("no controller shows metrics: not compared")
        return
    grown = {key: value - before.get(key, 0.0) for key, value in after.items()}
    found = site.get("workflow", workflow)
    if any(row["type"] == "MetricsError" for row in found["status"].get("conditions", ())):
        raise RuntimeError(f"{workflow}: Argo could not make a metric: {found['status']['conditions']}")
    steps = Counter(step_of(node) for node in nodes_of(found) if node["type"] == "Pod")
    counted = _by(grown, "nameplate_pods", "step")
    if counted != {step: float(pods) for step, pods in steps.items()}:
        raise RuntimeError(f"pods by step: counted {counted}, there were {dict(steps)}")
    trained = Counter(key.split("/")[2] for key in store.sizes("jobs/training/"))
    told = _by(grown, "nameplate_runs_trained", "experiment")
    if told != {experiment: float(runs) for experiment, runs in trained.items()}:
        raise RuntimeError(f"runs by experiment: counted {told}, committed {dict(trained)}")
    campaign = found["metadata"]["labels"]["nameplate.dev/campaign"]
    allowed = WORDS | experiments | {site.namespace, campaign}
    ours = [pairs for _, pairs in grown if dict(pairs).get("campaign", campaign) == campaign]
    said = {value for pairs in ours for _, value in pairs}
    if said - allowed:
        raise RuntimeError(f"labels say {sorted(said - allowed)}")
    say(f"{len(after)} metrics: pods of {len(counted)} steps and {sum(told.values()):.0f} runs")


def _by(series: Series, name: str, label: str) -> dict[str, float]:
    """The values of one metric that are not zero, added up by one label."""
    sums: dict[str, float] = {}
    for (found, pairs), value in series.items():
        if found == name and value:
            key = dict(pairs)[label]
            sums[key] = sums.get(key, 0.0) + value
    return sums


if __name__ == "__main__":
    for (metric, pairs), value in scraped(sys.argv[1] if sys.argv[1:] else "nameplate").items():
        print(metric, " ".join(f"{name}={word}" for name, word in sorted(pairs)), f"{value:g}")
