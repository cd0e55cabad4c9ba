"""Task ``factor``: name the level of an exam from a few of its slices."""

from nameplate.campaign.names import ORIGINAL
from nameplate.campaign.tasks.task import Task

FACTOR = Task(
    title="Naming the level",
    does="names the {factor} of an exam from a few slices",
    sees="slices",
    answers="class",
    datasets=lambda datasets: (ORIGINAL,),  # noqa: ARG005
    metrics=("accuracy", "auroc"),
)
