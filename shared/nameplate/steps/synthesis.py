"""Step ``synthesis``: one shard of a dataset: Original, one with spheres, own labels or own masks, or Skull.

A derived cohort names the images of the cohort that it comes from.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from nameplate.campaign import ORIGINAL, SKULL, Campaign
from nameplate.campaign.dataset import DifficultySettings
from nameplate.campaign.settings import Settings
from nameplate.records import Record, Split
from nameplate.steps.cohort import Refusal, are_twins
from nameplate.steps.files import File, Rows
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step


class Sphere(Record):
    """One simulated lesion."""

    difficulty: str
    """The difficulty that it was drawn for."""
    centre_mm: tuple[float, float, float]
    """RAS mm in the patient."""
    radius_mm: float
    hu_mean: float
    hu_sd: float


class Sample(Record):
    """One exam of a dataset."""

    exam: str
    patient: str
    level: str
    """Level of the factor."""
    split: Split
    label: int
    """1 = has a sphere (sphere datasets), belongs to the factor's first level (Original), is positive (own
    labels), or has something in its target (own masks)."""
    image: str
    """Key of the NIfTI image in the store."""
    mask: str | None
    """Key of the NIfTI brain mask, cut to the same slices."""
    target: str | None = Field(default=None, exclude_if=lambda value: value is None)
    """Key of the user's own NIfTI mask, cut to the same slices: learned in place of the brain mask; None in
    other datasets."""
    sphere: Sphere | None
    padded: int
    """Slices of air that were added because the exam is too short for the dataset."""


IMAGE = File("datasets/{cohort}/{dataset}/images/{exam}.nii.gz")
"""An image of a dataset; only those that differ from the dataset it starts from."""
MASK = File("datasets/{cohort}/{dataset}/masks/{exam}.nii.gz")
"""A mask cut to the dataset's slices."""
TARGET = File("datasets/{cohort}/{dataset}/targets/{exam}.nii.gz")
"""The user's own mask, cut to the dataset's slices."""
SAMPLES = Rows("datasets/{cohort}/{dataset}/samples/{shard:03d}.jsonl", Sample)
"""Every exam of one shard of a dataset."""
REFUSALS = Rows("datasets/{cohort}/{dataset}/refusals/{shard:03d}.jsonl", Refusal)
"""Exams that the dataset could not take."""


class OriginalRecipe(Settings):
    """Original: every exam cut to the same number of slices, labelled by its level."""

    kind: Literal["original"] = "original"
    slices: int
    floor_hu: int
    """HU of the slices of air that fill up a short exam."""
    first_level: str
    """The level of the factor whose exams have label 1."""


class SphereRecipe(Settings):
    """Spheres of one difficulty, put into Original or into the difficulty that it starts from."""

    kind: Literal["spheres"] = "spheres"
    seed: int
    twins: bool
    """Whether all exams of a patient get the same sphere, which must fit into the brain of each."""
    intensity: Literal["per_voxel", "per_sphere"]
    difficulty: DifficultySettings


class SkullRecipe(Settings):
    """Skull: Original's images; the networks learn the mask that each sample names."""

    kind: Literal["skull"] = "skull"


class LabelRecipe(Settings):
    """Original's images, with the labels of the user's own column."""

    kind: Literal["labels"] = "labels"


class TargetRecipe(Settings):
    """Original's images, with the user's own masks cut as those were."""

    kind: Literal["targets"] = "targets"
    slices: int


class DerivedRecipe(Settings):
    """The samples of another cohort under this one's pseudo-levels: same images, masks and spheres."""

    kind: Literal["derived"] = "derived"
    other: str
    """The cohort that the samples are taken from."""
    first_level: str | None
    """The level whose exams have label 1; None for a dataset whose labels do not follow the levels."""


OwnRecipe = OriginalRecipe | SphereRecipe | SkullRecipe | LabelRecipe | TargetRecipe
"""Of a cohort with exams of its own."""


