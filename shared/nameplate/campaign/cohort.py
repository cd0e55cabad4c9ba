"""Settings of a cohort: where its exams come from, how it is matched and split."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from nameplate.campaign.factor import FieldLevels
from nameplate.campaign.field import is_column_name
from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.settings import Settings, as_tuples
from nameplate.campaign.skullstrip import SkullstripSettings
from nameplate.campaign.sources import FolderSource, PhantomSettings, SourceSettings, VolumesSource


class SplitSettings(Settings):
    """Shares of the patients; they add up to 1."""

    train: float = Field(default=552 / 782, gt=0, lt=1)
    val: float = Field(default=68 / 782, gt=0, lt=1)
    test: float = Field(default=162 / 782, gt=0, lt=1)

    @model_validator(mode="after")
    def _adds_up(self) -> "SplitSettings":
        if abs(self.train + self.val + self.test - 1.0) > 1e-6:
            raise ValueError(f"train + val + test must be 1, got {self.train + self.val + self.test:g}")
        return self


class MatchSettings(Settings):
    """Matching of the levels on age, sex and further fields: exams are paired within a caliper of age."""

    age_years: float = Field(default=5.0, gt=0, le=100)
    """Largest age difference of a matched pair in years."""
    sex: bool = True
    """Pairs have the same sex."""
    same: tuple[FieldLevels, ...] = ()
    """Fields in which matched exams agree: the same value (``kernel_class``), or the same level of bins or
    groups. An exam whose value is not known, or in no level, cannot be matched. Twins that do not agree
    are left out, too."""
    exams_per_level: int | None = Field(default=None, gt=0)
    """Keep this many exams of each level after matching (default: all that match)."""

    @field_validator("same")
    @classmethod
    def _differ(cls, value: tuple[FieldLevels, ...]) -> tuple[FieldLevels, ...]:
        names = [field.name for field in value]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{twice!r} appears twice")
        return value


class CohortSettings(Settings):
    """One cohort; either ``source`` or ``from`` says where its exams come from.

    ``phantom: {...}`` is short for a source of that kind, and ``folder: PATH`` for a folder of DICOM files.
    """

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    role: Literal["study", "null-control", "positive-control"] = "study"
    """A null control has no real difference between the levels: no effect may be found in it. A positive
    control has one that must be found."""
    source: SourceSettings | None = Field(default=None, discriminator="kind")
    """Where the exams are."""
    other: str | None = Field(default=None, alias="from")
    """Take the members of another cohort, with their splits and spheres."""
    shuffle: Literal["factor"] | None = None
    """With ``from``: pairs of exams, one of each level, exchange their levels by chance, so that every
    level of this cohort is made of all levels of the other one in equal parts."""
    manufacturers_csv: str | None = None
    """A CSV with columns ``study`` (StudyInstanceUID or study folder) and ``manufacturer``,
    for archives whose headers lack the manufacturer."""
    fields_csv: str | None = None
    """A CSV with a column ``study`` and others of your own, for factors and matching that no header knows."""
    fields: tuple[str, ...] = ()
    """The columns of ``fields_csv``, or of the table of volumes, that may leave the ingest; nothing else of
    the file is used."""
    masks: str | None = None
    """A folder of NIfTI masks, one for each study, relative to the campaign file: what the task ``masks``
    learns. A mask is called after its study (StudyInstanceUID, study folder or the exam's pseudonym)."""
    shards: int = Field(default=8, ge=1, le=1000)
    """Parts into which the exams are divided for ingest, stripping and synthesis."""
    ingest: IngestSettings = IngestSettings()
    skullstrip: SkullstripSettings = SkullstripSettings()
    match: MatchSettings | None = MatchSettings()
    """Matching on age and sex; null to take every exam."""
    split: SplitSettings = SplitSettings()

    @field_validator("fields")
    @classmethod
    def _are_columns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not is_column_name(name):
                raise ValueError(
                    f"{name!r} cannot name a column: expected letters, digits and '_ . -', first a letter,"
                    " and none of the fields that ingest reads itself"
                )
        if len(set(value)) != len(value):
            raise ValueError(f"a name appears twice: {list(value)}")
        return value

    @model_validator(mode="before")
    @classmethod
    def _spelled_out(cls, value: Any) -> Any:
        """``phantom`` and ``folder`` as the sources that they are short for."""
        if not isinstance(value, Mapping):
            return value
        named = dict(value)
        sources = [named.pop("source", None)]
        phantom, folder = named.pop("phantom", None), named.pop("folder", None)
        if phantom is not None:
            sources.append({"kind": "phantom", **phantom} if isinstance(phantom, Mapping) else phantom)
        if folder is not None:
            sources.append({"kind": "folder", "path": folder})
        given = [source for source in sources if source is not None]
        if len(given) > 1:
            raise ValueError("exactly one of 'source', 'phantom' and 'folder' can be given")
        # As tuples: what was JSON comes here with lists.
        return as_tuples(named | ({"source": given[0]} if given else {}))

    @model_validator(mode="after")
    def _one_source(self) -> "CohortSettings":
        if (self.source is None) == (self.other is None):
            raise ValueError("exactly one of 'source' (or 'phantom', or 'folder') and 'from' must be given")
        if (self.other is None) != (self.shuffle is None):
            raise ValueError("'from' and 'shuffle' belong together")
        if self.other is not None:
            if self.role != "null-control":
                raise ValueError("a cohort with 'from' and 'shuffle' is a null control: give it that role")
            for name, field in type(self).model_fields.items():
                given = getattr(self, name) != field.default
                if given and name not in ("role", "other", "shuffle"):
                    raise ValueError(f"{name!r} is taken from cohort {self.other!r} and cannot be given")
        if self.phantom is not None:
            for setting, why in _NOT_SIMULATED.items():
                if getattr(self, setting) is not None:
                    raise ValueError(f"{setting!r} needs exams that are not simulated: {why}")
        own_table = isinstance(self.source, VolumesSource)
        if (self.fields_csv is None) != (not self.fields) and not (own_table and self.fields):
            raise ValueError("'fields_csv' and 'fields', the columns to take from it, belong together")
        if own_table and (self.fields_csv or self.manufacturers_csv):
            raise ValueError(
                "'fields_csv' and 'manufacturers_csv' are for DICOM: volumes have a table of their own"
            )
        if self.phantom is not None and self.phantom.exams < self.shards:
            raise ValueError(f"{self.phantom.exams} exams cannot be divided into {self.shards} shards")
        return self

    @property
    def phantom(self) -> PhantomSettings | None:
        """What is simulated; None for exams that are read."""
        return self.source if isinstance(self.source, PhantomSettings) else None

    @property
    def paths(self) -> Mapping[str, str]:
        """Every file and folder on this machine that it reads, by its setting."""
        of_source: dict[str, str] = {}
        if self.source is not None:
            of_source = {f"source.{name}": getattr(self.source, name) for name in self.source.paths}
        if isinstance(self.source, FolderSource):
            of_source = {"folder": self.source.path}
        tables = {name: getattr(self, name) for name in _NOT_SIMULATED}
        return of_source | {name: place for name, place in tables.items() if place is not None}


_NOT_SIMULATED = {
    "manufacturers_csv": "simulated exams have manufacturers",
    "fields_csv": "simulated exams are in no table",
    "masks": "simulated exams have none",
}
"""Settings that simulated exams cannot have, and why."""
