"""Heads as they are, and the same heads spoilt in every way that headers are known to spoil them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nameplate_ingest.choice.hounsfield import NO_CORRECTION, Correction, Levels, examine, jumps, levels
from nameplate_ingest.dicom.header import EXPLICIT, read_elements
from nameplate_ingest.dicom.pixels import hounsfield
from nameplate_ingest.dicom.slice import WANTED, Slice, Storage, slice_of
from nameplate_ingest.refusal import Refused

Plane = NDArray[np.float32]
Change = Callable[[NDArray[np.float64]], Any]
STORAGE = Storage(EXPLICIT, True, False, 0, 0, 16, 16, 15, True, 1.0, -1024.0)
UNSIGNED_12 = replace(STORAGE, stored=12, high=11, signed=False, intercept=0.0)
UNSIGNED_16 = replace(STORAGE, signed=False, intercept=0.0)


def head(
    count: int = 28,
    size: int = 96,
    brain: float = 35.0,
    air: float = -1000.0,
    noise: float = 4.0,
    skin: bool = True,
) -> list[Plane]:
    """Planes (row, column) of an ellipsoid head from base to vertex, in a field of 230 mm."""
    dice = np.random.default_rng(5)
    row, column = (np.mgrid[:size, :size] - (size - 1) / 2) * 230 / size
    planes = []
    for z in np.linspace(-72, 82, count):

        def within(grow: float, z: float = z) -> Any:
            return (column / (68 + grow)) ** 2 + (row / (86 + grow)) ** 2 + (z / (76 + grow)) ** 2 < 1

        outer = np.where(within(7 if skin else 3), 20.0 if skin else 1100.0, air)
        hu = np.where(within(0), brain, np.where(within(4), 1100.0, outer))
        planes.append((hu + dice.normal(0, noise, hu.shape)).astype(np.float32))
    return planes


def padded(plane: Plane, value: float, radius: float = 0.5, right: float = 0.0) -> Plane:
    """The plane with a value outside a circle; radius and shift as shares of its side."""
    size = plane.shape[0]
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    return np.where(np.hypot(row, column - right * size) > radius * size, value, plane).astype(np.float32)


def sample(planes: Sequence[Plane]) -> list[Plane]:
    return [planes[round((len(planes) - 1) * part / 6)] for part in range(1, 6)]


HEADS = {
    "skin": head(),
    "shell without skin or noise": head(skin=False, noise=0.0),
    "dark brain": head(brain=15),
    "bright brain": head(brain=75),
    "low dose": head(noise=20.0),
    "air too high": head(air=-980),
    "air at the end of the scale": [np.maximum(plane, -1024) for plane in head(air=-1024)],
    "fills the field": [plane[10:-10, 18:-18] for plane in head(size=116)],
    **{
        f"padding {value}": [padded(plane, value) for plane in head()]
        for value in (-1500, -2000, -2048, -3024, -8192)
    },
    "small circle": [padded(plane, -2048, 0.45) for plane in head()],
    "padding in one block": [padded(plane, -2000) if n < 12 else plane for n, plane in enumerate(head())],
    "field moved": [padded(plane, -2000, right=0.2 * (n < 12)) for n, plane in enumerate(head())],
    "extended scale": [np.where(plane > 1000, 14000, plane) for plane in head()[:3]] + head()[3:],
}
SLIPS: dict[str, tuple[Change, Storage]] = {
    "hu-intercept-lost": (lambda hu: hu + 1024, replace(STORAGE, intercept=0.0)),
    "hu-intercept-twice": (lambda hu: hu - 1024, STORAGE),
    "hu-12-bit-wrap": (lambda hu: np.rint(np.clip(hu, -2048, 2047)).astype(int) & 0xFFF, UNSIGNED_12),
    "hu-16-bit-wrap": (lambda hu: np.rint(hu).astype(int) & 0xFFFF, UNSIGNED_16),
    "hu-12-bit-unsigned": (
        lambda hu: np.where(hu > 1023, np.clip(hu, -1024, 3071) - 4096, np.maximum(hu, -1024)),
        replace(STORAGE, stored=12, high=11),
    ),
    "hu-12-bit-wrap hu-intercept-twice": (
        lambda hu: (np.rint(np.clip(hu, -2048, 2047)).astype(int) & 0xFFF) - 1024,
        replace(UNSIGNED_12, intercept=-1024.0),
    ),
}


def spoilt(planes: Sequence[Plane], change: Change) -> list[Plane]:
    return [np.asarray(change(plane.astype(np.float64)), np.float32) for plane in planes]


@pytest.mark.parametrize("name", HEADS)
def test_heads_as_they_are_stay_as_they_are(name: str) -> None:
    planes = HEADS[name]
    before = [plane.copy() for plane in planes]
    assert examine(sample(planes), STORAGE) == NO_CORRECTION
    assert all(np.array_equal(plane, old) for plane, old in zip(planes, before, strict=True))
    jumps([levels(plane) for plane in planes])


@pytest.mark.parametrize("name", [name for name in HEADS if name != "extended scale"])
@pytest.mark.parametrize("slip", SLIPS)
def test_known_slips_are_put_right(name: str, slip: str) -> None:
    change, storage = SLIPS[slip]
    planes = spoilt(HEADS[name], change)
    correction = examine(sample(planes), storage)
    assert correction.flags == tuple(slip.split())
    for plane, true in zip(planes, HEADS[name], strict=True):
        # Padding may wrap to anything that is no tissue; the volume ends at -1024 HU.
        right, true_hu = correction.apply(plane, storage), np.clip(true, -1024, 2047)
        tissue = true > -1200
        assert np.abs(np.clip(right, -1024, 2047) - true_hu)[tissue].max() <= 0.51


@pytest.mark.parametrize("value", [-2000, -1500, -2048])
def test_padding_that_kept_its_value_while_the_intercept_was_lost(value: float) -> None:
    planes = [padded(plane + 1024, value) for plane in head()]
    assert examine(sample(planes), STORAGE).flags == ("hu-intercept-lost",)


@pytest.mark.parametrize(
    ("change", "storage", "seen"),
    [
        (lambda hu: hu * 0, STORAGE, "nothing but 0 HU"),
        (lambda hu: np.rint(np.clip(hu / 80, 0, 1) * 255), STORAGE, "8-bit"),
        (lambda hu: np.rint(np.clip(hu / 80, 0, 1) * 255) - 1024, STORAGE, "8-bit"),
        (lambda hu: np.rint(np.clip((hu + 1000) / 2000, 0, 1) * 255), STORAGE, "8-bit"),
        (lambda hu: np.rint(np.clip(hu / 80, 0, 1) * 4095) - 1024, STORAGE, "no air but the padding"),
        (lambda hu: (hu + 1024) * 2 - 1024, replace(STORAGE, slope=2.0), "soft tissue"),
        (lambda hu: (hu + 1024) / 2 - 1024, replace(STORAGE, slope=0.5), "bone|tissue"),
        (lambda hu: -hu, replace(STORAGE, slope=-1.0), "corners are at 99"),
        (lambda hu: hu - 8192, replace(STORAGE, intercept=-9216.0), "no air"),
        (lambda hu: np.where(hu < -850, 0, hu), STORAGE, "corners are at 0 HU"),
        (lambda hu: hu - 130, STORAGE, "air at -11"),
        (lambda hu: np.where(hu > 100, 100, hu), STORAGE, "no bone"),
        (lambda hu: np.rint(hu + 1024).astype("<u2").byteswap().astype(float) - 1024, STORAGE, "HU|tissue"),
    ],
)
def test_what_is_no_head_in_hu_is_refused_with_the_reason(
    change: Change, storage: Storage, seen: str
) -> None:
    with pytest.raises(Refused, match=seen) as refused:
        examine(spoilt(sample(head()), change), storage)
    assert refused.value.rule == "hounsfield"


def test_a_positive_padding_is_refused() -> None:
    with pytest.raises(Refused, match="corners are at 3071 HU"):
        examine([padded(plane, 3071) for plane in sample(head())], STORAGE)


def test_noise_is_no_head() -> None:
    planes = [np.random.default_rng(n).uniform(-1024, 3071, (96, 96)).astype(np.float32) for n in range(5)]
    with pytest.raises(Refused) as refused:
        examine(planes, STORAGE)
    assert refused.value.rule == "hounsfield"


def test_a_value_that_stays_beyond_any_hu_is_refused() -> None:
    plane = head()[9]
    plane[40, 40] = 40000
    with pytest.raises(Refused, match="HU up to 40000"):
        NO_CORRECTION.apply(plane, STORAGE)


@given(
    stored=st.lists(st.integers(-2048, 2047), min_size=1, max_size=30),
    slope=st.sampled_from((1.0, 0.5, -1.0)),
    intercept=st.sampled_from((0.0, 1.0, -1024.0)),
)
def test_a_wrap_is_undone_exactly(stored: list[int], slope: float, intercept: float) -> None:
    correction = Correction(("hu-12-bit-wrap",), above=2047, wrap=4096)
    storage = replace(UNSIGNED_12, slope=slope, intercept=intercept)
    wrapped = np.array([[(value & 0xFFF) * slope + intercept for value in stored]], np.float32)
    assert correction.apply(wrapped, storage).tolist() == [[value * slope + intercept for value in stored]]


def measured(planes: Sequence[Plane]) -> list[Levels]:
    return [levels(plane) for plane in planes]


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(sorted(HEADS)),
    first=st.integers(0, 27),
    length=st.integers(1, 14),
    offset=st.sampled_from((1024, -1024)),
)
def test_a_block_whose_intercept_slipped_is_found(name: str, first: int, length: int, offset: int) -> None:
    planes = [
        plane + np.float32(offset * (first <= n < first + length)) for n, plane in enumerate(HEADS[name])
    ]
    with pytest.raises(Refused) as refused:
        jumps(measured(planes))
    assert refused.value.rule == "slice-jump"


@pytest.mark.parametrize("value", [-1024, -1000, 0, 1000])
@pytest.mark.parametrize("place", [4, 14, 20])
def test_an_empty_slice_in_the_middle_is_found(value: float, place: int) -> None:
    planes = head()
    planes[place] = np.full_like(planes[place], value)
    with pytest.raises(Refused) as refused:
        jumps(measured(planes))
    assert refused.value.rule == "slice-jump"
    assert f"{place + 1} of 28" in refused.value.seen or f"{place} and {place + 1}" in refused.value.seen


@pytest.mark.parametrize("slip", ["hu-12-bit-wrap", "hu-16-bit-wrap"])
@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("place", [0, 3, 14, 27])
def test_one_slice_whose_sign_slipped_is_found(name: str, slip: str, place: int) -> None:
    planes = [*HEADS[name]]
    planes[place] = spoilt([planes[place]], SLIPS[slip][0])[0]
    with pytest.raises(Refused, match=f"slices {max(place, 1)} and") as refused:
        jumps(measured(planes))
    assert refused.value.rule == "slice-jump"


@pytest.mark.parametrize("place", [3, 14, 20])
def test_one_slice_with_another_slope_is_found(place: int) -> None:
    planes = head()
    planes[place] = (planes[place] + 1024) * 3 - 1024
    with pytest.raises(Refused) as refused:
        jumps(measured(planes))
    assert refused.value.rule == "slice-jump"


def test_a_field_that_cuts_the_head_is_no_jump() -> None:
    jumps(measured([plane[30:-30, 30:-30] for plane in head(size=144)]))


def test_slices_beside_the_head_metal_and_a_black_streak_are_no_jumps() -> None:
    planes = head()
    planes[-1][:], planes[0][:] = -1000, -1000
    planes[10][40:44] = np.where(planes[10][40:44] > -300, 9000, planes[10][40:44])
    planes[11][40:44] = np.where(planes[11][40:44] > -300, -1024, planes[11][40:44])
    jumps(measured(planes))
    assert examine(sample(planes), STORAGE) == NO_CORRECTION


def test_two_slices_are_too_few_to_compare() -> None:
    jumps(measured([head()[3], head()[14] + 1024]))


def series(folder: Path) -> list[Slice]:
    """The images of a folder that have positions, of the series with most of them, from below."""
    found: dict[str, list[Slice]] = {}
    for path in sorted(folder.iterdir()):
        elements = read_elements(path, WANTED)
        assert elements is not None
        one = slice_of(path, elements)
        if one.grid is not None:
            found.setdefault(one.series, []).append(one)
    most = max(found.values(), key=len)
    return sorted(most, key=lambda one: one.grid.position[2] if one.grid else 0.0)


@pytest.mark.parametrize(
    "name", ["ge-hispeed-head", "philips-ingenuity-phantom", "siemens-definition-as-phantom"]
)
def test_real_series_are_believed_quickly(real: Path, name: str) -> None:
    slices = series(real / name)
    planes = [hounsfield(one) for one in slices]
    storage = slices[0].storage
    assert storage is not None
    examine(sample(planes), storage)
    start = time.process_time()
    correction = examine(sample(planes), storage)
    look = [levels(plane) for plane in planes]
    jumps(look)
    seconds = time.process_time() - start
    assert correction == NO_CORRECTION
    assert seconds < 0.05 + 0.002 * len(planes)


@pytest.mark.parametrize("slip", SLIPS)
def test_slips_of_a_real_head_are_put_right(real: Path, slip: str) -> None:
    planes = [np.maximum(hounsfield(one), -1500) for one in series(real / "ge-hispeed-head")]
    change, storage = SLIPS[slip]
    wrong = spoilt(planes, change)
    correction = examine(sample(wrong), storage)
    assert correction.flags == tuple(slip.split())
    right = correction.apply(wrong[12], storage)
    assert np.abs(np.clip(right, -1000, 2000) - np.clip(planes[12], -1000, 2000)).max() <= 0.51
