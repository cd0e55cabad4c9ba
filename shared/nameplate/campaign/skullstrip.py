"""Settings of the intracranial mask; defaults are those of the method's published trial."""

from pydantic import Field

from nameplate.campaign.settings import Settings


class SkullstripSettings(Settings):
    """What makes a mask plausible; outside these the exam is refused by flag, never by crash."""

    least_ml: float = Field(default=150.0, ge=0)
    """Smallest intracranial volume of a head in mL."""
    most_ml: float = Field(default=2300.0, gt=0)
    """Largest intracranial volume in mL."""
    tissue_low_hu: int = Field(default=-20, ge=-100, le=20)
    """Lower bound of soft tissue in HU; -30 for a scanner that reads 12 HU too low."""
