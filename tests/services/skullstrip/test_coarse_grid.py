import numpy as np
import pytest

from nameplate_skullstrip.coarse_grid import coarse_grid, refined, shares


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((35, 256, 256), (5.0, 0.86, 0.86)), ((34, 64, 64), (5.0, 4.0, 3.5)), ((90, 100, 80), (2.0, 2.0, 1.1))],
)
def test_grid_covers_the_same_box_with_cells_of_the_wanted_size(shape, spacing):
    grid = coarse_grid(shape, spacing, 3.7)
    for cells, size, count, length in zip(grid.shape, grid.spacing_mm, shape, spacing, strict=True):
        assert cells * size == pytest.approx(count * length)
        assert 2.5 < size < 5.2


@pytest.mark.parametrize("spacing", [(3.7, 0.9, 0.9), (1.0, 1.3, 0.9)])
def test_shares_keep_the_total(spacing):
    mask = np.random.default_rng(6).random((24, 50, 61)) < 0.4
    grid = coarse_grid(mask.shape, spacing, 3.7)
    assert shares(mask, grid).mean() == pytest.approx(mask.mean(), abs=1e-4)


def test_a_plane_survives_the_way_to_finer_voxels():
    cells = np.broadcast_to(np.arange(12, dtype=np.float32)[:, None, None] - 6.0, (12, 5, 5))
    fine = refined(np.ascontiguousarray(cells), (48, 20, 20))
    expected = np.clip((np.arange(48) + 0.5) / 4.0 - 0.5, 0, 11) - 6.0
    assert np.allclose(fine[:, 7, 7], expected, atol=0.02)
