"""The machine that one study was made on: drawn from the models, moved by the dials."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

from nameplate.campaign.sources.phantom import Effect, PhantomSettings
from nameplate.streams import stream
from nameplate_phantom.dial import dialled, with_numbers
from nameplate_phantom.scanner import (
    Bias,
    Header,
    Model,
    Noise,
    Padding,
    Part,
    Protocol,
    Sharpness,
    Table,
    catalogue,
)

P = TypeVar("P", bound=Part)


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
"""The header without a manufacturer's spelling; the manufacturer's name is filled in."""

JITTER: dict[str, dict[str, float]] = {
    "sharpness": {"half": 0.010, "boost": 0.012},
    "noise": {"sd": 0.22, "peak": 0.012, "low": 0.025},
    "bias": {"offset": 0.40, "contrast": 0.006, "cupping": 0.30, "streaks": 1.2},
}
"""Spread between machines of one model and between studies of one machine, in each parameter's unit."""


@dataclass(frozen=True, kw_only=True)
class _Draw:
    """The draws of one head's machine: what is drawn depends on the head, the dials decide what it does."""

    settings: PhantomSettings
    seed: int
    names: tuple[str | int, ...]
    own: Model
    """Of the study's manufacturer."""
    pooled: Model
    """Of any of the campaign's manufacturers, the same whatever the study's."""

    def stream(self, *purpose: str) -> np.random.Generator:
        """Random numbers of this head's machine for one purpose."""
        return stream(self.seed, *self.names, *purpose)

    def numbers(self, part: Callable[[Model], Part], effect: Effect) -> dict[str, float]:
        """The numbers of a part at the effect's dial, without jitter and limits."""
        return dialled(
            part,
            own=self.own,
            pooled=self.pooled,
            manufacturers=self.settings.manufacturers,
            dial=self.settings.dial(effect),
        )

    def picks_own(self, effect: Effect) -> bool:
        """Whether what cannot be mixed is the own model's: with the probability of the dial."""
        return bool(self.stream(effect, "pick").random() < self.settings.dial(effect))

    def pick(self, effect: Effect) -> Model:
        """The model that what cannot be mixed is from."""
        return self.own if self.picks_own(effect) else self.pooled

    def shaken(self, part: Callable[[Model], P], effect: Effect) -> P:
        """A part at its dial, with the spread between machines and studies."""
        values = self.numbers(part, effect)
        rng = self.stream(effect)
        for name, spread in JITTER[effect].items():
            values[name] += spread * float(rng.standard_normal())
        return with_numbers(part(self.own), values)

    def field_of_view(self) -> tuple[float, tuple[float, float], bool]:
        """Diameter and centre of the field in mm, and whether it is a circle."""
        values = self.numbers(lambda model: model.field, "field_of_view")
        values["high_mm"] = max(values["low_mm"], values["high_mm"])
        field = with_numbers(self.pick("field_of_view").field, values)
        rng = self.stream("field_of_view")
        mm = float(round(rng.uniform(field.low_mm, field.high_mm)))
        off_x, off_y = (float(np.clip(value, -1.5, 1.5)) * field.off_mm for value in rng.standard_normal(2))
        wide = rng.random() < field.wide
        return (500.0 if wide else mm), (off_x, off_y), field.circle

    def table(self) -> Table:
        """Table and head holder, with one model's shape."""
        return with_numbers(self.pick("table").table, self.numbers(lambda model: model.table, "table"))

    def slices(self, protocol: Protocol) -> tuple[float, float, tuple[float, float]]:
        """Tilt in degrees; thickness of the soft-tissue series and its slice distances in mm."""
        shares = with_numbers(self.own.geometry, self.numbers(lambda model: model.geometry, "geometry"))
        tilted, uneven, thin, angle = self.stream("geometry").random(4)
        tilt = round(4.0 + 18.0 * float(angle), 1) if tilted < shares.tilt else 0.0
        if thin < shares.thin_only:
            soft_mm = max(protocol.thin_mm, self.settings.thin_mm)
            if soft_mm < 5.0:
                return tilt, soft_mm, (soft_mm, soft_mm)
        return tilt, 5.0, (protocol.gaps_mm if uneven < shares.uneven else (5.0, 5.0))

    def header(self) -> Header:
        """The own model's header, or a plain one with the manufacturer's name."""
        if self.picks_own("header"):
            return self.own.header
        return PLAIN.model_copy(update={"manufacturer": self.own.manufacturer})


def draw_machine(
    settings: PhantomSettings, *, seed: int, cohort: str, head: int, manufacturer: str
) -> Machine:
    """Draw the scanner and protocol on which a manufacturer scans one head.

    All streams are named by the head and none by the manufacturer, so that the machines of one head differ
    by nothing but what the dials do. An effect at dial 0 is the same for every manufacturer; of the header,
    the manufacturer's name remains.
    """
    names = ("phantom", cohort, head, "machine")
    rng = stream(seed, *names, "pooled")
    any_manufacturer = settings.manufacturers[int(rng.integers(len(settings.manufacturers)))]
    of_any = catalogue().of(any_manufacturer)
    pooled = of_any[int(rng.integers(len(of_any)))]
    of_own = catalogue().of(manufacturer)
    own = of_own[int(stream(seed, *names, "own").integers(len(of_own)))]
    draw = _Draw(settings=settings, seed=seed, names=names, own=own, pooled=pooled)
    field_mm, field_off_mm, circle = draw.field_of_view()
    protocol = draw.pick("geometry").protocol
    tilt_degrees, soft_mm, gaps_mm = draw.slices(protocol)
    return Machine(
        header=draw.header(),
        sharpness=draw.shaken(lambda model: model.sharpness, "sharpness"),
        noise=draw.shaken(lambda model: model.noise, "noise"),
        bias=draw.shaken(lambda model: model.bias, "bias"),
        padding=draw.pick("padding").padding,
        table=draw.table(),
        field_mm=field_mm,
        field_off_mm=field_off_mm,
        circle=circle,
        tilt_degrees=tilt_degrees,
        gaps_mm=gaps_mm,
        soft_mm=soft_mm,
        kvp=protocol.kvp,
        mas=int(protocol.mas * float(draw.stream("mas").uniform(0.9, 1.1))),
    )
