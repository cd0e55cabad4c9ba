"""The steps of a campaign: the matched cohort, one shard of a dataset, and a dataset packed for training."""

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from nameplate import keys
from nameplate.campaign import ORIGINAL, SKULL
from nameplate.cohort import make_cohort
from nameplate.image.volume import nifti_bytes, read_nifti
from nameplate.job import JobContext
from nameplate.learn.packed import brain_only, pack_mask, pack_volume, packed_slices, write_rows
from nameplate.records import Exam, MaskReport, Member, Refusal, Sample, from_jsonl, to_jsonl
from nameplate.streams import stream
from nameplate_synthesis.levels import changes, draw_sphere
from nameplate_synthesis.slices import brain_slices
from nameplate_synthesis.sphere import insert


def cohort(context: JobContext) -> None:
    """Match, balance and split the exams that ingest and skull stripping left."""
    name = context.parameter("cohort")
    exams: list[Exam] = []
    masks: list[MaskReport] = []
    for output in context.inputs:
        if output.key.startswith(f"cohorts/{name}/exams/"):
            exams += from_jsonl(Exam, context.read(output.key))
        elif output.key.startswith(f"cohorts/{name}/mask-reports/"):
            masks += from_jsonl(MaskReport, context.read(output.key))
    made = make_cohort(
        exams,
        {mask.exam: mask for mask in masks},
        context.campaign.cohorts[name],
        context.campaign.factor,
        context.campaign.datasets.spheres,
        seed=context.campaign.seed,
        name=name,
    )
    context.write(keys.members(name), to_jsonl(made.members))
    context.write(keys.refusals(name), to_jsonl(made.refusals))


def synthesis(context: JobContext) -> None:
    """Write one shard of a dataset: images that are new, and a sample row for every exam."""
    name, dataset, shard = context.parameter("cohort"), context.parameter("dataset"), context.number("shard")
    if dataset == ORIGINAL:
        samples, refusals = _original(context, name, shard), list[Refusal]()
    elif dataset == SKULL:
        # The images are Original's; what is learnt is the mask that each sample names.
        samples, refusals = from_jsonl(Sample, context.read(keys.samples(name, ORIGINAL, shard))), []
    else:
        samples, refusals = _spheres(context, name, dataset, shard)
    context.write(keys.samples(name, dataset, shard), to_jsonl(samples))
    context.write(keys.dataset_refusals(name, dataset, shard), to_jsonl(refusals))


def _shard_members(context: JobContext, name: str, shard: int) -> list[Member]:
    here = {exam.exam for exam in from_jsonl(Exam, context.read(keys.exams(name, shard)))}
    members = from_jsonl(Member, context.read(keys.members(name)))
    return [member for member in members if member.exam in here]


def _original(context: JobContext, name: str, shard: int) -> list[Sample]:
    settings = context.campaign.datasets
    floor = context.campaign.cohorts[name].ingest.floor_hu
    first = context.campaign.factor.levels[0]
    samples = []
    for member in _shard_members(context, name, shard):
        image = read_nifti(context.fetch(keys.image(name, member.exam)))
        mask = read_nifti(context.fetch(keys.mask(name, member.exam)))
        cut = brain_slices(image, mask, settings.slices, floor)
        image_key = keys.dataset_image(name, ORIGINAL, member.exam)
        mask_key = keys.dataset_mask(name, ORIGINAL, member.exam)
        context.write(image_key, nifti_bytes(cut.image))
        context.write(mask_key, nifti_bytes(cut.mask))
        samples.append(
            Sample(
                exam=member.exam,
                patient=member.patient,
                level=member.level,
                split=member.split,
                label=int(member.level == first),
                image=image_key,
                mask=mask_key,
                sphere=None,
                padded=cut.padded,
            )
        )
    return samples


def _spheres(context: JobContext, name: str, dataset: str, shard: int) -> tuple[list[Sample], list[Refusal]]:
    spheres = context.campaign.datasets.spheres
    level = next(level for level in spheres.levels if level.name == dataset)
    originals = from_jsonl(Sample, context.read(keys.samples(name, ORIGINAL, shard)))
    members = {member.exam: member for member in _shard_members(context, name, shard)}
    starts: dict[str, Sample] = {}
    if level.start is not None:
        rows = from_jsonl(Sample, context.read(keys.samples(name, level.start, shard)))
        starts = {row.exam: row for row in rows}
    samples: list[Sample] = []
    refusals: list[Refusal] = []
    for original in originals:
        member, start = members[original.exam], starts.get(original.exam)
        if level.start is not None and start is None:
            continue  # the level it starts from has refused it already
        if not changes(level, member):
            samples.append(start or original.model_copy(update={"label": 0}))
            continue
        assert original.mask is not None
        sphere = draw_sphere(
            level,
            member,
            read_nifti(context.fetch(original.mask)),
            start.sphere if start is not None else None,
            seed=context.campaign.seed,
            cohort=name,
        )
        if isinstance(sphere, Refusal):
            refusals.append(sphere)
            continue
        rng = stream(context.campaign.seed, "intensity", name, dataset, member.exam)
        image = insert(read_nifti(context.fetch(original.image)), sphere, rng, spheres.intensity)
        key = keys.dataset_image(name, dataset, member.exam)
        context.write(key, nifti_bytes(image))
        samples.append(original.model_copy(update={"label": 1, "image": key, "sphere": sphere}))
    return samples, refusals


def pack(context: JobContext) -> None:
    """Pack a dataset as an experiment's networks read it: one row an exam, in order of exam."""
    name, dataset = context.parameter("cohort"), context.parameter("dataset")
    experiment = context.campaign.experiment(context.parameter("experiment"))
    samples: list[Sample] = []
    for output in context.inputs:
        if output.key.startswith(f"datasets/{name}/{dataset}/samples/"):
            samples += from_jsonl(Sample, context.read(output.key))
    samples.sort(key=lambda sample: sample.exam)
    slices = packed_slices(experiment.task, experiment.input)
    window = experiment.input.window

    def images() -> Iterator[NDArray[Any]]:
        for sample in samples:
            hu = read_nifti(context.fetch(sample.image)).array
            if experiment.input.region == "brain":
                assert sample.mask is not None
                hu = brain_only(hu, read_nifti(context.fetch(sample.mask)).array)
            yield pack_volume(hu, window, slices)

    def masks() -> Iterator[NDArray[Any]]:
        for sample in samples:
            assert sample.mask is not None
            yield pack_mask(read_nifti(context.fetch(sample.mask)).array, slices)

    files = {"images.npy": images}
    if experiment.task == "segmentation":
        files["masks.npy"] = masks
    for file, rows in files.items():
        write_rows(context.scratch / file, len(samples), rows())
        context.write_file(keys.packed(name, experiment.name, dataset, file), context.scratch / file)
    context.write(keys.packed(name, experiment.name, dataset, "samples.jsonl"), to_jsonl(samples))
