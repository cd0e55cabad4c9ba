"""One shard of a folder as a campaign ingests it: listed once, and told to the shard."""

from pathlib import Path

from nameplate.campaign.ingest import IngestSettings
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.ingest import IngestSummary, ingest_listed
from nameplate_ingest.results.output import Output
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.listed import opened_listing, part_of, sealed_listing
from nameplate_ingest.tables import Tables
from nameplate_ingest.workers import Workers


def run_shard(
    folder: Path,
    out: Path,
    settings: IngestSettings,
    key: bytes,
    shard: tuple[int, int],
    *,
    masks: Path | None = None,
) -> IngestSummary:
    """The studies of the shard, and no other."""
    source = Folder(folder)
    reading = Tables(masks=masks).reading(source.place, Pseudonyms(key))
    with Workers(0, reading) as alone:
        part = part_of(source.index(reading, alone), reading.pseudonyms, shard)
    index = opened_listing(sealed_listing(part, key), key)
    return ingest_listed(index, source, Output(out), settings, key=key, with_masks=masks is not None)
