"""The step ``listing``: what a cohort's source has, asked once and told to every shard."""

from nameplate.campaign.cohort_source import CohortSource
from nameplate.campaign.pseudonym_key import pseudonym_key
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.listing import LISTED, ListingJob
from nameplate_ingest.fields.manufacturer import read_manufacturers
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.fields.table import read_table
from nameplate_ingest.sources.kinds import open_source
from nameplate_ingest.sources.listed import part_of, sealed_listing
from nameplate_ingest.tables import Tables
from nameplate_ingest.workers import Workers


def listing(job: ListingJob, inputs: Inputs, outputs: Outputs) -> None:
    """List the source, and write what each shard has to do."""
    source = open_source(inputs.source)
    source.should_stop = outputs.should_stop
    pseudonyms = Pseudonyms(pseudonym_key())
    reading = tables_of(inputs.source).reading(source.place, pseudonyms)
    with Workers(0, reading) as alone:
        index = source.index(reading, alone)
    outputs.tell(studies=len(index.studies), files=index.files)
    for shard in range(job.shards):
        part = part_of(index, pseudonyms, (shard, job.shards))
        outputs.write(LISTED.key(cohort=job.cohort, shard=shard), sealed_listing(part, pseudonyms.key))


def tables_of(cohort: CohortSource) -> Tables:
    """What the user says of the studies, read.

    Raises UserError for a table that is missing or not as expected.
    """
    makers, fields = cohort.manufacturers_csv, cohort.fields_csv
    return Tables(
        manufacturers={} if makers is None else read_manufacturers(makers),
        fields={} if fields is None else read_table(fields, cohort.fields, gaps=True),
        masks=cohort.masks,
    )
