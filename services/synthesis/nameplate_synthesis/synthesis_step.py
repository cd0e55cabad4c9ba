"""The step ``synthesis``: one shard of a dataset, with its new images and a sample row for every exam."""

from collections.abc import Sequence

from nameplate.campaign import ORIGINAL
from nameplate.image.sphere import insert
from nameplate.image.volume import Volume, nifti_bytes, read_nifti
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
    TARGET,
    DerivedRecipe,
    LabelRecipe,
    OriginalRecipe,
    Sample,
    SphereRecipe,
    SynthesisJob,
    TargetRecipe,
)
from nameplate.streams import stream
from nameplate_synthesis.difficulty import NoRoom, changes, draw_sphere
from nameplate_synthesis.slices import brain_slices


def synthesis(job: SynthesisJob, inputs: Inputs, outputs: Outputs) -> None:
    """Write one shard of a dataset."""
    samples: list[Sample]
    refusals: list[Refusal] = []
    if isinstance(job.recipe, OriginalRecipe):
        samples = _original(job, job.recipe, inputs, outputs)
    elif isinstance(job.recipe, SphereRecipe):
        samples, refusals = _spheres(job, job.recipe, inputs, outputs)
    elif isinstance(job.recipe, TargetRecipe):
        samples = _targeted(job, job.recipe, inputs, outputs)
    elif isinstance(job.recipe, DerivedRecipe):
        samples, refusals = _derived(job, job.recipe, inputs)
    else:
        samples = SAMPLES.read(inputs, cohort=job.cohort, dataset=ORIGINAL, shard=job.shard)
        if isinstance(job.recipe, LabelRecipe):
            samples = _labelled(samples, _shard_members(job, inputs))
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
        # An exam that the start has refused is out here too.
        originals = [original for original in originals if original.exam in starts]
    samples: list[Sample] = []
    refusals: list[Refusal] = []
    for name, scans in _heads(originals, twins=recipe.twins).items():
        if not changes(difficulty, members[scans[0].exam]):
            samples += [starts.get(scan.exam) or scan.model_copy(update={"label": 0}) for scan in scans]
            continue
        start = starts.get(scans[0].exam)
        sphere = draw_sphere(
            difficulty,
            name,
            [_mask(scan, inputs) for scan in scans],
            start.sphere if start is not None else None,
            seed=recipe.seed,
            cohort=job.cohort,
        )
        if isinstance(sphere, NoRoom):
            refusals += [Refusal(exam=s.exam, step="synthesis", reason=sphere.reason) for s in scans]
            continue
        for scan in scans:
            rng = stream(recipe.seed, "intensity", job.cohort, job.dataset, name)
            image = insert(read_nifti(inputs.fetch(scan.image)), sphere, rng, recipe.intensity)
            key = IMAGE.key(cohort=job.cohort, dataset=job.dataset, exam=scan.exam)
            outputs.write(key, nifti_bytes(image))
            samples.append(scan.model_copy(update={"label": 1, "image": key, "sphere": sphere}))
    samples.sort(key=lambda sample: sample.exam)
    refusals.sort(key=lambda refusal: refusal.exam)
    return samples, refusals


def _labelled(samples: Sequence[Sample], members: Sequence[Member]) -> list[Sample]:
    """The samples with their members' own labels; the cohort has refused exams without one."""
    labels = {member.exam: member.label for member in members if member.label is not None}
    return [sample.model_copy(update={"label": labels[sample.exam]}) for sample in samples]


def _targeted(job: SynthesisJob, recipe: TargetRecipe, inputs: Inputs, outputs: Outputs) -> list[Sample]:
    """Original's samples with the user's masks, cut to the slices that Original's images were cut to."""
    samples = []
    for sample in SAMPLES.read(inputs, cohort=job.cohort, dataset=ORIGINAL, shard=job.shard):
        place = {"cohort": job.cohort, "exam": sample.exam}
        target = read_nifti(inputs.fetch(ingest.TARGET.key(**place)))
        brain = read_nifti(inputs.fetch(skullstrip.MASK.key(**place)))
        cut = brain_slices(target, brain, recipe.slices, floor_hu=0).image
        key = TARGET.key(**place, dataset=job.dataset)
        outputs.write(key, nifti_bytes(cut))
        samples.append(sample.model_copy(update={"label": int(cut.array.any()), "target": key}))
    return samples


def _heads(originals: Sequence[Sample], *, twins: bool) -> dict[str, list[Sample]]:
    """Samples that get the same sphere: twins, by patient; else each alone, by exam."""
    heads: dict[str, list[Sample]] = {}
    for original in originals:
        heads.setdefault(original.patient if twins else original.exam, []).append(original)
    return heads


def _mask(sample: Sample, inputs: Inputs) -> Volume:
    assert sample.mask is not None
    return read_nifti(inputs.fetch(sample.mask))


def _derived(job: SynthesisJob, recipe: DerivedRecipe, inputs: Inputs) -> tuple[list[Sample], list[Refusal]]:
    """The other cohort's samples under this one's levels, and what its dataset could not take."""
    place = {"cohort": recipe.other, "dataset": job.dataset, "shard": job.shard}
    levels = {member.exam: member.level for member in MEMBERS.read(inputs, cohort=job.cohort)}
    samples: list[Sample] = []
    for sample in SAMPLES.read(inputs, **place):
        level = levels[sample.exam]
        label = sample.label if recipe.first_level is None else int(level == recipe.first_level)
        samples.append(sample.model_copy(update={"level": level, "label": label}))
    return samples, REFUSALS.read(inputs, **place)
