"""Pictures of exams and slices: sizes in mm, directions, and what must not be seen."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nameplate.image.thumbnail import MARGIN_MM, PIXEL_MM, exam_picture, slice_picture
from nameplate.image.volume import Volume

AXIAL, SAGITTAL = (140, 112), (112, 140)
ORANGE = (255, 140, 26)


def read(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def tiles(data: bytes) -> list[np.ndarray]:
    """The three axial tiles and the sagittal one, letters and bar included."""
    strip = read(data)
    assert strip.shape == (140, 3 * 112 + 140, 3)
    return [strip[:, n * 112 : (n + 1) * 112] for n in range(3)] + [strip[14:-14, 336:]]


def head(
    spacing: tuple[float, float, float] = (2.0, 2.0, 5.0),
    radii: tuple[float, float, float] = (65.0, 80.0, 60.0),
    shape: tuple[int, int, int] = (110, 110, 36),
) -> tuple[Volume, Volume]:
    """Brain of 40 HU in an ellipsoid; around it everything, without any air, reads 70 HU."""
    axes = [(np.arange(n) - (n - 1) / 2) * step for n, step in zip(shape, spacing, strict=True)]
    i, j, k = np.meshgrid(*axes, indexing="ij")
    inside = (i / radii[0]) ** 2 + (j / radii[1]) ** 2 + (k / radii[2]) ** 2 < 1
    hu = np.where(inside, 40, 70).astype(np.int16)
    affine = np.diag([*spacing, 1.0])
    return Volume(hu, affine), Volume(inside.astype(np.uint8), affine)


def grey(tile: np.ndarray) -> np.ndarray:
    """Brightness without letters, bar and outline."""
    plain = (tile[..., 0] == tile[..., 1]) & (tile[..., 1] == tile[..., 2])
    return np.where(plain, tile[..., 0], 0)


def outline(tile: np.ndarray) -> np.ndarray:
    return (tile == ORANGE).all(axis=-1)


def span(mask: np.ndarray, axis: int) -> int:
    found = np.flatnonzero(mask.any(axis=1 - axis))
    return int(found[-1] - found[0] + 1)


def test_sizes_are_right_in_mm() -> None:
    *axial, sagittal = tiles(exam_picture(*head()))
    assert span(outline(axial[1]), 0) * PIXEL_MM == pytest.approx(160, abs=5)  # front to back
    assert span(outline(axial[1]), 1) * PIXEL_MM == pytest.approx(130, abs=5)  # side to side
    assert span(outline(sagittal), 0) * PIXEL_MM == pytest.approx(120, abs=7)  # foot to head
    assert span(outline(sagittal), 1) * PIXEL_MM == pytest.approx(160, abs=5)
    # A quarter and three quarters up an ellipsoid are slices of the same size.
    for tile in (axial[0], axial[2]):
        assert span(outline(tile), 1) * PIXEL_MM == pytest.approx(130 * np.sqrt(0.75), abs=5)


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(st.floats(0.8, 3.0), st.floats(0.8, 3.0), st.floats(1.5, 8.0)),
    st.tuples(st.floats(30, 75), st.floats(40, 95), st.floats(30, 75)),
)
def test_nothing_far_from_the_mask_is_shown(
    spacing: tuple[float, float, float], radii: tuple[float, float, float]
) -> None:
    shape = tuple(
        min(128, int(2 * (radius + 30) / step)) for radius, step in zip(radii, spacing, strict=True)
    )
    volume, mask = head(spacing, radii, (shape[0], shape[1], shape[2]))
    for tile in tiles(exam_picture(volume, mask)):
        edge = outline(tile)
        if not edge.any():
            continue
        rows, columns = np.nonzero(edge)
        y, x = np.nonzero(grey(tile))
        nearest = np.sqrt(((y[:, None] - rows) ** 2 + (x[:, None] - columns) ** 2).min(axis=1))
        beyond = ~((y >= rows.min()) & (y <= rows.max()) & (x >= columns.min()) & (x <= columns.max()))
        assert (nearest[beyond] * PIXEL_MM <= MARGIN_MM + 1.5 * PIXEL_MM).all()


def test_a_face_beside_the_mask_is_not_shown() -> None:
    volume, mask = head()
    empty = tiles(exam_picture(volume, mask))
    loud = volume.array.copy()
    loud[:, 103:, :] = 75  # 24 mm in front of the brain
    loud[:, :, :1] = 75  # 22 mm below it
    for one, other in zip(empty, tiles(exam_picture(volume.with_array(loud), mask)), strict=True):
        assert np.array_equal(one, other)


def test_the_patients_right_is_on_the_left_and_the_front_is_up() -> None:
    volume, mask = head()
    marked = volume.array.copy()
    marked[75:85, 50:60, :] = 80  # i counts to the patient's right
    right = grey(tiles(exam_picture(volume.with_array(marked), mask))[1])
    assert np.nonzero(right == 255)[1].mean() < 40
    marked = volume.array.copy()
    marked[50:60, 78:88, :] = 80  # j counts to the front
    *axial, sagittal = map(grey, tiles(exam_picture(volume.with_array(marked), mask)))
    assert np.nonzero(axial[1] == 255)[0].mean() < 50
    assert np.nonzero(sagittal == 255)[1].mean() < 45
    marked = volume.array.copy()
    marked[50:60, 50:60, 22:27] = 80  # k counts to the head
    *axial, sagittal = map(grey, tiles(exam_picture(volume.with_array(marked), mask)))
    assert np.nonzero(sagittal == 255)[0].mean() < 45
    assert not (axial[0] == 255).any()
    assert (axial[2] == 255).any()


def test_a_large_mask_gets_larger_pixels_and_none_gets_nothing() -> None:
    volume, mask = head(shape=(126, 126, 36), radii=(120.0, 120.0, 85.0))
    *axial, sagittal = tiles(exam_picture(volume, mask))
    assert span(outline(axial[1]), 1) >= 100
    assert not grey(sagittal).any()  # five litres are no brain: it may be a whole head
    assert not outline(sagittal).any()
    nothing = exam_picture(volume, mask.with_array(np.zeros_like(mask.array)))
    assert all(not grey(tile).any() and not outline(tile).any() for tile in tiles(nothing))


def test_pictures_of_noise_stay_small() -> None:
    volume, mask = head((0.9, 0.9, 5.0), (75.0, 95.0, 70.0), (220, 240, 36))
    noisy = volume.array + np.random.default_rng(3).normal(0, 12, volume.array.shape)
    assert len(exam_picture(volume.with_array(noisy.astype(np.int16)), mask)) < 25_000
    assert len(slice_picture(noisy[:, :, 18], (0.9, 0.9))) < 10_000


def test_the_same_exam_gives_the_same_bytes() -> None:
    assert exam_picture(*head()) == exam_picture(*head())


def test_a_mask_of_another_shape() -> None:
    volume, mask = head()
    with pytest.raises(ValueError, match="mask of shape"):
        exam_picture(volume, Volume(mask.array[1:], mask.affine))


def test_a_slice_keeps_its_proportions_and_directions() -> None:
    plane = np.full((128, 64), -1000.0)
    plane[:32, :16] = 1000.0
    picture = read(slice_picture(plane, (1.0, 1.0)))[..., 0]
    assert picture.shape == (112, 56)
    assert picture[:24, :12].min() == 255
    assert picture[30:, :].max() == picture[:, 16:].max() == 0
    assert read(slice_picture(plane, (1.0, 2.0))).shape[:2] == (112, 112)
    assert read(slice_picture(plane[:40, :40], (0.5, 0.5))).shape[:2] == (112, 112)


def test_values_that_are_no_hu_are_shown_over_their_own_range() -> None:
    ramp = np.linspace(3000, 5000, 64 * 64).reshape(64, 64)
    assert len(np.unique(read(slice_picture(ramp, (1.0, 1.0))))) == 31
    assert not read(slice_picture(np.full((64, 64), -1000.0), (1.0, 1.0))).any()
