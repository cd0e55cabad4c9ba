import numpy as np
from scipy import ndimage

from nameplate_skullstrip.smoothing import smooth_slices, smooth_volume


def test_smoothing_is_nearly_gaussian_and_mirrors_exactly():
    hu = np.random.default_rng(8).integers(-1000, 1000, (3, 40, 41)).astype(np.int16)
    smooth = smooth_slices(hu, 2.0, (1.0, 1.3))
    expected = ndimage.gaussian_filter(hu.astype(float), (0, 2.0, 2.0 / 1.3), mode="nearest", truncate=3.0)
    assert np.abs(smooth - expected).max() < 25.0
    for mirror in (np.s_[:, ::-1], np.s_[:, :, ::-1]):
        mirrored = smooth_slices(np.ascontiguousarray(hu[mirror]), 2.0, (1.0, 1.3))
        assert np.array_equal(mirrored, smooth[mirror])


def test_volume_smoothing_keeps_constants_and_mirrors_exactly():
    spacing = (5.0, 3.7, 3.6)
    assert np.allclose(smooth_volume(np.full((5, 6, 7), 200), 8.0, spacing), 200.0)
    values = np.random.default_rng(9).integers(0, 255, (9, 20, 21))
    smooth = smooth_volume(values, 8.0, spacing)
    assert np.array_equal(smooth_volume(values[::-1, ::-1], 8.0, spacing), smooth[::-1, ::-1])
