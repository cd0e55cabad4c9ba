"""Task ``spheres``: say whether an exam holds a simulated lesion, at each difficulty."""

from nameplate.campaign.tasks.task import Task

SPHERES = Task(
    title="Sphere classification",
    does="says whether a head CT holds a synthetic lesion",
    sees="volume",
    answers="class",
    datasets=lambda datasets: tuple(difficulty.name for difficulty in datasets.spheres.difficulties),
    metrics=("accuracy", "specificity", "sensitivity", "auroc", "probit"),
    difficulties=True,
    compared_in=("auroc", "probit", "accuracy"),
)
