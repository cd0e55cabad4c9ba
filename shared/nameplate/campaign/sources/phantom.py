"""Settings of the simulated cohort."""

from typing import Literal, get_args

from pydantic import Field, model_validator

from nameplate.campaign.settings import Settings
from nameplate.campaign.sources.source import AnySource

Effect = Literal["sharpness", "noise", "bias", "field_of_view", "padding", "table", "geometry", "header"]
EFFECTS: tuple[Effect, ...] = get_args(Effect)


class EffectSettings(Settings):
    """Dials of a scanner's effects, one by one; null for an effect that follows ``signature``.

    So ``signature: 0`` and ``noise: 2`` plant exactly one cause.
    """

    sharpness: float | None = Field(default=None, ge=0, le=10)
    """In-plane resolution and edge enhancement of the kernel."""
    noise: float | None = Field(default=None, ge=0, le=10)
    """Amount and texture (power spectrum) of the noise."""
    bias: float | None = Field(default=None, ge=0, le=10)
    """Offset, contrast, cupping and beam-hardening streaks in HU."""
    field_of_view: float | None = Field(default=None, ge=0, le=10)
    """Size, centre and shape (circle or square) of the reconstructed field."""
    padding: float | None = Field(default=None, ge=0, le=10)
    """Value stored outside the reconstructed circle."""
    table: float | None = Field(default=None, ge=0, le=10)
    """Table and head holder."""
    geometry: float | None = Field(default=None, ge=0, le=10)
    """Tilt, uneven slice gaps, series without a 5 mm reconstruction; kV and mAs."""
    header: float | None = Field(default=None, ge=0, le=10)
    """Spelling of manufacturer, model, software, kernel and station in the header; at 0, the
    manufacturer's plain name remains."""


class PhantomSettings(AnySource):
    """A simulated cohort, written as DICOM studies."""

    kind: Literal["phantom"] = "phantom"
    exams: int = Field(gt=0, le=100_000)
    """Studies to simulate, of all manufacturers together."""
    signature: float = Field(default=1.0, ge=0.0, le=10.0)
    """Dial of the manufacturers' differences: 0 is one machine under two names, 1 is differences of
    published size, and more exaggerates them."""
    twins: bool = False
    """Whether each head is scanned once by every manufacturer: same patient, same lesion, same noise
    but for what the dials change. Needs a number of exams that the manufacturers divide."""
    manufacturers: tuple[str, ...] = Field(default=("GE", "Siemens"), min_length=1)
    """Manufacturers to simulate, by their normalised names; exams are assigned round-robin."""
    matrix: int = Field(default=512, ge=64, le=1024)
    """Rows and columns of the soft-tissue slices in pixels."""
    thin_mm: float = Field(default=1.25, ge=0.5, le=5.0)
    """Slice thickness of the bone series in mm, and the least of any thin series."""
    bone_share: float = Field(default=1.0, ge=0.0, le=1.0)
    """Share of the studies that have a bone series; with fewer, a big cohort is written faster."""
    effects: EffectSettings = EffectSettings()
    truth: bool = False
    """Also keep the brain mask, the noise-free HU volume and the drawn parameters."""

    @property
    def summary(self) -> str:
        """What it is."""
        return "simulated twins" if self.twins else "simulated"

    def dial(self, effect: Effect) -> float:
        """The dial of one effect."""
        own = getattr(self.effects, effect)
        return self.signature if own is None else float(own)

    @model_validator(mode="after")
    def _makes_sense(self) -> "PhantomSettings":
        makes = self.manufacturers
        if len(set(makes)) != len(makes):
            raise ValueError(f"manufacturers: a name appears twice: {list(makes)}")
        if self.twins and len(makes) < 2:
            raise ValueError(f"twins: needs two manufacturers or more, got {list(makes)}")
        if self.twins and self.exams % len(makes):
            raise ValueError(f"twins: {self.exams} exams cannot be divided among {len(makes)} manufacturers")
        return self
