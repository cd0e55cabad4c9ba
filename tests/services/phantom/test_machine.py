"""Machines: the dials' two ends, effects alone, and what a header says."""

import numpy as np
import pytest

from nameplate.campaign.sources.phantom import EFFECTS, PhantomSettings
from nameplate.errors import UserError
from nameplate_phantom.machine import Machine, draw_machine
from nameplate_phantom.scanner import Model, catalogue

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


def machine(maker: str, head: int, **settings: object) -> Machine:
    chosen = PhantomSettings.model_validate({"exams": 1000} | settings)
    return draw_machine(chosen, seed=3, cohort="c", head=head, manufacturer=maker)


def changed(first: Machine, second: Machine) -> set[str]:
    return {name for name in first.parameters() if getattr(first, name) != getattr(second, name)}


def test_every_effect_has_its_fields() -> None:
    assert set(FIELDS) == set(EFFECTS)
    assert set.union(*FIELDS.values()) == set(machine("GE", 0).parameters())


@pytest.mark.parametrize("head", range(20))
def test_at_nought_manufacturers_differ_by_their_names_alone(head: int) -> None:
    ge, siemens = (machine(maker, head, signature=0.0) for maker in ("GE", "Siemens"))
    assert changed(ge, siemens) == {"header"}
    assert (ge.header.manufacturer, siemens.header.manufacturer) == ("GE", "Siemens")
    blank = {"manufacturer": ""}
    assert ge.header.model_copy(update=blank) == siemens.header.model_copy(update=blank)


def test_at_nought_the_machines_still_vary() -> None:
    drawn = [machine("GE", head, signature=0.0) for head in range(60)]
    assert {one.table.shape for one in drawn} == {"wings", "cradle"}
    assert {one.circle for one in drawn} == {True, False}
    assert len({one.padding.hu for one in drawn}) == 3
    assert np.std([one.noise.sd for one in drawn]) > 0.2
    assert np.std([one.bias.offset for one in drawn]) > 0.3


def test_at_one_machines_are_the_makers_own_models_and_their_jitter() -> None:
    for maker in ("GE", "Siemens"):
        models = {model.header.model: model for model in catalogue().of(maker)}
        drawn = [machine(maker, head) for head in range(60)]
        assert {one.header.model for one in drawn} == set(models)
        for one in drawn:
            model = models[one.header.model]
            assert one.table.model_dump() == pytest.approx(model.table.model_dump())
            assert one.padding == model.padding
            assert one.circle == model.field.circle
            assert abs(one.noise.sd - model.noise.sd) < 4 * 0.22
            assert abs(one.bias.offset - model.bias.offset) < 4 * 0.40


def some_numbers(found: Machine | Model) -> tuple[float, ...]:
    """One number of four effects, of those that no limit touches at these dials."""
    return found.sharpness.half, found.noise.sd, found.bias.offset, found.table.hu


def test_the_difference_between_manufacturers_grows_in_proportion_to_the_dial() -> None:
    def apart(dial: float) -> np.ndarray:
        ge, siemens = (
            np.mean([some_numbers(machine(maker, head, signature=dial)) for head in range(80)], axis=0)
            for maker in ("GE", "Siemens")
        )
        return np.asarray(siemens - ge)

    ge, siemens = (
        np.mean([some_numbers(model) for model in catalogue().of(maker)], axis=0)
        for maker in ("GE", "Siemens")
    )
    # Jitter is the same on both sides, and from 1 on so are the models: what is left is the dial's work.
    assert apart(0.0) == pytest.approx(0.0, abs=1e-9)
    for dial in (2.0, 3.0):
        assert apart(dial) - apart(1.0) == pytest.approx((dial - 1) * (siemens - ge), abs=1e-9)


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("signature", [0.0, 1.0])
def test_an_effects_own_dial_changes_its_own_part_only(effect: str, signature: float) -> None:
    found: set[str] = set()
    for head in range(40):
        plain = machine("GE", head, signature=signature)
        moved = machine("GE", head, signature=signature, effects={effect: 1.0 - signature})
        found |= changed(plain, moved)
    assert found
    assert found <= FIELDS[effect]


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_dial_equal_to_the_signature_changes_nothing(effect: str) -> None:
    for head in range(10):
        assert machine("GE", head, signature=0.7) == machine("GE", head, signature=0.7, effects={effect: 0.7})


@pytest.mark.parametrize("effect", sorted(set(EFFECTS) - {"header"}))
def test_an_effect_at_nought_tells_nothing_of_the_maker(effect: str) -> None:
    for head in range(10):
        ge, siemens = (machine(maker, head, effects={effect: 0.0}) for maker in ("GE", "Siemens"))
        assert not changed(ge, siemens) & FIELDS[effect]


def test_what_cannot_be_mixed_is_the_makers_own_as_often_as_the_dial_says() -> None:
    drawn = [machine("GE", head, signature=0.4) for head in range(400)]
    plain = np.mean([one.header.model == "CT" for one in drawn])
    assert plain == pytest.approx(0.6, abs=0.08)
    # Tables of GE's shape: GE's own, and half of those that come from any manufacturer.
    wings = np.mean([one.table.shape == "wings" for one in drawn])
    assert wings == pytest.approx(0.4 + 0.6 / 2, abs=0.08)


@pytest.mark.parametrize("maker", ["GE", "Siemens", "Philips", "Canon"])
def test_the_largest_dial_gives_possible_machines(maker: str) -> None:
    every = ("GE", "Siemens", "Philips", "Canon")
    for head in range(60):
        drawn = machine(maker, head, signature=10.0, manufacturers=every)
        assert 200 <= drawn.field_mm <= 500
        assert drawn.noise.sd > 0
        assert drawn.bias.cupping >= 0


def test_an_unknown_maker_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"'Acme'.*GE"):
        machine("Acme", 0)
