"""The outline of a head to a fraction of a pixel, on shapes whose outline is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from nameplate.image.fingerprint.outline import Band, Outline, band_of, chosen_slices, fitted
from nameplate.image.fingerprint.slices import Missing, Slices

WIDTH_MM = 0.8


def oval(
    *,
    pixel_mm: float,
    long_mm: float,
    wide_mm: float,
    off_mm: tuple[float, float] = (0.0, 0.0),
    slices: int = 3,
) -> Slices:
    """An oval of 40 HU in air, blurred about as a disc would be."""
    n = round(2.6 * max(long_mm, wide_mm) / pixel_mm)
    axis = (np.arange(n) - n // 2) * pixel_mm
    y, x = axis[:, None] - off_mm[0], axis[None, :] - off_mm[1]
    share = np.hypot(y / long_mm, x / wide_mm)
    slope = np.hypot(y / long_mm**2, x / wide_mm**2) / np.maximum(share, 1e-9)
    picture = -1000 + 1040 * ndtr((1 - share) / np.maximum(slope, 1e-9) / WIDTH_MM)
    hu = np.repeat(picture[None].astype(np.float32), slices, axis=0)
    return Slices(hu, np.repeat((share < 0.85)[None], slices, axis=0), (pixel_mm, pixel_mm), 5.0)


def outlined(slices: Slices) -> tuple[Band, Outline]:
    """The outline that the half-filled pixels give, when it is known how wide the edge is."""
    band = band_of(slices, np.arange(len(slices.hu)), -480.0)
    assert isinstance(band, Band)
    outline = Outline.rough(band)
    for _ in range(2):
        share = (band.hu + 1000) / 1040
        edge = (share > 0.2) & (share < 0.8)
        outline, _ = fitted(band, outline, edge, ndtri(share[edge]) * WIDTH_MM)
    return band, outline


@settings(max_examples=15, deadline=None)
@given(
    pixel=st.floats(0.6, 2.0),
    radius=st.floats(40, 70),
    off=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
)
def test_a_circle_is_found_to_a_hundredth_of_its_pixels(
    pixel: float, radius: float, off: tuple[float, float]
) -> None:
    slices = oval(pixel_mm=pixel, long_mm=radius, wide_mm=radius, off_mm=off)
    band, outline = outlined(slices)
    share = (band.hu + 1000) / 1040
    edge = (share > 0.2) & (share < 0.8)
    # What the pixel's value says of its depth, which is exact here, is what the outline says.
    error = outline.depth(band)[edge] - ndtri(share[edge]) * WIDTH_MM
    assert np.sqrt(np.mean(error**2)) < 0.03 * pixel
    assert abs(np.mean(error)) < 0.01 * pixel


def test_depth_is_measured_across_the_edge_of_an_oval_not_along_the_ray() -> None:
    band, outline = outlined(oval(pixel_mm=0.7, long_mm=85.0, wide_mm=65.0))
    assert outline.cosine.min() < 0.97
    share = (band.hu + 1000) / 1040
    edge = (share > 0.2) & (share < 0.8)
    error = outline.depth(band)[edge] - ndtri(share[edge]) * WIDTH_MM
    assert np.abs(error).max() < 0.1


def test_the_shift_of_a_cone_is_its_change_of_radius() -> None:
    each = [oval(pixel_mm=1.0, long_mm=60.0 - k, wide_mm=60.0 - k, slices=1) for k in range(4)]
    size = min(one.hu.shape[1] for one in each)
    parts = []
    for one in each:
        low = one.hu.shape[1] // 2 - size // 2
        parts.append(one.hu[:, low : low + size, low : low + size])
    hu = np.concatenate(parts)
    brain = np.zeros(hu.shape, dtype=bool)
    brain[:, size // 2 - 20 : size // 2 + 21, size // 2 - 20 : size // 2 + 21] = True
    _, outline = outlined(Slices(hu, brain, (1.0, 1.0), 5.0))
    front = outline.shift()[:, outline.shift().shape[1] // 2 :]
    assert np.allclose(front, -1.0, atol=0.05)
    one_slice = Outline.rough(outlined(oval(pixel_mm=1.0, long_mm=50.0, wide_mm=50.0, slices=1))[0])
    assert np.isnan(one_slice.shift()).all()


def test_rays_that_meet_something_outside_have_no_pixels() -> None:
    slices = oval(pixel_mm=1.0, long_mm=55.0, wide_mm=55.0)
    whole = band_of(slices, np.arange(3), -480.0)
    hu = slices.hu.copy()
    hu[:, hu.shape[1] // 2 + 58 :, :] = np.nan
    cut = band_of(Slices(hu, slices.brain, (1.0, 1.0), 5.0), np.arange(3), -480.0)
    assert isinstance(whole, Band)
    assert isinstance(cut, Band)
    assert 0.5 < len(cut.hu) / len(whole.hu) < 0.9


def test_a_picture_full_of_head_has_no_outline() -> None:
    slices = oval(pixel_mm=1.0, long_mm=90.0, wide_mm=90.0)
    middle = slices.hu.shape[1] // 2
    inner = slice(middle - 50, middle + 50)
    full = Slices(slices.hu[:, inner, inner], slices.brain[:, inner, inner], (1.0, 1.0), 5.0)
    assert isinstance(band_of(full, np.arange(3), -480.0), Missing)


@pytest.mark.parametrize(("count", "most"), [(0, 0), (1, 1), (5, 5), (8, 8), (9, 8), (15, 8), (90, 8)])
def test_slices_are_chosen_evenly_from_the_widest(count: int, most: int) -> None:
    brain = np.zeros((count + 6, 20, 20), dtype=bool)
    brain[3 : 3 + count, 2:18, 2:18] = True
    brain[:3, 9:11, 9:11] = count > 0
    slices = Slices(np.zeros(brain.shape, dtype=np.float32), brain, (5.0, 5.0), 2.0)
    picked, step = chosen_slices(slices)
    assert len(picked) == most
    assert all(brain[k].sum() == 256 for k in picked)
    assert set(np.diff(picked)) <= {step}
    # As far from the lowest as from the highest.
    if most:
        assert abs((picked[0] - 3) - (2 + count - picked[-1])) <= 1


def test_the_back_of_the_head_is_left_out() -> None:
    """A holder's foam is nearly air; rows count from back to front."""
    slices = oval(pixel_mm=1.0, long_mm=60.0, wide_mm=60.0)
    band = band_of(slices, np.arange(len(slices.hu)), -480.0)
    assert isinstance(band, Band)
    angle = (np.arange(band.directions) + 0.5) * (2 * np.pi / band.directions) - np.pi
    looked_at = band.per_cell(np.ones(len(band.cell), dtype=bool)).any(axis=0)
    assert looked_at[np.sin(angle) > -0.45].mean() > 0.99
    assert not looked_at[np.sin(angle) < -0.55].any()
