import doctest

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.image import affine as geometry


def test_examples() -> None:
    result = doctest.testmod(geometry)
    assert result.attempted >= 5
    assert result.failed == 0


def test_axes_of_a_tilted_gantry_are_perpendicular() -> None:
    axes = geometry.slice_axes([1, 0, 0, 0, 0.9483237, -0.3173047])
    assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.allclose(axes[2], [0, 0.3173047, 0.9483237], atol=1e-6)


def test_an_affine_in_ras_places_dicom_points() -> None:
    axes = geometry.slice_axes([1, 0, 0, 0, 1, 0])
    affine = geometry.affine_from_axes(axes, (0.5, 0.6, 5.0), (-120, -110, 40))
    # Column 3, row 2, slice 1 lies at LPS (-118.5, -108.8, 45).
    assert np.allclose(geometry.apply_affine(affine, [3, 2, 1]), [118.5, 108.8, 45])


@given(st.permutations([0, 1, 2]), st.tuples(st.booleans(), st.booleans(), st.booleans()), st.floats(-25, 25))
def test_reordering_agrees_with_nibabel(order: list[int], signs: tuple[bool, ...], degrees: float) -> None:
    turn = np.radians(degrees)
    matrix = np.eye(4)
    matrix[1:3, 1:3] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    scale = np.array([0.5, 0.7, 5.0]) * np.where(signs, -1, 1)
    matrix[:3, :3] = (matrix[:3, :3] * scale)[:, order]
    matrix[:3, 3] = [3, 4, 5]
    shape = (4, 5, 6)
    found, reverse = geometry.canonical_axes(matrix)
    mine = geometry.reorder_affine(matrix, shape, found, reverse)
    theirs = nib.as_closest_canonical(nib.Nifti1Image(np.zeros(shape, np.int16), matrix))
    assert np.allclose(mine, theirs.affine)
    assert tuple(shape[axis] for axis in found) == theirs.shape


def test_equal_geometry_is_equal_bytes() -> None:
    affine = geometry.affine_from_axes(np.eye(3), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    assert not np.signbit(affine[affine == 0]).any()


def test_angle_ignores_the_sense_of_a_line() -> None:
    assert geometry.angle_degrees([0, 0, -1], [0, 0, 1]) == pytest.approx(0)
