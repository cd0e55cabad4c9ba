"""The dial's arithmetic, for any models, manufacturers and settings of it."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_phantom.dial import dialled, limits, numbers_of, with_numbers
from nameplate_phantom.scanner import Model, Noise, Part, Table, catalogue

PARTS: dict[str, Callable[[Model], Part]] = {
    "sharpness": lambda model: model.sharpness,
    "noise": lambda model: model.noise,
    "bias": lambda model: model.bias,
    "field": lambda model: model.field,
    "table": lambda model: model.table,
    "geometry": lambda model: model.geometry,
}
ALL = tuple(catalogue().manufacturers)
dials = st.floats(0.0, 10.0)
parts = st.sampled_from(sorted(PARTS))
models = st.sampled_from(catalogue().models)
campaigns = st.permutations(ALL).flatmap(
    lambda names: st.integers(2, len(names)).map(lambda count: tuple(names[:count]))
)


def numbers(part: str, own: Model, pooled: Model, manufacturers: tuple[str, ...], dial: float) -> np.ndarray:
    found = dialled(PARTS[part], own=own, pooled=pooled, manufacturers=manufacturers, dial=dial)
    return np.array(list(found.values()))


def own_numbers(part: str, model: Model) -> np.ndarray:
    found = PARTS[part](model)
    return np.array([getattr(found, name) for name in numbers_of(type(found))])


def mean(part: str, maker: str, campaign: tuple[str, ...], dial: float) -> np.ndarray:
    """Over every pair of models that can be drawn, each as likely as it is drawn."""
    each = [
        np.mean([numbers(part, own, pooled, campaign, dial) for pooled in catalogue().of(name)], axis=0)
        for own, name in product(catalogue().of(maker), campaign)
    ]
    return np.asarray(np.mean(each, axis=0))


@given(part=parts, campaign=campaigns, dial=dials)
def test_the_means_of_manufacturers_part_in_proportion_to_the_dial(
    part: str, campaign: tuple[str, ...], dial: float
) -> None:
    first, second = campaign[:2]
    apart = {at: mean(part, first, campaign, at) - mean(part, second, campaign, at) for at in (1.0, dial)}
    assert apart[dial] == pytest.approx(dial * apart[1.0], abs=1e-9)
    assert np.abs(apart[1.0]).max() > 0


@given(part=parts, campaign=campaigns, dial=dials)
def test_the_mean_of_all_manufacturers_stays_where_it_is(
    part: str, campaign: tuple[str, ...], dial: float
) -> None:
    grand = np.mean([mean(part, name, campaign, dial) for name in campaign], axis=0)
    every = np.mean(
        [np.mean([own_numbers(part, one) for one in catalogue().of(name)], axis=0) for name in campaign],
        axis=0,
    )
    assert grand == pytest.approx(every, abs=1e-9)


@given(part=parts, first=models, second=models, pooled=models)
def test_at_nought_the_own_model_changes_nothing(
    part: str, first: Model, second: Model, pooled: Model
) -> None:
    assert np.array_equal(*(numbers(part, own, pooled, ALL, 0.0) for own in (first, second)))


@given(part=parts, own=models, pooled=models)
def test_at_one_each_machine_is_its_own_model(part: str, own: Model, pooled: Model) -> None:
    assert numbers(part, own, pooled, ALL, 1.0) == pytest.approx(own_numbers(part, own), abs=1e-9)


@given(part=parts, own=models, first=models, second=models, dial=st.floats(1.0, 10.0))
def test_from_one_on_models_of_others_change_nothing(
    part: str, own: Model, first: Model, second: Model, dial: float
) -> None:
    assert np.array_equal(*(numbers(part, own, pooled, ALL, dial) for pooled in (first, second)))


@given(part=parts, own=models, pooled=models, dial=dials)
def test_any_dial_gives_possible_machines(part: str, own: Model, pooled: Model, dial: float) -> None:
    values = dialled(PARTS[part], own=own, pooled=pooled, manufacturers=ALL, dial=dial)
    if part == "field":
        values["high_mm"] = max(values["low_mm"], values["high_mm"])
    made = with_numbers(PARTS[part](own), values)
    for name, value in values.items():
        low, high = limits(type(made), name)
        assert low <= getattr(made, name) <= high
        assert getattr(made, name) == value or not low <= value <= high


def test_limits_are_those_that_the_model_declares() -> None:
    assert limits(Noise, "low") == (0.0, 0.95)
    assert limits(Noise, "sd") == (0.5, np.inf)
    assert limits(Table, "hu") == (-900.0, 2000.0)


def test_what_is_no_number_stays() -> None:
    table = catalogue().models[0].table
    assert numbers_of(Table) == ("hu", "thickness_mm", "gap_mm")
    assert with_numbers(table, {"hu": 1.0}) == table.model_copy(update={"hu": 1.0})
