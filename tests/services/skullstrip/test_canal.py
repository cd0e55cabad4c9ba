import numpy as np

from nameplate_skullstrip.canal import without_canal


def test_slices_of_the_canal_are_dropped_and_the_brain_kept():
    mask = np.zeros((12, 20, 20), bool)
    mask[:4, 9:11, 9:11] = True
    mask[4:, 3:17, 3:17] = True
    kept = without_canal(mask, cell_cm2=0.137, size=1.0)
    assert not kept[:4].any()
    assert np.array_equal(kept[4:], mask[4:])


def test_a_scan_that_starts_in_the_brain_loses_nothing():
    mask = np.zeros((6, 20, 20), bool)
    mask[:5, 3:17, 3:17] = True
    mask[5, 9:11, 9:11] = True
    assert np.array_equal(without_canal(mask, 0.137, 1.0), mask)
    assert not without_canal(np.zeros_like(mask), 0.137, 1.0).any()
