"""The campaigns of a namespace as a table. Pure."""

from collections.abc import Iterable

from nameplate_cluster.client import Json
from nameplate_cluster.workflow import campaign_of, name_of, newest_of, state_of, submitter_of

HEAD = ("campaign", "state", "pods done", "submitted (UTC)", "by", "workflow")


def lines_of(workflows: Iterable[Json], *, every: bool = False) -> list[str]:
    """A head and one line a campaign, the newest first: its newest workflow, or with ``every`` each of them.

    Empty when there is none.
    """
    by_campaign: dict[str, list[Json]] = {}
    for workflow in workflows:
        by_campaign.setdefault(campaign_of(workflow), []).append(workflow)
    shown = [item for items in by_campaign.values() for item in (items if every else [newest_of(items)])]
    shown.sort(key=lambda item: (item["metadata"]["creationTimestamp"], name_of(item)), reverse=True)
    if not shown:
        return []
    rows = [HEAD, *map(_row, shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(workflow: Json) -> tuple[str, ...]:
    made = str(workflow["metadata"]["creationTimestamp"])
    return (
        campaign_of(workflow),
        state_of(workflow),
        # Argo counts the pods that it knows of: there are more to come while the campaign runs.
        str((workflow.get("status") or {}).get("progress") or "-"),
        made[:16].replace("T", " "),
        submitter_of(workflow) or "-",
        name_of(workflow),
    )
