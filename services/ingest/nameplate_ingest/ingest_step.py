"""The step ``ingest``: one shard of a cohort from DICOM to NIfTI."""

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
from nameplate.steps.phantom import DICOM
from nameplate.store.archive import pack_folder, unpack_folder
from nameplate_ingest.fields.manufacturer import read_manufacturers
from nameplate_ingest.fields.table import read_table
from nameplate_ingest.ingest import ingest_folder


def ingest(job: IngestJob, inputs: Inputs, outputs: Outputs) -> None:
    """Convert the exams of the shard, and write what became of every file."""
    makers, fields, masks = None, None, None
    if job.simulated_seed is not None:
        # The simulation already divided the exams.
        folder, shard = outputs.scratch / "dicom", None
        unpack_folder(inputs.fetch(DICOM.key(cohort=job.cohort, shard=job.shard)), folder)
        key = simulated_key(job.simulated_seed, job.cohort)
    else:
        folder, shard = inputs.source.folder, (job.shard, job.shards)
        source = inputs.source
        makers, fields, masks = source.manufacturers_csv, source.fields_csv, source.masks
        key = pseudonym_key()
    out = outputs.scratch / "out"
    ingest_folder(
        folder,
        out,
        job.ingest,
        key=key,
        manufacturers=read_manufacturers(makers) if makers is not None else None,
        fields=read_table(fields, job.fields, gaps=True) if fields is not None else None,
        masks=masks,
        shard=shard,
    )
    for file, made in ((IMAGE, "images"), (TARGET, "targets")):
        for path in sorted((out / made).glob("*.nii.gz")):
            exam = path.name.removesuffix(".nii.gz")
            outputs.write_file(file.key(cohort=job.cohort, exam=exam), path)
    if masks is not None:
        outputs.write_file(TARGETS.key(cohort=job.cohort, shard=job.shard), out / "targets.jsonl")
    pictures = outputs.scratch / "refused.tar"
    pack_folder(out / "refused", pictures)
    outputs.write_file(REFUSED_PICTURES.key(cohort=job.cohort, shard=job.shard), pictures)
    outputs.write_file(EXAMS.key(cohort=job.cohort, shard=job.shard), out / "exams.jsonl")
    outputs.write_file(AS_READ.key(cohort=job.cohort, shard=job.shard), out / "as-read.jsonl")
    outputs.write_file(LEDGER.key(cohort=job.cohort, shard=job.shard), out / "ledger.jsonl")
