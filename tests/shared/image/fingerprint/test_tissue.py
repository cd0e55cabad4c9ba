"""HU of CSF, grey and white matter, against drawn and simulated heads."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.image.fingerprint.slices import Missing, Number, Numbers, Slices
from nameplate.image.fingerprint.tissue import MEASURES, purest, tissue
from nameplate.streams import stream
from nameplate_phantom.effects import TISSUE_HU, biased
from nameplate_phantom.head import Head
from nameplate_phantom.series import Scene, soft_series
from nameplate_phantom.skull import FORAMEN_Z
from nameplate_phantom.stack import sample, stack_slices
from nameplate_phantom.study import Plan, head_of, plan_study

from .drawn_head import drawn_head, without_brain


def value(number: Number) -> float:
    assert not isinstance(number, Missing), number.reason
    return number


@given(
    st.floats(2, 12),
    st.floats(25, 31),
    st.floats(6, 11),
    st.floats(0, 4),
    st.sampled_from([96, 128, 256]),
    st.floats(220, 250),
)
@settings(max_examples=15, deadline=None)
def test_drawn_tissues_have_their_hu(
    csf: float, white: float, contrast: float, noise: float, matrix: int, field_mm: float
) -> None:
    numbers = tissue(
        drawn_head(csf=csf, white=white, grey=white + contrast, noise=noise, matrix=matrix, field_mm=field_mm)
    )
    assert set(numbers) == {measure.name for measure in MEASURES}
    assert numbers["hu_csf"] == pytest.approx(csf, abs=1.2)
    assert numbers["hu_grey"] == pytest.approx(white + contrast, abs=1)
    assert numbers["hu_white"] == pytest.approx(white, abs=1)


def test_an_offset_shows_as_itself() -> None:
    slices = drawn_head(noise=4.0)
    before, after = tissue(slices), tissue(replace(slices, hu=slices.hu + np.float32(2.0)))
    for name in before:
        assert value(after[name]) - value(before[name]) == pytest.approx(2.0, abs=0.3)


def test_bleeds_and_calcifications_are_not_grey_matter() -> None:
    slices = drawn_head(noise=3.0)
    plain = tissue(slices)
    hu = slices.hu.copy()
    hu[:, 60:68, 40:46] = 65.0
    hu[:, 78:80, 55:57] = 250.0
    lesion = tissue(replace(slices, hu=hu))
    for name in plain:
        assert value(lesion[name]) == pytest.approx(value(plain[name]), abs=0.7)


def test_a_brain_without_a_tissue_says_so() -> None:
    even = tissue(drawn_head(csf=29.0, grey=29.0, noise=3.0))
    assert isinstance(even["hu_csf"], Missing)
    assert isinstance(even["hu_grey"], Missing)
    assert even["hu_white"] == pytest.approx(29, abs=0.5)


def test_bad_input_gets_reasons() -> None:
    slices = drawn_head(noise=3.0, count=2)
    for changed in without_brain(slices):
        assert all(isinstance(number, Missing) for number in tissue(changed).values())
    hu = slices.hu.copy()
    hu[:, ::9, ::7] = np.nan
    assert tissue(replace(slices, hu=hu))["hu_white"] == pytest.approx(29, abs=0.5)
    one = Slices(slices.hu[:1], slices.brain[:1], slices.pixel_mm, 5.0)
    assert tissue(one)["hu_white"] == pytest.approx(29, abs=0.5)


def test_pixels_need_not_be_square() -> None:
    slices = drawn_head(matrix=256, noise=2.0)
    hu, brain = slices.hu[:, ::2], slices.brain[:, ::2]
    numbers = tissue(Slices(hu, brain, (2 * slices.pixel_mm[0], slices.pixel_mm[1]), 5.0))
    assert numbers["hu_white"] == pytest.approx(29, abs=0.6)
    assert numbers["hu_grey"] == pytest.approx(38, abs=1)


@given(st.floats(-5, 15), st.floats(0.1, 1.5), st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_regions_with_some_brain_do_not_hide_the_fluid(hu: float, spread: float, seed: int) -> None:
    rng = stream(seed, "regions")
    means = hu + rng.exponential(1.5, 80) + spread * rng.standard_normal(80)
    found, doubt = purest(means, np.full(80, spread), np.ones(80))
    assert found == pytest.approx(hu, abs=1.0)
    assert 0 < doubt < 1


@cache
def planned(number: int, matrix: int) -> tuple[Plan, Head]:
    phantom = PhantomSettings(exams=20, matrix=matrix)
    plan = plan_study(phantom, seed=5, cohort="c", number=number)
    return plan, head_of(plan, phantom)


def simulated(number: int, matrix: int) -> tuple[Slices, Numbers]:
    """A simulated exam with 5 mm slices, and the HU that its scanner gives the tissues."""
    plan, head = planned(number, matrix)
    machine = replace(plan.visit.machine, gaps_mm=(5.0, 5.0), tilt_degrees=0.0)
    stack = stack_slices(
        centre=plan.isocentre[:2],
        low=head.place((0.0, 29.0, FORAMEN_Z)),
        high=head.top(0.0),
        base=head.place((0.0, 20.0, -22.0)),
        gaps_mm=(5.0, 5.0),
        tilt_degrees=0.0,
        matrix=matrix,
        field_mm=230.0,
    )
    scene = Scene(biased(head, machine.bias, 0), head.grid, float(head.centre[0]), 1e4)
    parts = soft_series(scene, machine, stack, stream(5, "noise", number))
    hu = np.concatenate([part.astype(np.float32) + machine.padding.intercept for part in parts])
    brain = sample(head.intracranial.astype(np.float32), head.grid, stack) > 0.5
    bias, anatomy = machine.bias, plan.anatomy
    truth: Numbers = {
        f"hu_{name}": TISSUE_HU + (hu - TISSUE_HU) * bias.contrast + bias.offset
        for name, hu in (("csf", anatomy.csf_hu), ("grey", anatomy.grey_hu), ("white", anatomy.white_hu))
    }
    return Slices(hu, brain, (stack.pixel_mm, stack.pixel_mm), 5.0), truth


@pytest.mark.parametrize(("matrix", "number"), [(128, 0), (128, 1), (128, 5), (256, 0)])
def test_simulated_heads_have_their_hu(matrix: int, number: int) -> None:
    slices, truth = simulated(number, matrix)
    numbers = tissue(slices)
    for name in ("hu_grey", "hu_white"):
        assert value(numbers[name]) == pytest.approx(value(truth[name]), abs=1.0), name
    assert value(numbers["hu_csf"]) == pytest.approx(value(truth["hu_csf"]), abs=1.6)
