"""Settings of the simulated cohort."""

from pydantic import Field

from nameplate.campaign.settings import Settings


class EffectSettings(Settings):
    """Which of a scanner's effects are simulated; a study can plant exactly one cause."""

    sharpness: bool = True
    """In-plane resolution and edge enhancement of the kernel."""
    noise: bool = True
    """Amount and texture (power spectrum) of the noise."""
    bias: bool = True
    """Offset, cupping and beam-hardening streaks in HU."""
    field_of_view: bool = True
    """Size, centre and shape (circle or square) of the reconstructed field."""
    padding: bool = True
    """Value stored outside the reconstructed circle."""
    table: bool = True
    """Table and head holder."""
    geometry: bool = True
    """Tilt, uneven slice gaps and series without a 5 mm reconstruction."""
    header: bool = True
    """Spelling of manufacturer, model, software, kernel and station in the header."""


class PhantomSettings(Settings):
    """A simulated cohort, written as DICOM studies."""

    exams: int = Field(gt=0, le=100_000)
    """Studies to simulate, of all manufacturers together."""
    signature: float = Field(default=1.0, ge=0.0, le=1.0)
    """Scale of the manufacturers' differences: 0 is two names for one machine."""
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
