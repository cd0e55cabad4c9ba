"""Sources over the network in the chart: whose account, whose address, and for which pods alone."""

from typing import Any

import pytest
from chart import HELM, helm, rendered

pytestmark = pytest.mark.skipif(HELM is None, reason="no helm program")

SETS = (
    "sources.pacs.existingSecret=pacs-account",
    "sources.pacs.cidrs={10.1.2.3/32}",
    "sources.pacs.ports={443}",
    "sources.default.existingSecret=other-account",
    "sources.default.cidrs={10.1.2.4/32,fd00::4/128}",
    "sources.default.ports={104}",
    "sources.default.receive.port=11112",
    "sources.default.receive.type=LoadBalancer",
    "sources.default.receive.cidrs={10.1.2.4/32}",
    "sources.open.cidrs={10.1.2.5/32}",
    "sources.open.ports={8080}",
)


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return rendered(*(part for value in SETS for part in ("--set", value)))


def _named(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {thing["metadata"]["name"]: thing for thing in objects if thing["kind"] == kind}


def test_the_account_is_in_the_pods_that_ask_and_in_no_other(objects: list[dict[str, Any]]) -> None:
    asking = set()
    for name, template in _named(objects, "WorkflowTemplate").items():
        for one in template["spec"]["templates"]:
            of_sources = [row for row in one.get("container", {}).get("envFrom", []) if "prefix" in row]
            if of_sources:
                asking.add(name)
                assert of_sources == [
                    {"prefix": "NAMEPLATE_SOURCE_", "secretRef": {"name": "other-account"}},
                    {"prefix": "NAMEPLATE_SOURCE_PACS_", "secretRef": {"name": "pacs-account"}},
                ]
    assert asking == {"nameplate-listing", "nameplate-ingest"}


def test_they_reach_exactly_these_addresses(objects: list[dict[str, Any]]) -> None:
    policies = _named(objects, "NetworkPolicy")
    ways = {
        name.removeprefix("nameplate-source-"): one["spec"]
        for name, one in policies.items()
        if "source" in name
    }
    assert set(ways) == {"pacs", "default", "open"}
    for spec in ways.values():
        (rule,) = spec["podSelector"]["matchExpressions"]
        assert rule == {
            "key": "app.kubernetes.io/component",
            "operator": "In",
            "values": ["listing", "ingest"],
        }
    assert ways["pacs"]["egress"] == [
        {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"protocol": "TCP", "port": 443}]}
    ]
    assert "ingress" not in ways["pacs"]
    assert "Ingress" not in ways["pacs"]["policyTypes"]
    assert [row["ipBlock"]["cidr"] for row in ways["default"]["egress"][0]["to"]] == [
        "10.1.2.4/32",
        "fd00::4/128",
    ]
    assert ways["default"]["ingress"] == [
        {"from": [{"ipBlock": {"cidr": "10.1.2.4/32"}}], "ports": [{"protocol": "TCP", "port": 11112}]}
    ]


def test_a_pacs_that_sends_to_us_finds_the_pod_that_asked(objects: list[dict[str, Any]]) -> None:
    services = _named(objects, "Service")
    assert [name for name in services if "receiver" in name] == ["nameplate-receiver-default"]
    spec = services["nameplate-receiver-default"]["spec"]
    assert spec["type"] == "LoadBalancer"
    assert spec["externalTrafficPolicy"] == "Local"
    assert spec["ports"] == [{"name": "dicom", "port": 11112, "targetPort": 11112}]
    (ingest,) = _named(objects, "WorkflowTemplate")["nameplate-ingest"]["spec"]["templates"]
    assert spec["selector"].items() <= ingest["metadata"]["labels"].items()


def test_without_sources_nothing_of_them() -> None:
    objects = rendered()
    assert not any("source" in name for name in _named(objects, "NetworkPolicy"))
    assert not any("receiver" in name for name in _named(objects, "Service"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("sources.pacs.existingSecret=x",), "cidrs"),
        (("sources.Pacs.ports={1}",), "Pacs"),
        (("sources.pacs.cidrs={pacs.example.org}", "sources.pacs.ports={443}"), "pattern"),
        (("sources.pacs.cidr={10.0.0.1/32}",), "did you mean cidrs?"),
    ],
)
def test_values_that_make_no_sense(values: tuple[str, ...], said: str) -> None:
    ran = helm(
        "template", "nameplate", "charts/nameplate", *(part for one in values for part in ("--set", one))
    )
    assert ran.returncode != 0
    assert said in ran.stderr
