"""The step ``phantom``: one shard of a simulated cohort, as a tar of DICOM studies."""

from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.phantom import DICOM, TRUTH, PhantomJob
from nameplate.store.folder_tar import pack_folder
from nameplate_phantom.roster import studies_of_shard
from nameplate_phantom.simulation import write_cohort


def phantom(job: PhantomJob, inputs: Inputs, outputs: Outputs) -> None:  # noqa: ARG001 (no inputs)
    """Simulate the shard's studies."""
    folder = outputs.scratch / "dicom"
    folder.mkdir()
    numbers = studies_of_shard(job.phantom, shard=job.shard, shards=job.shards)
    write_cohort(job.phantom, seed=job.seed, cohort=job.cohort, out=folder, numbers=numbers)
    truth = folder / "truth"
    if truth.is_dir():
        kept = truth.rename(outputs.scratch / "truth")
        pack_folder(kept, outputs.scratch / "truth.tar")
        outputs.write_file(TRUTH.key(cohort=job.cohort, shard=job.shard), outputs.scratch / "truth.tar")
    pack_folder(folder, outputs.scratch / "dicom.tar")
    outputs.write_file(DICOM.key(cohort=job.cohort, shard=job.shard), outputs.scratch / "dicom.tar")
