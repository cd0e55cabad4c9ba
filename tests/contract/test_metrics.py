"""What Argo's controller counts: few names, labels that do not grow, every pod, and a switch."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart import HELM, ROOT, rendered

from nameplate.plan.pipeline import STEPS

pytestmark = pytest.mark.skipif(HELM is None, reason="no helm program")

Json = dict[str, Any]
DOCS = ROOT / "docs" / "kubernetes.md"
BOUNDED = {"installation", "campaign", "status", "step", "outcome", "experiment", "bound", "exams"}
"""Labels whose values are few: names of namespaces, campaigns, steps and experiments, and fixed words."""


def _metrics(*arguments: str) -> dict[str, list[Json]]:
    """The metrics of the campaign and of every template, by name."""
    found = {}
    for thing in rendered(*arguments):
        if thing["kind"] == "WorkflowTemplate":
            name = thing["metadata"]["name"].removeprefix("nameplate-")
            found[name] = thing["spec"].get("metrics", {}).get("prometheus", [])
            for template in thing["spec"]["templates"]:
                whole = f"{name}/{template['name']}"
                found[whole] = template.get("metrics", {}).get("prometheus", [])
    return found


@pytest.fixture(scope="module")
def metrics() -> dict[str, list[Json]]:
    return _metrics()


def test_every_pod_of_a_step_is_counted_and_no_other(metrics: dict[str, list[Json]]) -> None:
    counted = {where.partition("/")[0]: of for where, of in metrics.items() if of and "/" in where}
    assert set(counted) == {"plan", *(step.name for step in STEPS)}
    for step, of in counted.items():
        labels = {label["key"]: label["value"] for label in of[0]["labels"]}
        assert (of[0]["name"], labels["step"]) == ("nameplate_pods", step)
    assert metrics["report/export"] == []
    assert [one["name"] for one in metrics["campaign"]] == ["nameplate_campaigns"]


def test_names_labels_and_helps_are_what_prometheus_takes(metrics: dict[str, list[Json]]) -> None:
    helps: dict[str, set[str]] = {}
    labels: dict[str, set[tuple[str, ...]]] = {}
    for of in metrics.values():
        for one in of:
            assert re.fullmatch(r"nameplate_[a-z_]+", one["name"])
            helps.setdefault(one["name"], set()).add(one["help"])
            labels.setdefault(one["name"], set()).add(tuple(label["key"] for label in one["labels"]))
            # The name of a pool, a chunk or a run would grow with the campaign.
            assert {label["key"] for label in one["labels"]} <= BOUNDED
            assert "gauge" not in one or one["gauge"]["realtime"] is False
    assert {name: len(texts) for name, texts in helps.items()} == dict.fromkeys(helps, 1)
    assert {name: len(keys) for name, keys in labels.items()} == dict.fromkeys(labels, 1)


def test_what_is_counted_is_the_output_that_a_failed_pod_has_too() -> None:
    """Argo stops at the first output that is not there: after a mistake, the plan's others are not."""
    for thing in rendered():
        if thing["kind"] == "WorkflowTemplate":
            for template in thing["spec"]["templates"]:
                if template.get("metrics"):
                    first = template["outputs"]["parameters"][0]
                    assert (first["name"], first["valueFrom"]["default"]) == ("timing", "{}")


def test_it_can_be_switched_off() -> None:
    assert not any(_metrics("--set", "workflow.metrics=false").values())


def test_the_docs_name_every_metric_and_no_other(metrics: dict[str, list[Json]]) -> None:
    section = DOCS.read_text().partition("## Watching it")[2].partition("\n## ")[0]
    rows = set(re.findall(r"^\| `(nameplate_\w+)`", section, flags=re.MULTILINE))
    assert rows == {one["name"] for of in metrics.values() for one in of}


def test_the_alerts_in_the_docs_ask_for_metrics_that_there_are(metrics: dict[str, list[Json]]) -> None:
    """And they are a PrometheusRule that parses; brackets are closed in every expression."""
    (text,) = re.findall(r"```yaml\n(apiVersion: monitoring.*?)```", DOCS.read_text(), flags=re.DOTALL)
    rule = yaml.safe_load(text)
    assert (rule["apiVersion"], rule["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    alerts = [alert for group in rule["spec"]["groups"] for alert in group["rules"]]
    assert len(alerts) >= 2
    known: dict[str, set[str]] = {}
    for of in metrics.values():
        for one in of:
            known[one["name"]] = {label["key"] for label in one["labels"]}
    for alert in alerts:
        assert {"alert", "expr", "annotations"} <= set(alert)
        assert alert["expr"].count("(") == alert["expr"].count(")")
        asked = re.findall(r"argo_workflows_(nameplate_\w+)(?:\{([^}]*)\})?", alert["expr"])
        assert asked, alert
        for name, selector in asked:
            assert name in known
            assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= known[name]


def test_what_a_pod_may_tell_is_asked_for_by_the_name_that_it_tells() -> None:
    text = (ROOT / "charts/nameplate/workflows/metrics.yaml").read_text()
    asked = set(re.findall(r"\$\.told\.(\w+)", text))
    assert asked | {"outcome"} == set(re.findall(r"contains '(\w+)'", text))
    code = "".join(path.read_text() for path in _services())
    for name in asked:
        assert f'"{name}"' in code or f"{name}=" in code, name
    # `contains` looks at the whole line: no name may be in another, nor in the line without being told.
    line = '{"start_s": 0, "plan_s": 0, "work_s": 0, "commit_s": 0, "jobs": 1, "outcome": "done", "told": {}}'
    assert not any(name in line for name in asked)
    assert not any(one != other and one in other for one in asked for other in asked)


def _services() -> list[Path]:
    return [
        ROOT / "services/training/nameplate_training/training_step.py",
        ROOT / "services/evaluation/nameplate_evaluation/gauges.py",
    ]
