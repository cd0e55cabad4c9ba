"""The scanners: models, read from data, and the machine that one study was made on."""

from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field

from nameplate.campaign.phantom import PhantomSettings
from nameplate.errors import UserError
from nameplate.streams import stream


class Part(BaseModel):
    """One group of a model's parameters; ``scanners.yaml`` explains each."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Header(Part):
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
    half: float = Field(gt=0)
    power: float = Field(gt=0)
    boost: float
    boost_at: float = Field(gt=0)


class Noise(Part):
    sd: float = Field(ge=0)
    peak: float = Field(gt=0)
    low: float = Field(ge=0, lt=1)
    neighbours: float = Field(ge=0, lt=0.5)


class Bias(Part):
    offset: float
    contrast: float
    cupping: float
    streaks: float


class FieldOfView(Part):
    mm: tuple[float, float]
    off_mm: float
    wide: float
    circle: bool


class Padding(Part):
    hu: int | None
    tag: bool
    signed: bool
    bits: int
    intercept: int


class Table(Part):
    shape: Literal["wings", "cradle", "board"]
    hu: float
    thickness_mm: float
    gap_mm: float


class Geometry(Part):
    tilt: float
    uneven: float
    thin_only: float
    gaps_mm: tuple[float, float]
    thin_mm: float
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


class Manufacturer(Part):
    """The patients of a manufacturer's machines, before any matching."""

    mean_age: float
    sd_age: float
    male_share: float


class Catalogue(Part):
    """All manufacturers and models."""

    manufacturers: dict[str, Manufacturer]
    models: tuple[Model, ...]

    def of(self, manufacturer: str) -> tuple[Model, ...]:
        """The models of one manufacturer; raises UserError for a manufacturer without any."""
        models = tuple(model for model in self.models if model.manufacturer == manufacturer)
        if not models or manufacturer not in self.manufacturers:
            known = ", ".join(sorted(self.manufacturers))
            raise UserError(f"manufacturer {manufacturer!r} has no simulated scanner; known: {known}")
        return models


