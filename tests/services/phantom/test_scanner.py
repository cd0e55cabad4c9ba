"""Machines: the signature's two ends, effects alone, and the catalogue."""

import numpy as np
import pytest

from nameplate.campaign.phantom import EffectSettings, PhantomSettings
from nameplate.errors import UserError
from nameplate_phantom.scanner import Machine, catalogue, draw_machine

# Which fields of a machine belong to which effect.
FIELDS = {
    "sharpness": {"sharpness"},
    "noise": {"noise"},
    "bias": {"bias"},
    "field_of_view": {"field_mm", "field_off_mm", "circle"},
    "padding": {"padding"},
    "table": {"table"},
    "geometry": {"tilt_degrees", "gaps_mm", "soft_mm", "kvp", "mas"},
    "header": {"header"},
}


def machine(maker: str, number: int, **settings: object) -> Machine:
    chosen = PhantomSettings.model_validate({"exams": 1000} | settings)
    return draw_machine(chosen, seed=3, cohort="c", number=number, manufacturer=maker)


def pictures(drawn: Machine) -> dict[str, object]:
    return {name: value for name, value in drawn.parameters().items() if name != "header"}


@pytest.mark.parametrize("number", range(20))
def test_without_signature_only_the_header_knows_the_maker(number: int) -> None:
    ge, siemens = (machine(maker, number, signature=0.0) for maker in ("GE", "Siemens"))
    assert pictures(ge) == pictures(siemens)
    assert ge.header.manufacturer.upper().startswith("GE")
    assert siemens.header.manufacturer.upper().startswith("SIEMENS")


def test_without_signature_the_machines_still_vary() -> None:
    drawn = [machine("GE", number, signature=0.0) for number in range(60)]
    assert {one.table.shape for one in drawn} == {"wings", "cradle"}
    assert np.std([one.noise.sd for one in drawn]) > 0.3


def test_full_signature_keeps_to_the_makers_own_models() -> None:
    drawn = {maker: [machine(maker, number) for number in range(60)] for maker in ("GE", "Siemens")}
    assert {one.table.shape for one in drawn["GE"]} == {"wings"}
    assert {one.table.shape for one in drawn["Siemens"]} == {"cradle"}
    assert len({one.header.model for one in drawn["GE"]}) >= 3
    assert len({one.header.model for one in drawn["Siemens"]}) >= 3
    sd = {maker: np.array([one.noise.sd for one in found]) for maker, found in drawn.items()}
    assert sd["Siemens"].mean() - sd["GE"].mean() > 0.5
    offset = {maker: np.mean([one.bias.offset for one in found]) for maker, found in drawn.items()}
    assert offset["Siemens"] - offset["GE"] > 2.0


def test_half_a_signature_is_half_the_difference() -> None:
    def gap(signature: float) -> float:
        ge, siemens = (
            np.mean([machine(maker, number, signature=signature).bias.offset for number in range(80)])
            for maker in ("GE", "Siemens")
        )
        return float(siemens - ge)

    assert gap(0.5) == pytest.approx(gap(1.0) / 2, abs=1e-6)


@pytest.mark.parametrize("effect", sorted(FIELDS))
def test_an_effect_switched_off_changes_its_own_part_only(effect: str) -> None:
    changed: set[str] = set()
    for number in range(40):
        on = machine("GE", number)
        off = machine("GE", number, effects=EffectSettings(**{effect: False}))
        changed |= {name for name in on.parameters() if getattr(on, name) != getattr(off, name)}
    assert changed
    assert changed <= FIELDS[effect]


@pytest.mark.parametrize("effect", sorted(set(FIELDS) - {"header"}))
def test_an_effect_switched_off_tells_nothing_of_the_maker(effect: str) -> None:
    for number in range(10):
        ge, siemens = (
            machine(maker, number, effects=EffectSettings(**{effect: False})) for maker in ("GE", "Siemens")
        )
        for name in FIELDS[effect]:
            assert getattr(ge, name) == getattr(siemens, name)


def test_a_plain_header_says_the_maker_and_nothing_else() -> None:
    ge, siemens = (
        machine(maker, 1, effects=EffectSettings(header=False)).header for maker in ("GE", "Siemens")
    )
    assert (ge.manufacturer, siemens.manufacturer) == ("GE", "Siemens")
    assert ge.model_dump(exclude={"manufacturer"}) == siemens.model_dump(exclude={"manufacturer"})


def test_every_maker_has_models_within_the_ranges_of_the_literature() -> None:
    found = catalogue()
    assert {name: len(found.of(name)) >= 2 for name in found.manufacturers} == dict.fromkeys(
        found.manufacturers, True
    )
    for model in found.models:
        assert 3.0 <= model.noise.sd <= 5.0
        assert abs(model.bias.offset) <= 3.0
        assert 0.0 <= model.bias.cupping <= 4.0
        assert 0.15 <= model.noise.peak <= 0.35
        assert 220 <= model.field.mm[0] <= model.field.mm[1] <= 250


def test_an_unknown_maker_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"'Acme'.*GE"):
        machine("Acme", 0)
