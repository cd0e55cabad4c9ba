"""The step of a campaign: one shard of a cohort from DICOM to NIfTI."""

from pathlib import Path

from nameplate import keys
from nameplate.archive import unpack_folder
from nameplate.job import JobContext
from nameplate.secret import patient_key, simulated_key
from nameplate.source import manufacturers_csv, source_folder
from nameplate_ingest.ingest import ingest_folder
from nameplate_ingest.manufacturer import read_manufacturers


def ingest(context: JobContext) -> None:
    """Convert the exams of the shard, and write what became of every file."""
    name, shard = context.parameter("cohort"), context.number("shard")
    cohort = context.campaign.cohorts[name]
    source: Path
    part: tuple[int, int] | None
    if cohort.phantom is not None:
        # The simulation already divided the exams.
        source, part = context.scratch / "dicom", None
        unpack_folder(context.fetch(keys.dicom(name, shard)), source)
        key = simulated_key(context.campaign.seed, name)
    else:
        source, part = source_folder(cohort, context.campaign_folder), (shard, cohort.shards)
        key = patient_key()
    table = manufacturers_csv(cohort, context.campaign_folder)
    out = context.scratch / "out"
    ingest_folder(
        source,
        out,
        cohort.ingest,
        key=key,
        manufacturers=read_manufacturers(table) if table is not None else None,
        shard=part,
    )
    for path in sorted((out / "images").glob("*.nii.gz")):
        context.write_file(keys.image(name, path.name.removesuffix(".nii.gz")), path)
    context.write_file(keys.exams(name, shard), out / "exams.jsonl")
    context.write_file(keys.ledger(name, shard), out / "ledger.jsonl")