class SynthesisJob(CohortJobSettings):
    """Settings of one job."""

    dataset: str
    shard: int
    recipe: OwnRecipe | DerivedRecipe


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job per dataset and shard; it needs the jobs of the datasets that it starts from."""
    return _own_jobs(plan) if plan.other is None else _derived_jobs(plan, plan.other)


def _derived_jobs(plan: CohortPlan, other: CohortPlan) -> Iterator[Job]:
    for dataset in datasets_on(plan.campaign, plan.cohort):
        # Only these copy a label that Original has made of the levels.
        by_level = dataset in (ORIGINAL, SKULL)
        first = plan.campaign.factor.levels[0] if by_level else None
        recipe = DerivedRecipe(other=other.cohort, first_level=first)
        for shard, taken in enumerate(other.ids("synthesis", dataset=dataset)):
            settings = SynthesisJob(cohort=plan.cohort, dataset=dataset, shard=shard, recipe=recipe)
            yield STEP.job(settings, [taken, *plan.ids("cohort")])


def _own_jobs(plan: CohortPlan) -> Iterator[Job]:
    ids: dict[tuple[str, int], str] = {}
    ingested, stripped = plan.ids("ingest"), plan.ids("skullstrip")
    for dataset in datasets_on(plan.campaign, plan.cohort):
        recipe = _recipe(plan, dataset)
        earlier = [] if dataset == ORIGINAL else [ORIGINAL]
        if isinstance(recipe, SphereRecipe) and recipe.difficulty.start is not None:
            earlier.append(recipe.difficulty.start)
        for shard, (exams, masks) in enumerate(zip(ingested, stripped, strict=True)):
            needs = [exams, masks, *plan.ids("cohort"), *(ids[name, shard] for name in earlier)]
            settings = SynthesisJob(cohort=plan.cohort, dataset=dataset, shard=shard, recipe=recipe)
            job = STEP.job(settings, needs)
            ids[dataset, shard] = job.id
            yield job


def _recipe(plan: CohortPlan, dataset: str) -> OwnRecipe:
    campaign = plan.campaign
    if dataset == ORIGINAL:
        return OriginalRecipe(
            slices=campaign.datasets.slices,
            floor_hu=campaign.cohorts[plan.cohort].ingest.floor_hu,
            first_level=campaign.factor.levels[0],
        )
    if dataset == SKULL:
        return SkullRecipe()
    if campaign.datasets.labels is not None and dataset == campaign.datasets.labels.dataset:
        return LabelRecipe()
    if campaign.datasets.masks is not None and dataset == campaign.datasets.masks.dataset:
        return TargetRecipe(slices=campaign.datasets.slices)
    spheres = campaign.datasets.spheres
    return SphereRecipe(
        seed=campaign.seed,
        twins=are_twins(campaign, plan.cohort),
        intensity=spheres.intensity,
        difficulty=spheres.difficulty(dataset),
    )


def datasets_on(campaign: Campaign, cohort: str) -> list[str]:
    """The datasets that the experiments on this cohort need, with those they start from, in order.

    Those of the cohorts derived from it are among them: their images are this one's.
    """
    wanted = {ORIGINAL}
    served = {cohort, *(name for name, settings in campaign.cohorts.items() if settings.other == cohort)}
    for experiment in campaign.experiments:
        if served & set(experiment.cohorts):
            wanted.update(campaign.datasets_of(experiment))
    difficulties = campaign.datasets.spheres.difficulties
    for difficulty in reversed(difficulties):
        if difficulty.name in wanted and difficulty.start is not None:
            wanted.add(difficulty.start)
    datasets = campaign.datasets
    own = [one.dataset for one in (datasets.labels, datasets.masks) if one is not None]
    names = [ORIGINAL, *(difficulty.name for difficulty in difficulties), *own, SKULL]
    return [name for name in names if name in wanted]


def chain_of(campaign: Campaign, dataset: str) -> list[str]:
    """The datasets whose images a dataset's samples may name: Original, and those it starts from."""
    starts = {difficulty.name: difficulty.start for difficulty in campaign.datasets.spheres.difficulties}
    chain: list[str] = []
    name: str | None = dataset
    while name is not None and name != ORIGINAL:
        chain.insert(0, name)
        name = starts.get(name)
    return [ORIGINAL, *chain]


STEP = Step(
    name="synthesis",
    service="synthesis",
    settings=SynthesisJob,
    id="{job.cohort}/{job.dataset}/{job.shard:03d}",
    needs=("ingest", "skullstrip", "cohort", "synthesis"),
    jobs=jobs,
    version=3,
    memory_mib=1000,
    seconds=lambda load: 0.003 * load.exams * load.pixels,
)
