"""What the user says of studies beside their files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nameplate_ingest.fields.manufacturer import manufacturer_table
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.folder.masks import MaskFiles, masks_in
from nameplate_ingest.sources.index import Reading


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Tables and masks, by StudyInstanceUID or the name of a folder above."""

    manufacturers: Mapping[str, str] = field(default_factory=dict)
    """For headers without a manufacturer."""
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Values by column, for the records."""
    masks: Path | None = None
    """A folder of the user's own masks."""

    def reading(self, place: Path, pseudonyms: Pseudonyms) -> Reading:
        """With them, how files below ``place`` are read."""
        own = MaskFiles() if self.masks is None else masks_in(self.masks)
        return Reading(place, pseudonyms, manufacturer_table(self.manufacturers), self.fields, own)


NO_TABLES = Tables()
"""Where the files say all."""
