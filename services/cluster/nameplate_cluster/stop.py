"""Ending a campaign's workflow: trainings save a checkpoint, and a later submission resumes there."""

from nameplate_cluster.client import Cluster, Json
from nameplate_cluster.watch import follow, say
from nameplate_cluster.workflow import is_over, name_of, phase_of

WAIT_S = 90.0


def stop(cluster: Cluster, workflow: Json, campaign: str, *, now: bool) -> int:
    """Ask the workflow to end, wait for it, and say how to resume."""
    name = name_of(workflow)
    again = f"nameplate submit with the same file resumes where it stopped (campaign {campaign})"
    if is_over(workflow):
        say(f"{name} is already over ({phase_of(workflow).lower()}); {again}")
        return 0
    cluster.shut_down(name, "Terminate" if now else "Stop")
    say(f"stopping {name}: its pods save what they have and end")
    workflow = follow(cluster, name, limit_s=WAIT_S)
    if is_over(workflow):
        say(f"{name} has stopped; {again}")
    else:
        say(f"{name} is still stopping; nameplate status {campaign} -n {cluster.namespace} shows its end")
    return 0
