import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nameplate.campaign.ingest import IngestSettings
from nameplate.image.affine import apply_affine
from nameplate.image.volume import Volume
from nameplate_ingest.dicom.geometry import SliceGeometry
from nameplate_ingest.volume.convert import convert
from nameplate_ingest.volume.series import Stack, stack_slices

SIZE, PIXEL = 128, 1.75


def scan(
    degrees: float, heights: NDArray[Any], orientation: tuple[float, ...] | None = None
) -> list[SliceGeometry]:
    angle = math.radians(degrees)
    a, b, c, d, e, f = orientation or (1.0, 0.0, 0.0, 0.0, math.cos(angle), -math.sin(angle))
    corner = (-SIZE * PIXEL / 2 * a, -SIZE * PIXEL / 2 * (e or 1.0))
    return [
        SliceGeometry(SIZE, SIZE, (*corner, float(z)), (a, b, c, d, e, f), (PIXEL, PIXEL)) for z in heights
    ]


def planes(
    stack: Stack, grids: list[SliceGeometry], image: Callable[..., Any]
) -> Callable[[int], NDArray[np.float32]]:
    def plane(number: int) -> NDArray[np.float32]:
        grid = grids[stack.order[number]]
        row, column = np.mgrid[: grid.rows, : grid.columns]
        place = (
            np.array(grid.position)[:, None, None]
            + stack.axes[0][:, None, None] * column * grid.spacing[1]
            + stack.axes[1][:, None, None] * row * grid.spacing[0]
        )
        hu: NDArray[np.float32] = np.asarray(image(*place), dtype=np.float32)
        return hu

    return plane


def smooth(x: Any, y: Any, z: Any) -> Any:
    """HU without edges, different along every axis, so that any shift, flip or shear shows."""
    return 300 * np.sin(x / 30) + 200 * np.cos(y / 25 + 0.3) + 3.0 * z


def run(
    grids: list[SliceGeometry], image: Callable[..., Any], settings: IngestSettings, thick: float = 5.0
) -> Volume:
    stack = stack_slices(grids)
    volume = convert(
        stack, [thick] * len(grids), SIZE, SIZE, (PIXEL, PIXEL), planes(stack, grids, image), settings
    )
    return volume


UNEVEN = np.concatenate([np.arange(-70, -10, 4.0), np.arange(-8.9, 75, 7.0)])


@pytest.mark.parametrize("degrees", [0.0, 18.5, -22.0])
@pytest.mark.parametrize("heights", [np.arange(-70, 75, 5.0), np.arange(-70, 75, 1.25), UNEVEN])
def test_every_voxel_shows_what_lies_at_its_place(degrees: float, heights: NDArray[Any]) -> None:
    thick = float(np.diff(heights).min())
    volume = run(scan(degrees, heights), smooth, IngestSettings(matrix=96), thick)
    inner = np.stack(np.meshgrid(range(30, 66), range(30, 66), range(2, volume.array.shape[2] - 2)), axis=-1)
    right, front, head = np.moveaxis(apply_affine(volume.affine, inner), -1, 0)
    expected = smooth(-right, -front, head)
    found = volume.array[tuple(np.moveaxis(inner, -1, 0))]
    assert np.abs(found - expected).max() < 9  # of 1300 HU: blurring by pixel and slice, no shift
    assert np.abs((found - expected).mean()) < 1


@pytest.mark.parametrize("degrees", [0.0, 18.5])
def test_the_output_is_a_canonical_orthogonal_box(degrees: float) -> None:
    volume = run(scan(degrees, UNEVEN), smooth, IngestSettings(matrix=96, slice_mm=5.0))
    assert volume.array.shape[:2] == (96, 96)
    assert volume.array.dtype == np.int16
    directions = volume.affine[:3, :3] / volume.spacing_mm
    assert np.allclose(directions.T @ directions, np.eye(3), atol=1e-9)
    assert (np.diag(directions) > 0.9).all()
    assert volume.spacing_mm[0] == pytest.approx(volume.spacing_mm[1])
    assert volume.spacing_mm[2] == pytest.approx(5.0)


