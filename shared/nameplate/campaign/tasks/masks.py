"""Task ``masks``: outline what masks of the user's own show."""

from nameplate.campaign.tasks.task import Task

MASKS = Task(
    title="Segmentation by own masks",
    does="outlines what masks of its own show",
    sees="volume",
    answers="mask",
    datasets=lambda datasets: () if datasets.masks is None else (datasets.masks.dataset,),
    metrics=("dice",),
    compared_in=("dice",),
)
