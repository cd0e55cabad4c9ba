"""Step ``pack``: a dataset as an experiment's networks read it, in a few memory-mapped files."""

from collections.abc import Iterator

from nameplate.campaign.experiment import InputSettings
from nameplate.campaign.tasks import TaskName
from nameplate.steps.files import File, Rows
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step
from nameplate.steps.synthesis import Sample, chain_of

IMAGES = File("packs/{cohort}/{experiment}/{dataset}/images.npy")
"""(exam, k, j, i), whole HU above the window's lower end."""
MASKS = File("packs/{cohort}/{experiment}/{dataset}/masks.npy")
"""(exam, k, j, i), 0 and 1; for tasks that answer a mask only."""
SAMPLES = Rows("packs/{cohort}/{experiment}/{dataset}/samples.jsonl", Sample)
"""One row per exam, in the order of the arrays."""


class PackJob(CohortJobSettings):
    """Settings of one job."""

    experiment: str
    dataset: str
    task: TaskName
    input: InputSettings


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job per experiment and dataset; in a derived cohort, on the images of the other one."""
    for experiment in plan.campaign.experiments:
        if plan.cohort not in experiment.cohorts:
            continue
        for dataset in plan.campaign.datasets_of(experiment):
            chain = chain_of(plan.campaign, dataset)
            images = [job for name in chain for job in (plan.other or plan).ids("synthesis", dataset=name)]
            samples = plan.ids("synthesis", dataset=dataset) if plan.other is not None else []
            settings = PackJob(
                cohort=plan.cohort,
                experiment=experiment.name,
                dataset=dataset,
                task=experiment.task,
                input=experiment.input,
            )
            yield STEP.job(settings, [*plan.ids("cohort"), *samples, *images])


STEP = Step(
    name="pack",
    service="synthesis",
    settings=PackJob,
    id="{job.cohort}/{job.experiment}/{job.dataset}",
    needs=("cohort", "synthesis"),
    jobs=jobs,
    version=2,
    memory_mib=1000,
    seconds=lambda load: 2.0,  # noqa: ARG005
)
