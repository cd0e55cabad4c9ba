"""The step ``pack``: a dataset as an experiment's networks read it, one row per exam, sorted by exam."""

from collections.abc import Callable, Iterator
from typing import Any

from numpy.typing import NDArray

from nameplate.campaign.tasks import TASKS
from nameplate.image.volume import read_nifti
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.pack.packed import brain_only, pack_mask, pack_volume, packed_slices, write_rows
from nameplate.steps import pack as packs
from nameplate.steps.files import File
from nameplate.steps.pack import PackJob
from nameplate.steps.synthesis import SAMPLES


def pack(job: PackJob, inputs: Inputs, outputs: Outputs) -> None:
    """Pack the dataset."""
    samples = SAMPLES.read_all(inputs, cohort=job.cohort, dataset=job.dataset)
    samples.sort(key=lambda sample: sample.exam)
    slices = packed_slices(job.task, job.input)

    def images() -> Iterator[NDArray[Any]]:
        for sample in samples:
            hu = read_nifti(inputs.fetch(sample.image)).array
            if job.input.region == "brain":
                assert sample.mask is not None
                hu = brain_only(hu, read_nifti(inputs.fetch(sample.mask)).array)
            yield pack_volume(hu, job.input.window, slices)

    def masks() -> Iterator[NDArray[Any]]:
        for sample in samples:
            learned = sample.mask if sample.target is None else sample.target
            assert learned is not None
            yield pack_mask(read_nifti(inputs.fetch(learned)).array, slices)

    place = {"cohort": job.cohort, "experiment": job.experiment, "dataset": job.dataset}
    arrays: dict[File, Callable[[], Iterator[NDArray[Any]]]] = {packs.IMAGES: images}
    if TASKS[job.task].answers == "mask":
        arrays[packs.MASKS] = masks
    for file, rows in arrays.items():
        path = outputs.scratch / "rows.npy"
        write_rows(path, len(samples), rows())
        outputs.write_file(file.key(**place), path)
    packs.SAMPLES.write(outputs, samples, **place)
