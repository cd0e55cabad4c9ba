"""Settings of the datasets made from a cohort: which slices, which spheres, which masks."""

from typing import Literal

from pydantic import Field, model_validator

from nameplate.campaign.labels import LabelSettings
from nameplate.campaign.masks import MaskSettings
from nameplate.campaign.settings import Settings


class DifficultySettings(Settings):
    """One difficulty: how its spheres look and which share of the positives gets them."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    radius_mm: tuple[float, float] = Field(strict=False)
    """Radii are drawn evenly from this range, in mm of the patient."""
    hu_mean: float
    """Mean of the sphere's intensity in HU."""
    hu_sd: float = Field(ge=0)
    """Standard deviation of the sphere's intensity in HU."""
    start: str | None = None
    """The difficulty whose spheres the other positives keep; null for the first one."""
    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the positives that get spheres of this difficulty."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "DifficultySettings":
        low, high = self.radius_mm
        if not 0 < low <= high:
            raise ValueError(f"expected [low, high] with 0 < low <= high, got {list(self.radius_mm)}")
        if self.start is None and self.share != 1.0:
            raise ValueError("a difficulty without 'start' gives every positive a sphere: share must be 1")
        return self


class SphereSettings(Settings):
    """Simulated lesions of known size, place and contrast."""

    positives: float = Field(default=195 / 391, gt=0, lt=1)
    """Share of the exams of each level of the factor that get a sphere."""
    intensity: Literal["per_voxel", "per_sphere"] = "per_voxel"
    """Whether the intensity is drawn again for each voxel or once per sphere."""
    difficulties: tuple[DifficultySettings, ...] = Field(min_length=1)
    """Easiest first."""

    @model_validator(mode="after")
    def _are_in_order(self) -> "SphereSettings":
        seen: set[str] = set()
        for item in self.difficulties:
            if item.name in seen:
                raise ValueError(f"difficulty {item.name!r} appears twice")
            if item.start is not None and item.start not in seen:
                raise ValueError(f"difficulty {item.name!r} starts from {item.start!r}: no earlier one")
            seen.add(item.name)
        return self

    def difficulty(self, name: str) -> DifficultySettings:
        """The difficulty of this name."""
        return next(item for item in self.difficulties if item.name == name)


NO_SPHERES = SphereSettings.model_construct(difficulties=())
"""Of a campaign that plants none."""


class DatasetSettings(Settings):
    """The dataset Original and those made from it."""

    slices: int = Field(default=35, ge=4, le=512)
    """Slices kept of each exam, chosen to include the brain."""
    spheres: SphereSettings = NO_SPHERES
    labels: LabelSettings | None = None
    """The dataset with labels of your own."""
    masks: MaskSettings | None = None
    """The dataset with masks of your own."""

    @property
    def positives(self) -> float:
        """Share of the exams of each level that get a sphere; 0 if none is planted."""
        return self.spheres.positives if self.spheres.difficulties else 0.0
