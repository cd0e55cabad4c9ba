"""The step ``synthesis``: one shard of a dataset, with its new images and a sample row for every exam."""

from nameplate.campaign import ORIGINAL
from nameplate.image.volume import nifti_bytes, read_nifti
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps import ingest, skullstrip
from nameplate.steps.cohort import MEMBERS, Member, Refusal
from nameplate.steps.ingest import EXAMS
from nameplate.steps.synthesis import (
    IMAGE,
    MASK,
    REFUSALS,
    SAMPLES,
    OriginalRecipe,
    Sample,
    SphereRecipe,
    SynthesisJob,
)
from nameplate.streams import stream
from nameplate_synthesis.difficulty import changes, draw_sphere
from nameplate_synthesis.slices import brain_slices
from nameplate_synthesis.sphere import insert


def synthesis(job: SynthesisJob, inputs: Inputs, outputs: Outputs) -> None:
    """Write one shard of a dataset."""
    samples: list[Sample]
    refusals: list[Refusal] = []
    if isinstance(job.recipe, OriginalRecipe):
        samples = _original(job, job.recipe, inputs, outputs)
    elif isinstance(job.recipe, SphereRecipe):
        samples, refusals = _spheres(job, job.recipe, inputs, outputs)
    else:
        samples = SAMPLES.read(inputs, cohort=job.cohort, dataset=ORIGINAL, shard=job.shard)
    SAMPLES.write(outputs, samples, cohort=job.cohort, dataset=job.dataset, shard=job.shard)
    REFUSALS.write(outputs, refusals, cohort=job.cohort, dataset=job.dataset, shard=job.shard)


def _shard_members(job: SynthesisJob, inputs: Inputs) -> list[Member]:
    here = {exam.exam for exam in EXAMS.read(inputs, cohort=job.cohort, shard=job.shard)}
    return [member for member in MEMBERS.read(inputs, cohort=job.cohort) if member.exam in here]


def _original(job: SynthesisJob, recipe: OriginalRecipe, inputs: Inputs, outputs: Outputs) -> list[Sample]:
    samples = []
    for member in _shard_members(job, inputs):
        image = read_nifti(inputs.fetch(ingest.IMAGE.key(cohort=job.cohort, exam=member.exam)))
        mask = read_nifti(inputs.fetch(skullstrip.MASK.key(cohort=job.cohort, exam=member.exam)))
        cut = brain_slices(image, mask, recipe.slices, recipe.floor_hu)
        image_key = IMAGE.key(cohort=job.cohort, dataset=job.dataset, exam=member.exam)
        mask_key = MASK.key(cohort=job.cohort, dataset=job.dataset, exam=member.exam)
        outputs.write(image_key, nifti_bytes(cut.image))
        outputs.write(mask_key, nifti_bytes(cut.mask))
        samples.append(
            Sample(
                exam=member.exam,
                patient=member.patient,
                level=member.level,
                split=member.split,
                label=int(member.level == recipe.first_level),
                image=image_key,
                mask=mask_key,
                sphere=None,
                padded=cut.padded,
            )
        )
    return samples


def _spheres(
    job: SynthesisJob, recipe: SphereRecipe, inputs: Inputs, outputs: Outputs
) -> tuple[list[Sample], list[Refusal]]:
    difficulty = recipe.difficulty
    originals = SAMPLES.read(inputs, cohort=job.cohort, dataset=ORIGINAL, shard=job.shard)
    members = {member.exam: member for member in _shard_members(job, inputs)}
    starts: dict[str, Sample] = {}
    if difficulty.start is not None:
        rows = SAMPLES.read(inputs, cohort=job.cohort, dataset=difficulty.start, shard=job.shard)
        starts = {row.exam: row for row in rows}
    samples: list[Sample] = []
    refusals: list[Refusal] = []
    for original in originals:
        member, start = members[original.exam], starts.get(original.exam)
        if difficulty.start is not None and start is None:
            continue  # already refused by the difficulty that it starts from
        if not changes(difficulty, member):
            samples.append(start or original.model_copy(update={"label": 0}))
            continue
        assert original.mask is not None
        sphere = draw_sphere(
            difficulty,
            member,
            read_nifti(inputs.fetch(original.mask)),
            start.sphere if start is not None else None,
            seed=recipe.seed,
            cohort=job.cohort,
        )
        if isinstance(sphere, Refusal):
            refusals.append(sphere)
            continue
        rng = stream(recipe.seed, "intensity", job.cohort, job.dataset, member.exam)
        image = insert(read_nifti(inputs.fetch(original.image)), sphere, rng, recipe.intensity)
        key = IMAGE.key(cohort=job.cohort, dataset=job.dataset, exam=member.exam)
        outputs.write(key, nifti_bytes(image))
        samples.append(original.model_copy(update={"label": 1, "image": key, "sphere": sphere}))
    return samples, refusals
