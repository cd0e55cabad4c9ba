"""The step ``ingest``: one shard of a cohort from DICOM to NIfTI."""

from pathlib import Path

from nameplate.campaign.pseudonym_key import pseudonym_key, simulated_key
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.ingest import (
    AS_READ,
    EXAMS,
    IMAGE,
    LEDGER,
    REFUSED_PICTURES,
    TARGET,
    TARGETS,
    IngestJob,
)
from nameplate.steps.listing import LISTED
from nameplate.steps.phantom import DICOM
from nameplate.store.folder_tar import pack_folder, unpack_folder
from nameplate_ingest.ingest import ingest_folder, ingest_listed
from nameplate_ingest.results.kept import KeptStudies
from nameplate_ingest.results.output import Output
from nameplate_ingest.sources.kinds import open_source
from nameplate_ingest.sources.listed import opened_listing


def ingest(job: IngestJob, inputs: Inputs, outputs: Outputs) -> None:
    """Convert the exams of the shard, and write what became of every file."""
    out = outputs.scratch / "out"
    if job.simulated_seed is not None:
        # The simulation already divided the exams.
        folder = outputs.scratch / "dicom"
        unpack_folder(inputs.fetch(DICOM.key(cohort=job.cohort, shard=job.shard)), folder)
        ingest_folder(folder, out, job.ingest, key=simulated_key(job.simulated_seed, job.cohort))
        with_masks = False
    else:
        with_masks = inputs.source.masks is not None
        _ingest_shard(job, inputs, outputs, out)
    for file, made in ((IMAGE, "images"), (TARGET, "targets")):
        for path in sorted((out / made).glob("*.nii.gz")):
            exam = path.name.removesuffix(".nii.gz")
            outputs.write_file(file.key(cohort=job.cohort, exam=exam), path)
    if with_masks:
        outputs.write_file(TARGETS.key(cohort=job.cohort, shard=job.shard), out / "targets.jsonl")
    pictures = outputs.scratch / "refused.tar"
    pack_folder(out / "refused", pictures)
    outputs.write_file(REFUSED_PICTURES.key(cohort=job.cohort, shard=job.shard), pictures)
    outputs.write_file(EXAMS.key(cohort=job.cohort, shard=job.shard), out / "exams.jsonl")
    outputs.write_file(AS_READ.key(cohort=job.cohort, shard=job.shard), out / "as-read.jsonl")
    outputs.write_file(LEDGER.key(cohort=job.cohort, shard=job.shard), out / "ledger.jsonl")


def _ingest_shard(job: IngestJob, inputs: Inputs, outputs: Outputs, out: Path) -> None:
    """The studies that the listing gave this shard; what an earlier attempt has done is not fetched again."""
    source, key = open_source(inputs.source), pseudonym_key()
    source.should_stop = outputs.should_stop
    index = opened_listing(inputs.read(LISTED.key(cohort=job.cohort, shard=job.shard)), key)
    output = Output(out)
    done = KeptStudies(outputs, output, job.cohort, job.ingest, key)
    with_masks = inputs.source.masks is not None
    ingest_listed(index, source, output, job.ingest, key=key, done=done, with_masks=with_masks)
