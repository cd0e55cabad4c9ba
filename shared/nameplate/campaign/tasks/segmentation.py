"""Task ``segmentation``: outline the brain."""

from nameplate.campaign.names import SKULL
from nameplate.campaign.tasks.task import Task

SEGMENTATION = Task(
    title="Brain segmentation",
    does="outlines the brain",
    sees="volume",
    answers="mask",
    datasets=lambda datasets: (SKULL,),  # noqa: ARG005
    metrics=("dice",),
    compared_in=("dice",),
)
