"""Settings of a cohort: where its exams come from, how it is matched and split."""

from typing import Literal

from pydantic import Field, model_validator

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.phantom import PhantomSettings
from nameplate.campaign.settings import Settings
from nameplate.campaign.skullstrip import SkullstripSettings


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
    """Matching of the levels on age and sex: exams are paired within a caliper."""

    age_years: float = Field(default=5.0, gt=0, le=100)
    """Largest age difference of a matched pair in years."""
    sex: bool = True
    """Pairs have the same sex."""
    exams_per_level: int | None = Field(default=None, gt=0)
    """Keep this many exams of each level after matching (default: all that match)."""


class CohortSettings(Settings):
    """One cohort; exactly one of ``phantom`` and ``folder`` says where the DICOM files come from."""

    role: Literal["study", "null-control"] = "study"
    """A null control has no real difference between the levels: its AUROC should be near 0.5."""
    phantom: PhantomSettings | None = None
    """Simulate the exams."""
    folder: str | None = None
    """A folder of DICOM files, relative to the campaign file."""
    manufacturers_csv: str | None = None
    """A CSV with columns ``study`` (StudyInstanceUID or study folder) and ``manufacturer``,
    for archives whose headers lack the manufacturer."""
    shards: int = Field(default=8, ge=1, le=1000)
    """Parts into which the exams are divided for ingest, stripping and synthesis."""
    ingest: IngestSettings = IngestSettings()
    skullstrip: SkullstripSettings = SkullstripSettings()
    match: MatchSettings | None = MatchSettings()
    """Matching on age and sex; null to take every exam."""
    split: SplitSettings = SplitSettings()

    @model_validator(mode="after")
    def _one_source(self) -> "CohortSettings":
        if (self.phantom is None) == (self.folder is None):
            raise ValueError("exactly one of 'phantom' and 'folder' must be given")
        if self.folder is None and self.manufacturers_csv is not None:
            raise ValueError("'manufacturers_csv' needs 'folder': simulated exams have manufacturers")
        if self.phantom is not None and self.phantom.exams < self.shards:
            raise ValueError(f"{self.phantom.exams} exams cannot be divided into {self.shards} shards")
        return self
