"""Task ``labels``: say of an exam what a column of the user's own says."""

from nameplate.campaign.tasks.task import Task

LABELS = Task(
    title="Classification by own labels",
    does="says whether an exam is positive by a label of its own",
    sees="volume",
    answers="class",
    datasets=lambda datasets: () if datasets.labels is None else (datasets.labels.dataset,),
    metrics=("accuracy", "specificity", "sensitivity", "auroc", "probit"),
    compared_in=("auroc", "probit", "accuracy"),
)
