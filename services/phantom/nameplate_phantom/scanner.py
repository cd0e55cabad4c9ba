"""Scanner models, read from data; ``scanners.yaml`` explains each parameter and where it is from."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from nameplate.errors import UserError


class Part(BaseModel):
    """One group of a model's parameters.

    Its ``float`` fields are numbers that a dial moves, within the limits that stand here: what is physically
    possible, far beyond any model of the catalogue. All else (shapes, names) is one model's or another's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(Part):
    """What the machine writes of itself."""

    manufacturer: str
    model: str
    software: tuple[str, ...]
    station: str
    soft_kernel: tuple[str, ...]
    bone_kernel: tuple[str, ...]
    soft: str
    thin: str
    bone: str
    localizer: str
    study: str
    options: str
    filter: str


class Sharpness(Part):
    """In-plane transfer function of the soft-tissue kernel."""

    half: float = Field(ge=0.15)
    """Frequency at which it falls to one half, in cycles/mm."""
    power: float = Field(ge=0.5, le=8.0)
    """Steepness of the fall."""
    boost: float = Field(ge=-0.5, le=2.0)
    """Edge enhancement, as a share."""
    boost_at: float = Field(ge=0.05, le=0.5)
    """Frequency of the edge enhancement in cycles/mm."""


class Noise(Part):
    """Amount and texture of the noise of the soft-tissue series."""

    sd: float = Field(ge=0.5)
    """HU at 5 mm."""
    peak: float = Field(ge=0.08)
    """Where the noise power spectrum peaks, in cycles/mm."""
    low: float = Field(ge=0.0, le=0.95)
    """Power that is left towards frequency zero, as a share of the power at the peak."""
    neighbours: float = Field(ge=0.0, le=0.45)
    """Correlation between neighbouring slices."""


class Bias(Part):
    """Errors of the CT numbers."""

    offset: float
    """HU."""
    contrast: float = Field(ge=0.5, le=1.5)
    """Factor on soft tissue around 33 HU."""
    cupping: float = Field(ge=0.0)
    """HU that the brain is brighter at the skull than far from it."""
    streaks: float = Field(ge=0.0)
    """HU that the petrous bones darken what is between them."""


class FieldOfView(Part):
    """The reconstructed field."""

    low_mm: float = Field(ge=200.0, le=500.0)
    """Smallest diameter."""
    high_mm: float = Field(ge=200.0, le=500.0)
    """Largest diameter, but for studies at 500 mm."""
    off_mm: float = Field(ge=0.0)
    """Spread of its centre."""
    wide: float = Field(ge=0.0, le=1.0)
    """Share of studies at 500 mm."""
    circle: bool
    """Whether nothing is shown outside the circle."""

    @model_validator(mode="after")
    def _in_order(self) -> "FieldOfView":
        if self.low_mm > self.high_mm:
            raise ValueError(f"low_mm: {self.low_mm:g} is more than high_mm, {self.high_mm:g}")
        return self


class Padding(Part):
    """How pixels are stored, and what stands outside the circle."""

    hu: int | None
    tag: bool
    signed: bool
    bits: int
    intercept: int


class Table(Part):
    """Table and head holder."""

    shape: Literal["wings", "cradle", "board"]
    hu: float = Field(ge=-900.0, le=2000.0)
    thickness_mm: float = Field(ge=0.5)
    gap_mm: float = Field(ge=0.0)


class Geometry(Part):
    """Shares of the studies whose slices are laid in a special way."""

    tilt: float = Field(ge=0.0, le=1.0)
    uneven: float = Field(ge=0.0, le=1.0)
    thin_only: float = Field(ge=0.0, le=1.0)


class Protocol(Part):
    """What a site sets on this model."""

    gaps_mm: tuple[float, float]
    """Slice distance below and above the base, in an uneven series."""
    thin_mm: float
    """Slice thickness of a study without a 5 mm series."""
    kvp: int
    mas: int


class Model(Part):
    """One scanner model."""

    manufacturer: str
    header: Header
    sharpness: Sharpness
    noise: Noise
    bias: Bias
    field: FieldOfView
    padding: Padding
    table: Table
    geometry: Geometry
    protocol: Protocol


class Demographics(Part):
    """The patients of a manufacturer's machines, before any matching."""

    mean_age: float
    sd_age: float
    male_share: float


class Catalogue(Part):
    """All manufacturers and models."""

    manufacturers: dict[str, Demographics]
    models: tuple[Model, ...]

    @model_validator(mode="after")
    def _complete(self) -> "Catalogue":
        makers = {model.manufacturer for model in self.models}
        if makers != set(self.manufacturers):
            raise ValueError(f"manufacturers: {sorted(self.manufacturers)}, but models of {sorted(makers)}")
        return self

    def check(self, manufacturer: str) -> None:
        """Raise UserError for a manufacturer without a simulated scanner."""
        if manufacturer not in self.manufacturers:
            known = ", ".join(sorted(self.manufacturers))
            raise UserError(f"manufacturer {manufacturer!r} has no simulated scanner; known: {known}")

    def of(self, manufacturer: str) -> tuple[Model, ...]:
        """The models of one manufacturer; raises UserError for one without any."""
        self.check(manufacturer)
        return tuple(model for model in self.models if model.manufacturer == manufacturer)

    def patients_of(self, manufacturers: Sequence[str]) -> Demographics:
        """The patients of these manufacturers' machines together: the means of their numbers.

        Raises UserError for a manufacturer without a simulated scanner.
        """
        for name in manufacturers:
            self.check(name)
        each = [self.manufacturers[name] for name in manufacturers]
        return Demographics(
            mean_age=float(np.mean([one.mean_age for one in each])),
            sd_age=float(np.mean([one.sd_age for one in each])),
            male_share=float(np.mean([one.male_share for one in each])),
        )


@cache
def catalogue() -> Catalogue:
    """The scanners that come with this package."""
    text = files("nameplate_phantom").joinpath("scanners.yaml").read_text(encoding="utf-8")
    return Catalogue.model_validate(yaml.safe_load(text))
