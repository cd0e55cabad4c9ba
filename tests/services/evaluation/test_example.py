import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from nameplate.image.volume import Volume
from nameplate.steps.synthesis import Sphere
from nameplate_evaluation.example import example_of, example_svg

AFFINE = np.array([[2.0, 0, 0, -20], [0, 4.0, 0, -30], [0, 0, 5.0, 100], [0, 0, 0, 1]])


def volume():
    array = np.full((20, 16, 9), 10, dtype=np.int16)
    array[15, 3, 6] = 90
    return Volume(array, AFFINE)


def test_slice_goes_through_the_sphere_and_is_turned_as_radiologists_look():
    centre = (AFFINE @ [15, 3, 6, 1])[:3]
    sphere = Sphere(difficulty="easy", centre_mm=tuple(centre), radius_mm=8.0, hu_mean=50, hu_sd=2)
    found = example_of("e1", "GE", "easy", volume(), sphere=sphere)
    assert found.image.shape == (16, 20)
    row, column = np.argwhere(found.image == 90)[0]
    assert (column, row) == (20 - 1 - 15, 16 - 1 - 3)
    assert found.ellipse == pytest.approx((column, row, 8 / 2, 8 / 4))
    assert found.aspect == 2.0


def test_ring_is_the_cut_of_the_slice_and_not_the_equator():
    centre = (AFFINE @ [10, 8, 6.4, 1])[:3]
    sphere = Sphere(difficulty="easy", centre_mm=tuple(centre), radius_mm=8.0, hu_mean=50, hu_sd=2)
    found = example_of("e1", "GE", "easy", volume(), sphere=sphere)
    assert found.ellipse[2] == pytest.approx(np.sqrt(8**2 - 2.0**2) / 2)


def test_without_a_sphere_the_largest_slice_of_the_mask_is_shown():
    mask = np.zeros((20, 16, 9), dtype=np.uint8)
    mask[5:8, 5:8, 2] = 1
    mask[4:9, 4:9, 7] = 1
    found = example_of("e1", "GE", "skull", volume(), mask=Volume(mask, AFFINE))
    assert found.mask.sum() == 25
    assert found.ellipse is None


def test_picture_holds_the_window_and_the_outline():
    mask = np.zeros((20, 16, 9), dtype=np.uint8)
    mask[0:3, 0:3, 4] = 1
    found = example_of("e1", "GE", "skull", volume(), mask=Volume(mask, AFFINE))
    svg = example_svg(found)
    data = base64.b64decode(re.search(r"base64,([^\"]+)", svg).group(1))
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    assert pixels.shape == (16, 20)
    assert (pixels == 26).all()
    points = np.array(re.findall(r"([\d.]+) ([\d.]+)", re.search(r'd="([^"]+)"', svg).group(1)), dtype=float)
    # The corner of the mask is the patient's left back: right and below in the picture.
    assert points.min(axis=0) == pytest.approx([17, 26])
    assert points.max(axis=0) == pytest.approx([20, 32])


def test_same_example_gives_the_same_bytes():
    first, second = (example_svg(example_of("e1", "GE", "x", volume())) for _ in range(2))
    assert first == second
