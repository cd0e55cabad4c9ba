"""The step of a campaign: one shard of a simulated cohort, as a tar of DICOM studies."""

from nameplate import keys
from nameplate.archive import pack_folder
from nameplate.job import JobContext
from nameplate_phantom.cohort import write_cohort


def phantom(context: JobContext) -> None:
    """Simulate the shard's studies."""
    name, shard = context.parameter("cohort"), context.number("shard")
    cohort = context.campaign.cohorts[name]
    assert cohort.phantom is not None
    folder = context.scratch / "dicom"
    folder.mkdir()
    numbers = range(shard, cohort.phantom.exams, cohort.shards)
    write_cohort(cohort.phantom, seed=context.campaign.seed, cohort=name, out=folder, numbers=numbers)
    truth = folder / "truth"
    if truth.is_dir():
        kept = truth.rename(context.scratch / "truth")
        pack_folder(kept, context.scratch / "truth.tar")
        context.write_file(keys.truth(name, shard), context.scratch / "truth.tar")
    pack_folder(folder, context.scratch / "dicom.tar")
    context.write_file(keys.dicom(name, shard), context.scratch / "dicom.tar")
