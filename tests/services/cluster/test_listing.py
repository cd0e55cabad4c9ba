"""One line a campaign: its newest workflow, and who submitted it."""

from typing import Any

from nameplate_cluster.listing import lines_of, submitter_of


def _workflow(name: str, campaign: str, made: str, phase: str = "Running", **metadata: Any) -> Any:
    labels = {"nameplate.dev/campaign": campaign, **metadata.pop("labels", {})}
    return {
        "metadata": {"name": name, "creationTimestamp": made, "labels": labels, **metadata},
        "spec": {},
        "status": {"phase": phase, "progress": "3/7"},
    }


WORKFLOWS = [
    _workflow("demo-1", "demo", "2026-11-23T06:00:00Z", "Failed"),
    _workflow(
        "demo-2", "demo", "2026-11-24T06:00:00Z", annotations={"nameplate.dev/submitted-by": "anna@hospital"}
    ),
    _workflow(
        "paper-1", "paper", "2026-11-25T06:30:59Z", "Succeeded",
        labels={"workflows.argoproj.io/creator": "system-serviceaccount-ct-ben"},
    ),
]  # fmt: skip


def test_one_line_a_campaign_and_the_newest_first() -> None:
    assert [line.split("  ") for line in lines_of([]) + lines_of(WORKFLOWS[:1])][1][-1].strip() == "demo-1"
    head, *rows = lines_of(WORKFLOWS)
    assert head.split() == ["campaign", "state", "pods", "done", "submitted", "(UTC)", "by", "workflow"]
    assert [row.split() for row in rows] == [
        ["paper", "done", "3/7", "2026-11-25", "06:30", "system-serviceaccount-ct-ben", "paper-1"],
        ["demo", "running", "3/7", "2026-11-24", "06:00", "anna@hospital", "demo-2"],
    ]


def test_every_workflow_when_asked_for() -> None:
    assert [line.split()[-1] for line in lines_of(WORKFLOWS, every=True)[1:]] == [
        "paper-1",
        "demo-2",
        "demo-1",
    ]


def test_nothing_is_no_table() -> None:
    assert lines_of([]) == []


def test_a_workflow_that_nobody_has_taken_yet() -> None:
    fresh = _workflow("demo-3", "demo", "2026-11-26T06:00:00Z")
    del fresh["status"]
    assert lines_of([fresh])[1].split() == ["demo", "waiting", "-", "2026-11-26", "06:00", "-", "demo-3"]
    assert submitter_of(fresh) == ""
