from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_cluster.waiting import held_back, wait_of
from nameplate_cluster.workflow import attempts_of

EXPECTED = {
    "probe-image": ("image", "the image nameplate/none:1 cannot be pulled"),
    "probe-name": ("image", "the image nameplate/NONE:1 cannot be pulled (InvalidImageName)"),
    "probe-secret": ("setup", 'its container cannot be created: secret "nameplate-absent" not found'),
    "probe-gpu": ("room", "no node has room: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu"),
    "probe-cpub": ("room", "no node has room: 0/1 nodes are available: 1 Insufficient cpu"),
    "probe-vol": ("start", "PodInitializing"),
}


def test_reasons_of_a_real_cluster_in_plain_words(recorded: Callable[[str], Any]) -> None:
    found = {}
    for workflow in recorded("waiting")["items"]:
        for attempt in attempts_of(workflow):
            if attempt.state == "waiting":
                found[attempt.pod] = wait_of(attempt.message)
    assert {name: (found[name].kind, found[name].text) for name in EXPECTED} == EXPECTED
    assert found["probe-quota"].kind == "quota"
    assert found["probe-quota"].text.startswith(
        "the quota tight is used up: requested requests.nvidia.com/gpu=2"
    )
    assert [name for name, wait in sorted(found.items()) if wait.hopeless] == [
        "probe-image",
        "probe-name",
        "probe-never",
        "probe-secret",
    ]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Waiting for hospital/Mutex/nameplate-demo lock. Lock status: 0/1", "turn"),
        ("Waiting for hospital/ConfigMap/nameplate-pools/gpu lock. Lock status: 0/2", "turn"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "setup"),
        ("SchedulingGated: ct", "queue"),
        ("", "start"),
        ("ContainerCreating", "start"),
    ],
)
def test_other_reasons(message: str, kind: str) -> None:
    assert wait_of(message).kind == kind


@pytest.mark.parametrize(
    ("gates", "labels", "held"),
    [
        (["kueue.x-k8s.io/admission"], {"kueue.x-k8s.io/queue-name": "ct"}, "ct"),
        (["example.org/a", "example.org/b"], {}, "example.org/a, example.org/b"),
        ([], {"kueue.x-k8s.io/queue-name": "ct"}, None),
    ],
)
def test_a_gate_is_a_queue(gates: list[str], labels: dict[str, str], held: str | None) -> None:
    spec = {"schedulingGates": [{"name": name} for name in gates]} if gates else {}
    assert held_back({"metadata": {"labels": labels}, "spec": spec}) == held


@given(st.text())
def test_every_message_is_one_short_line(message: str) -> None:
    text = wait_of(message).text
    assert text
    assert len(text) < 400
    assert "\n" not in text