def test_a_five_mm_series_keeps_its_values() -> None:
    dice = np.random.default_rng(1)
    grids = scan(0.0, np.arange(0, 150, 5.0))
    images = dice.integers(-200, 900, (30, SIZE, SIZE)).astype(np.float32)
    stack = stack_slices(grids)
    settings = IngestSettings(matrix=SIZE, slice_mm=5.0)
    volume = convert(
        stack, [5.0] * 30, SIZE, SIZE, (PIXEL, PIXEL), lambda number: images[number].copy(), settings
    )
    assert np.array_equal(volume.array, images.transpose(2, 1, 0)[::-1, ::-1])


@pytest.mark.parametrize(
    "orientation",
    [(-1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (1.0, 0.0, 0.0, 0.0, -1.0, 0.0), (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0)],
)
def test_patients_scanned_prone_or_feet_first_come_out_the_same_way_round(
    orientation: tuple[float, ...],
) -> None:
    settings = IngestSettings(matrix=96)
    usual = run(scan(0, np.arange(-70, 75, 5.0)), smooth, settings)
    turned = run(scan(0, np.arange(-70, 75, 5.0), orientation), smooth, settings)
    assert (np.diag(turned.affine)[:3] > 0).all()
    # The field of view may sit one source pixel aside: compare at the same millimetres.
    shift = np.rint((turned.affine[:3, 3] - usual.affine[:3, 3]) / usual.spacing_mm).astype(int)
    assert np.abs(shift[:2]).max() <= 1
    places = apply_affine(turned.affine, [[40, 50, 10], [60, 30, 20]])
    for place, value in zip(places, (turned.array[40, 50, 10], turned.array[60, 30, 20]), strict=True):
        assert value == pytest.approx(smooth(-place[0], -place[1], place[2]), abs=9)


def test_padding_below_the_floor_does_not_bleed() -> None:
    def padded(x: Any, y: Any, z: Any) -> Any:
        return np.where(x**2 + y**2 < 90**2, 40.0, -3024.0) + 0 * z

    volume = run(scan(0, np.arange(-70, 75, 5.0)), padded, IngestSettings(matrix=64))
    assert volume.array.min() == -1024
    assert volume.array.max() == 40


def test_straightening_cuts_nothing_off() -> None:
    def dot(x: Any, y: Any, z: Any) -> Any:
        corner = (np.abs(x - 100) < 6) & (np.abs(y - 95) < 8) & (np.abs(z) > 30)
        return np.where(corner, 1000.0, -1000.0)

    grids = scan(20.0, np.arange(-70, 75, 5.0))
    stack = stack_slices(grids)
    plane = planes(stack, grids, dot)
    before = sum(float((plane(n) + 1024).sum()) for n in range(len(grids))) * PIXEL * PIXEL
    settings = IngestSettings(matrix=128, slice_mm=float(stack.gaps[0]))
    volume = convert(stack, [5.0] * len(grids), SIZE, SIZE, (PIXEL, PIXEL), plane, settings)
    after = float((volume.array.astype(float) + 1024).sum()) * volume.spacing_mm[0] * volume.spacing_mm[1]
    assert after == pytest.approx(before, rel=1e-3)


def test_a_wide_image_is_padded_to_a_square_not_stretched() -> None:
    flat = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    grids = [SliceGeometry(64, 128, (0.0, 0.0, 5.0 * n), flat, (2.0, 2.0)) for n in range(20)]
    stack = stack_slices(grids)
    settings = IngestSettings(matrix=64)
    volume = convert(
        stack, [5.0] * 20, 64, 128, (2.0, 2.0), lambda _: np.full((64, 128), 50, np.float32), settings
    )
    assert volume.spacing_mm[:2] == pytest.approx((4.0, 4.0))
    assert (volume.array[:, 16:48] == 50).all()
    assert (volume.array[:, :16] == -1024).all()
    assert (volume.array[:, 48:] == -1024).all()
