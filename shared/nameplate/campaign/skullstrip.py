"""Settings of the intracranial mask; defaults are those of the method's published trial."""

from pydantic import Field

from nameplate.campaign.settings import Settings


class SkullstripSettings(Settings):
    """What makes a mask plausible; outside these limits the exam gets a flag that refuses it."""

    least_ml: float = Field(default=150.0, ge=0)
    """Smallest intracranial volume of a head in mL."""
    most_ml: float = Field(default=2300.0, gt=0)
    """Largest intracranial volume in mL."""
    tissue_low_hu: int = Field(default=-20, ge=-100, le=20)
    """Lower bound of soft tissue in HU; -30 for a scanner that reads 12 HU too low."""
    least_median_hu: float = 15.0
    """Least median HU inside the mask of a head."""
    most_median_hu: float = 50.0
    """Largest median HU inside the mask; contrast medium and plastic are above it."""
    defect_cm2: float = Field(default=10.0, gt=0)
    """A bone defect is flagged above this surface, in cm2, of brain more than 10 mm away from bone."""
    thick_mm: float = Field(default=7.6, gt=0)
    """Slice distance in mm above which the mask's outline is flagged as uncertain."""