@cache
def catalogue() -> Catalogue:
    """The scanners that come with this package."""
    text = files("nameplate_phantom").joinpath("scanners.yaml").read_text(encoding="utf-8")
    return Catalogue.model_validate(yaml.safe_load(text))


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Everything about the scanner and protocol of one study, drawn once and for all."""

    header: Header
    sharpness: Sharpness
    noise: Noise
    bias: Bias
    padding: Padding
    table: Table
    field_mm: float
    field_off_mm: tuple[float, float]
    circle: bool
    tilt_degrees: float
    gaps_mm: tuple[float, float]
    """Slice thickness and distance below and above the base; equal for an even series."""
    soft_mm: float
    """Thickest soft-tissue series: 5 in most studies, less in those without a 5 mm series."""
    kvp: int
    mas: int

    def parameters(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        return {
            field.name: value.model_dump(mode="json") if isinstance(value, Part) else value
            for field in fields(self)
            for value in [getattr(self, field.name)]
        }


PLAIN = Header(
    manufacturer="",
    model="CT",
    software=("1.0",),
    station="CT01",
    soft_kernel=("SOFT",),
    bone_kernel=("BONE",),
    soft="HEAD SOFT",
    thin="HEAD SOFT THIN",
    bone="HEAD BONE",
    localizer="LOCALIZER",
    study="CT HEAD",
    options="",
    filter="",
)
"""The header when the manufacturers' spelling is switched off; the manufacturer's name is filled in."""

P = TypeVar("P", bound=Part)

# Spread between machines of one model and between studies of one machine.
_JITTER: dict[str, dict[str, float]] = {
    "sharpness": {"half": 0.010, "boost": 0.012},
    "noise": {"sd": 0.22, "peak": 0.012, "low": 0.012},
    "bias": {"offset": 0.40, "contrast": 0.006, "cupping": 0.30, "streaks": 1.2},
}
_LEAST: dict[str, float] = {
    "cupping": 0.0,
    "streaks": 0.0,
    "low": 0.01,
    "sd": 1.5,
    "peak": 0.08,
    "half": 0.15,
}


def _mix(pooled: P, own: P, share: float) -> P:
    """Numbers between those of the pooled model (share 0) and of the own model (share 1)."""
    values: dict[str, Any] = {}
    for name in type(pooled).model_fields:
        a, b = getattr(pooled, name), getattr(own, name)
        values[name] = a + share * (b - a)
    return type(pooled).model_validate(values)


def _shake(part: P, kind: str, rng: np.random.Generator) -> P:
    values = part.model_dump()
    for name, spread in _JITTER[kind].items():
        shaken = values[name] + spread * float(rng.standard_normal())
        values[name] = max(shaken, _LEAST.get(name, -np.inf))
    return type(part).model_validate(values)


def draw_machine(
    settings: PhantomSettings, *, seed: int, cohort: str, number: int, manufacturer: str
) -> Machine:
    """Draw the scanner and protocol of one study.

    Two models are drawn: the own one, of the study's manufacturer, and the pooled one, of any. Numbers are
    mixed from the two by ``signature``; what cannot be mixed (shape of the table, padding) is the own
    model's with that probability. An effect that is switched off is the pooled model's. At signature 0,
    only the header depends on the manufacturer.
    """
    names = ("phantom", cohort, number, "machine")
    rng = stream(seed, *names, "pooled")
    pooled_manufacturer = settings.manufacturers[int(rng.integers(len(settings.manufacturers)))]
    of_all = catalogue().of(pooled_manufacturer)
    pooled = of_all[int(rng.integers(len(of_all)))]
    of_own = catalogue().of(manufacturer)
    own = of_own[int(stream(seed, *names, "own").integers(len(of_own)))]

    effects, signature = settings.effects, settings.signature

    def share(on: bool) -> float:
        return signature if on else 0.0

    def pick(name: str, on: bool) -> Model:
        return own if stream(seed, *names, name, "pick").random() < share(on) else pooled

    sharpness = _mix(pooled.sharpness, own.sharpness, share(effects.sharpness))
    noise = _mix(pooled.noise, own.noise, share(effects.noise))
    bias = _mix(pooled.bias, own.bias, share(effects.bias))

    rng, on = stream(seed, *names, "field"), share(effects.field_of_view)
    low, high, off, wide = (
        a + on * (b - a)
        for a, b in (
            (pooled.field.mm[0], own.field.mm[0]),
            (pooled.field.mm[1], own.field.mm[1]),
            (pooled.field.off_mm, own.field.off_mm),
            (pooled.field.wide, own.field.wide),
        )
    )
    field_mm = float(round(rng.uniform(low, high)))
    off_x, off_y = (float(np.clip(value, -1.5, 1.5)) * off for value in rng.standard_normal(2))
    if rng.random() < wide:
        field_mm = 500.0
    circle = pick("field", effects.field_of_view).field.circle

    rng, on = stream(seed, *names, "geometry"), share(effects.geometry)
    tilt_share, uneven_share, thin_share = (
        getattr(pooled.geometry, name) + on * (getattr(own.geometry, name) - getattr(pooled.geometry, name))
        for name in ("tilt", "uneven", "thin_only")
    )
    tilted, uneven, thin, angle = rng.random(4)
    protocol = pick("geometry", effects.geometry).geometry
    soft_mm = max(protocol.thin_mm, settings.thin_mm) if thin < thin_share else 5.0
    gaps = protocol.gaps_mm if uneven < uneven_share and soft_mm == 5.0 else (soft_mm, soft_mm)
    header = own.header if effects.header else PLAIN.model_copy(update={"manufacturer": manufacturer})
    return Machine(
        header=header,
        sharpness=_shake(sharpness, "sharpness", stream(seed, *names, "sharpness")),
        noise=_shake(noise, "noise", stream(seed, *names, "noise")),
        bias=_shake(bias, "bias", stream(seed, *names, "bias")),
        padding=pick("padding", effects.padding).padding,
        table=pick("table", effects.table).table,
        field_mm=field_mm,
        field_off_mm=(off_x, off_y),
        circle=circle,
        tilt_degrees=round(4.0 + 18.0 * float(angle), 1) if tilted < tilt_share else 0.0,
        gaps_mm=gaps,
        soft_mm=soft_mm,
        kvp=protocol.kvp,
        mas=int(protocol.mas * float(rng.uniform(0.9, 1.1))),
    )
