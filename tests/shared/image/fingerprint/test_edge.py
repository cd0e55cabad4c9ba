"""Sharpness at the head's edge: against simulated scanners, exact discs and another program."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.image.fingerprint import edge
from nameplate.image.fingerprint.edge import MEASURES, sharpness
from nameplate.image.fingerprint.edge_spread import EdgeSpread, edge_spread
from nameplate.image.fingerprint.slices import Missing, Number, Numbers, Slices
from nameplate.pack.packed import brain_only
from nameplate.streams import stream
from nameplate_phantom.effects import biased, transfer
from nameplate_phantom.head import Head
from nameplate_phantom.scanner import Sharpness
from nameplate_phantom.series import Scene, soft_series
from nameplate_phantom.skull import FORAMEN_Z
from nameplate_phantom.stack import Stack, sample, stack_slices
from nameplate_phantom.study import Plan, grid_step, head_of, plan_study

NAMES = {"mtf50", "mtf10", "edge_overshoot"}


def value(number: Number) -> float:
    assert not isinstance(number, Missing), number.reason
    return number


def reasons(numbers: Numbers) -> set[str]:
    assert set(numbers) == NAMES
    return {number.reason for number in numbers.values() if isinstance(number, Missing)}


# Discs: the edge of a uniform disc, blurred by a normal distribution, is known exactly.


def gaussian_mtf(sigma_mm: float, level: float) -> float:
    """Where exp(-2 (pi f sigma)^2) is at this level."""
    return float(np.sqrt(-np.log(level) / 2) / (np.pi * sigma_mm))


def disc(
    sigma_mm: float,
    pixel_mm: tuple[float, float],
    *,
    field_mm: float = 150.0,
    radius_mm: float = 52.0,
    off_mm: tuple[float, float] = (0.0, 0.0),
    hu: float = 40.0,
    noise_hu: float = 0.0,
    slices: int = 4,
) -> Slices:
    """A disc of uniform HU in air, the same in every slice."""
    y, x = (
        (np.arange(round(field_mm / size)) - round(field_mm / size) // 2) * size - off
        for size, off in zip(pixel_mm, off_mm, strict=True)
    )
    distance = np.hypot(y[:, None], x[None, :])
    picture = -1000 + (hu + 1000) * ndtr((radius_mm - distance) / sigma_mm)
    noise = noise_hu * stream(1, "disc").standard_normal((slices, *picture.shape))
    brain = np.repeat((distance < radius_mm - 8)[None], slices, axis=0)
    return Slices((picture + noise).astype(np.float32), brain, pixel_mm, 5.0)


@settings(max_examples=20, deadline=None)
@given(
    pixel=st.floats(0.5, 2.0),
    width=st.floats(0.75, 1.6),
    off=st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    hu=st.floats(10, 80),
)
def test_the_mtf_of_a_blurred_disc_is_that_of_its_blur(
    pixel: float, width: float, off: tuple[float, float], hu: float
) -> None:
    sigma = float(np.clip(width * pixel, 0.5, 2.5))
    numbers = sharpness(disc(sigma, (pixel, pixel), off_mm=off, hu=hu, noise_hu=4.0))
    # The step is taken to be a little lower than that from air to the inside: see edge_spread.
    assert value(numbers["mtf50"]) == pytest.approx(gaussian_mtf(sigma, 0.5), rel=0.025)
    tenth = gaussian_mtf(sigma, 0.1)
    if tenth < 0.45 / pixel:
        assert value(numbers["mtf10"]) == pytest.approx(tenth, rel=0.05)
    elif tenth > 0.55 / pixel:
        assert isinstance(numbers["mtf10"], Missing)
    assert value(numbers["edge_overshoot"]) < 0.003


def test_pixels_that_are_longer_one_way_change_nothing() -> None:
    numbers = sharpness(disc(0.9, (0.8, 1.1), noise_hu=3.0))
    assert value(numbers["mtf50"]) == pytest.approx(gaussian_mtf(0.9, 0.5), rel=0.02)


@pytest.mark.parametrize("turn", [lambda a: a[:, ::-1], lambda a: a[:, :, ::-1], lambda a: a.swapaxes(1, 2)])
def test_mirrored_and_turned_pictures_are_as_sharp(
    turn: Callable[[NDArray[Any]], NDArray[Any]],
) -> None:
    slices = disc(0.8, (0.9, 0.9), off_mm=(1.3, -0.4))
    turned = replace(slices, hu=turn(slices.hu).copy(), brain=turn(slices.brain).copy())
    assert value(sharpness(turned)["mtf50"]) == pytest.approx(value(sharpness(slices)["mtf50"]), rel=0.003)


@pytest.mark.parametrize("sigma", [0.6, 0.8])
def test_another_program_measures_the_same_on_a_disc(sigma: float) -> None:
    api = pytest.importorskip("microct_iq_toolbox").api
    # Small pixels: that program spreads each pixel's value over its area, which blurs by a pixel once more.
    pixel = 0.3
    slices = disc(sigma, (pixel, pixel), noise_hu=3.0, field_mm=110.0, radius_mm=38.0, slices=2)
    middle = slices.hu.shape[1] // 2
    other = api.ttf(slices.hu, [[middle, middle]] * 2, round(50 / pixel), pixel).summary["ttf50_mean"]
    assert value(sharpness(slices)["mtf50"]) == pytest.approx(other, rel=0.03)


def test_edge_enhancement_is_a_share_of_the_step() -> None:
    # An edge whose line-spread function is a normal one less a share of a wider one.
    slices = disc(0.7, (0.5, 0.5), noise_hu=1.0)
    wide = disc(1.6, (0.5, 0.5)).hu
    enhanced = replace(slices, hu=slices.hu + np.float32(0.3) * (slices.hu - wide))
    u = np.linspace(0, 8, 4001)
    depth = -(ndtr(-u / 0.7) + 0.3 * (ndtr(-u / 0.7) - ndtr(-u / 1.6))).min()
    assert value(sharpness(enhanced)["edge_overshoot"]) == pytest.approx(depth, rel=0.05)
    assert value(sharpness(slices)["edge_overshoot"]) < 0.001
    # Where the picture ends at -1024 HU there is only a part of it.
    cut = replace(enhanced, hu=np.maximum(enhanced.hu, np.float32(-1010)))
    assert isinstance(sharpness(cut)["edge_overshoot"], Missing)
    assert isinstance(sharpness(cut)["mtf50"], float)


# Simulated heads, whose scanner is known.


@cache
def simulated(matrix_step: float, number: int) -> tuple[Plan, Head]:
    about = PhantomSettings(exams=9, matrix=256 if matrix_step == 1.0 else 128)
    plan = plan_study(about, seed=1, cohort="edge", number=number)
    return plan, head_of(plan, about)


def scanned(
    matrix: int,
    sharp: Sharpness,
    *,
    field_mm: float = 235.0,
    noise_hu: float = 4.0,
    contrast: float = 1.0,
    offset: float = 0.0,
    number: int = 0,
    slices: int = 14,
) -> tuple[Slices, Stack]:
    """A simulated head through this transfer function: slices through the middle of the brain."""
    plan, head = simulated(grid_step(matrix), number)
    whole = stack_slices(
        centre=plan.isocentre[:2],
        low=head.place((0.0, 29.0, FORAMEN_Z - 11.0)),
        high=head.top(0.0),
        base=head.place((0.0, 20.0, -22.0)),
        gaps_mm=(5.0, 5.0),
        tilt_degrees=0.0,
        matrix=matrix,
        field_mm=field_mm,
    )
    chosen = slice(9, 9 + slices)
    stack = replace(whole, heights=whole.heights[chosen], thickness=whole.thickness[chosen])
    of = plan.visit.machine
    machine = replace(
        of,
        sharpness=sharp,
        noise=of.noise.model_copy(update={"sd": noise_hu}),
        bias=of.bias.model_copy(update={"contrast": contrast, "offset": offset}),
    )
    y = head.grid.axes()[1]
    back = float(y[np.flatnonzero((head.hu > -500).any(axis=(0, 2)))[-1]])
    scene = Scene(biased(head, machine.bias, 0), head.grid, float(head.centre[0]), back)
    stored = np.concatenate(list(soft_series(scene, machine, stack, stream(1, "edge noise"))))
    hu = stored.astype(np.float32) + np.float32(machine.padding.intercept)
    brain = sample(head.intracranial.astype(np.float32), head.grid, stack) > 0.5
    size = (stack.pixel_mm, stack.pixel_mm)
    return Slices(hu[:, ::-1].copy(), brain[:, ::-1].copy(), size, 5.0), stack


def known(stack: Stack, sharp: Sharpness, step_mm: float, level: float) -> float:
    """Frequency in cycles/mm at which what the phantom does to an edge leaves this level; NaN if none.

    Besides the scanner's transfer function there is the simulation's own voxel, a box across the edge; the
    linear interpolation between voxels along both axes; and the mean over points within a pixel.
    """
    f = np.linspace(0.0, 0.5 / stack.pixel_mm, 400)
    half_plane = transfer(sharp, stack)
    scanner = np.interp(f, np.arange(half_plane.shape[1]) / (stack.matrix * stack.pixel_mm), half_plane[0])
    angle = np.radians(np.arange(1, 90, 2))
    across = [f[:, None] * np.cos(angle), f[:, None] * np.sin(angle)]
    points = max(1, round(stack.pixel_mm / step_mm))
    inner = ((np.arange(points) + 0.5) / points - 0.5) * stack.pixel_mm
    sampling = np.prod(
        [np.sinc(g * step_mm) ** 2 * np.cos(2 * np.pi * g[..., None] * inner).mean(axis=-1) for g in across],
        axis=0,
    ).mean(axis=1)
    curve = scanner * np.sinc(f * step_mm) * sampling
    return float(np.interp(-level, -curve, f, right=np.nan))


SOFT = Sharpness(half=0.33, power=2.0, boost=0.0, boost_at=0.16)
SMOOTH = Sharpness(half=0.17, power=2.0, boost=0.0, boost_at=0.16)
ENHANCED = Sharpness(half=0.315, power=1.9, boost=0.06, boost_at=0.15)
# Below what the phantom allows, so that the scanner, and not the pixel, blurs a coarse picture.
COARSE = SOFT.model_copy(update={"half": 0.11})


@pytest.mark.parametrize("sharp", [SOFT, SMOOTH, ENHANCED, COARSE])
@pytest.mark.parametrize(
    ("matrix", "field_mm", "number"),
    [(64, 220.0, 0), (64, 250.0, 1), (96, 235.0, 2), (128, 220.0, 0), (128, 240.0, 1), (256, 235.0, 0)],
)
def test_the_scanner_of_a_simulated_head_is_found(
    matrix: int, field_mm: float, number: int, sharp: Sharpness
) -> None:
    noise_hu, contrast, offset = [(3.0, 1.0, 0.0), (6.0, 1.025, 1.5), (4.5, 0.98, -1.0)][number]
    slices, stack = scanned(
        matrix, sharp, field_mm=field_mm, number=number, noise_hu=noise_hu, contrast=contrast, offset=offset
    )
    truth = known(stack, sharp, grid_step(matrix), 0.5)
    assert value(sharpness(slices)["mtf50"]) == pytest.approx(truth, rel=0.1)


def test_the_finest_pixels_show_the_same_head_as_sharp() -> None:
    slices, stack = scanned(512, SOFT, field_mm=220.0, slices=8)
    numbers = sharpness(slices)
    assert value(numbers["mtf50"]) == pytest.approx(known(stack, SOFT, 1.0, 0.5), rel=0.05)
    assert value(numbers["mtf10"]) == pytest.approx(known(stack, SOFT, 1.0, 0.1), rel=0.08)


def test_noise_and_errors_of_the_ct_numbers_do_not_move_the_mtf() -> None:
    quiet, _ = scanned(128, SOFT, noise_hu=0.5)
    for noise_hu, contrast, offset in ((6.0, 1.0, 0.0), (0.5, 1.03, 3.0), (0.5, 0.97, -3.0)):
        slices, _ = scanned(128, SOFT, noise_hu=noise_hu, contrast=contrast, offset=offset)
        assert value(sharpness(slices)["mtf50"]) == pytest.approx(value(sharpness(quiet)["mtf50"]), rel=0.01)


def test_a_boosting_kernel_overshoots_and_a_plain_one_does_not() -> None:
    plain, boosted = (
        value(sharpness(scanned(256, sharp)[0])["edge_overshoot"])
        for sharp in (SOFT, SOFT.model_copy(update={"boost": 0.1}))
    )
    assert plain < 0.003
    assert 0.006 < boosted < 0.02


def test_what_the_pixels_cannot_show_is_missing() -> None:
    # Half of the contrast is left beyond the Nyquist frequency, 0.14 /mm.
    sharp = Sharpness(half=0.33, power=2.0, boost=0.9, boost_at=0.16)
    slices, stack = scanned(64, sharp, field_mm=235.0)
    assert np.isnan(known(stack, sharp, 2.0, 0.5))
    half = sharpness(slices)["mtf50"]
    assert isinstance(half, Missing)
    assert "Nyquist" in half.reason
    # A disc that is sharper than its pixels by far.
    assert isinstance(sharpness(disc(0.55, (3.7, 3.7), field_mm=240.0, radius_mm=75.0))["mtf50"], Missing)


# What is not to be measured.


@pytest.fixture(scope="module")
def head() -> Slices:
    return scanned(128, SOFT)[0]


def test_slices_from_all_over_the_series_give_the_same(head: Slices) -> None:
    some = Slices(head.hu[::2].copy(), head.brain[::2].copy(), head.pixel_mm, 5.0, adjacent=False)
    assert value(sharpness(some)["mtf50"]) == pytest.approx(value(sharpness(head)["mtf50"]), rel=0.06)


def test_a_window_hides_the_edge(head: Slices) -> None:
    clipped = replace(head, hu=np.clip(head.hu, 0, 100))
    assert reasons(sharpness(clipped)) == {"the window cuts off the air beside the skin"}


def test_a_brain_alone_has_no_edge(head: Slices) -> None:
    alone = brain_only(np.clip(head.hu, 0, 100).transpose(2, 1, 0), head.brain.transpose(2, 1, 0))
    bare = replace(head, hu=np.ascontiguousarray(alone.transpose(2, 1, 0)))
    assert reasons(sharpness(bare)) == {"no edge of the head in view"}


def test_unknown_values_take_their_places_out_and_nothing_else(head: Slices) -> None:
    hu = head.hu.copy()
    hu[:, :, : hu.shape[2] // 3] = np.nan
    hu[3] = np.nan
    assert value(sharpness(replace(head, hu=hu))["mtf50"]) == pytest.approx(
        value(sharpness(head)["mtf50"]), rel=0.06
    )
    assert reasons(sharpness(replace(head, hu=np.full_like(hu, np.nan)))) == {"the brain has no known values"}


def test_a_table_beside_the_head_is_left_out() -> None:
    slices = disc(0.8, (0.9, 0.9))
    hu = slices.hu.copy()
    middle = hu.shape[1] // 2
    below = int(middle + 54 / 0.9)
    hu[:, below : below + 4] = np.maximum(hu[:, below : below + 4], 150.0)
    assert value(sharpness(replace(slices, hu=hu))["mtf50"]) == pytest.approx(
        gaussian_mtf(0.8, 0.5), rel=0.025
    )


def test_a_head_that_is_cut_by_the_field_is_measured_where_it_is_not() -> None:
    slices = disc(0.8, (0.9, 0.9))
    cut = slices.hu.shape[2] // 2 + int(40 / 0.9)
    part = replace(slices, hu=slices.hu[:, :, :cut].copy(), brain=slices.brain[:, :, :cut].copy())
    assert value(sharpness(part)["mtf50"]) == pytest.approx(gaussian_mtf(0.8, 0.5), rel=0.025)
    inside = slice(slices.hu.shape[1] // 2 - 30, slices.hu.shape[1] // 2 + 30)
    full = replace(slices, hu=slices.hu[:, inside, inside], brain=slices.brain[:, inside, inside])
    assert len(reasons(sharpness(full))) == 1


def test_padding_is_no_air() -> None:
    slices = disc(0.8, (0.9, 0.9), off_mm=(14.0, 0.0))
    n = slices.hu.shape[1]
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    hu = np.where(np.hypot(y, x) * 0.9 > 68, np.float32(-3024), slices.hu)
    assert value(sharpness(replace(slices, hu=hu))["mtf50"]) == pytest.approx(
        gaussian_mtf(0.8, 0.5), rel=0.025
    )


@pytest.mark.parametrize(
    ("hu", "reason"),
    [(40.0, "no edge of the head in view"), (-1000.0, None), (0.0, "no edge of the head in view")],
)
def test_an_empty_picture_has_no_sharpness(hu: float, reason: str | None) -> None:
    brain = np.zeros((6, 40, 40), dtype=bool)
    brain[:, 10:30, 10:30] = True
    slices = Slices(np.full(brain.shape, hu, dtype=np.float32), brain, (5.0, 5.0), 5.0)
    given_reasons = reasons(sharpness(slices))
    assert len(given_reasons) == 1
    assert reason is None or given_reasons == {reason}
    nothing = replace(slices, brain=np.zeros_like(brain))
    assert reasons(sharpness(nothing)) == {"no brain is found"}


def test_one_slice_cannot_say_whether_its_edge_is_upright() -> None:
    slices = disc(0.8, (0.9, 0.9), slices=1)
    assert reasons(sharpness(slices)) == {"too few slices through the brain"}


def test_bone_without_skin_and_a_bandage_are_no_step_from_air_to_skin() -> None:
    slices = disc(0.8, (0.9, 0.9))
    bone = np.where(slices.brain, slices.hu, slices.hu * 2 + np.float32(1000))
    assert isinstance(sharpness(replace(slices, hu=bone))["mtf50"], Missing)
    layer = disc(0.8, (0.9, 0.9), radius_mm=60.0, hu=-400.0).hu
    assert isinstance(sharpness(replace(slices, hu=np.maximum(slices.hu, layer)))["mtf50"], Missing)


def test_a_slanting_edge_is_not_measured() -> None:
    # A cone: every slice is 3 mm smaller than the one below.
    each = [disc(0.8, (0.9, 0.9), radius_mm=60.0 - 3.0 * k, slices=1) for k in range(6)]
    cone = Slices(
        np.concatenate([one.hu for one in each]), np.concatenate([one.brain for one in each]), (0.9, 0.9), 5.0
    )
    assert isinstance(sharpness(cone)["mtf50"], Missing)


def test_a_slight_slant_is_given_back() -> None:
    """Slices of 5 mm, each averaged over a cone whose radius changes by 0.4 mm within it."""
    sub = (np.arange(9) + 0.5) / 9 - 0.5
    each = [
        np.mean(
            [disc(0.8, (0.9, 0.9), radius_mm=55 - 0.4 * (k + s), slices=1).hu for s in sub],
            axis=0,
        )
        for k in range(6)
    ]
    brain = disc(0.8, (0.9, 0.9), slices=6).brain
    cone = Slices(np.concatenate(each).astype(np.float32), brain, (0.9, 0.9), 5.0)
    spread = edge_spread(cone)
    assert isinstance(spread, EdgeSpread)
    curve = edge.transfer(spread)
    lost = edge.transfer(replace(spread, slant_mm=np.zeros(spread.places)))
    exact = gaussian_mtf(0.8, 0.5)
    assert value(curve.crossing(0.5)) == pytest.approx(exact, rel=0.02)
    assert value(lost.crossing(0.5)) < value(curve.crossing(0.5))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 60), st.integers(1, 60)),
    pixel=st.tuples(st.floats(0.3, 7.0), st.floats(0.3, 7.0)),
    values=st.lists(
        st.sampled_from([-3024.0, -1000.0, -400.0, 35.0, 1000.0, float("nan"), float("inf")]),
        min_size=1,
        max_size=4,
    ),
    adjacent=st.booleans(),
)
def test_nonsense_is_missing_and_never_a_crash(
    seed: int,
    shape: tuple[int, int, int],
    pixel: tuple[float, float],
    values: list[float],
    adjacent: bool,
) -> None:
    rng = stream(seed, "nonsense")
    hu = rng.choice(np.array(values, dtype=np.float32), size=shape)
    brain = rng.random(shape) < rng.random()
    numbers = sharpness(Slices(hu, brain, pixel, 5.0, adjacent=adjacent))
    assert len(reasons(numbers)) == 1
    assert all(isinstance(number, Missing) for number in numbers.values())


def test_an_edge_wider_than_the_air_beside_it_is_not_measured() -> None:
    assert isinstance(sharpness(disc(4.0, (1.0, 1.0), radius_mm=50.0))["mtf50"], Missing)


def test_the_measures_are_those_that_are_returned(head: Slices) -> None:
    assert {measure.name for measure in MEASURES} == NAMES == set(sharpness(head))
    assert {measure.group for measure in MEASURES} == {"sharpness"}
