import numpy as np

from nameplate_skullstrip.opening import opened


def test_a_ball_keeps_its_shape_and_loses_what_hangs_on_a_bridge():
    spacing = (4.0, 4.0, 4.0)
    k, i, j = np.ogrid[:40, :40, :60]
    brain = np.hypot(np.hypot(k - 20, i - 20), j - 20) < 13
    orbit = np.hypot(np.hypot(k - 20, i - 20), j - 44) < 5
    bridge = (abs(k - 20) < 2) & (abs(i - 20) < 2) & (j > 20) & (j < 44)
    kept = opened(brain | orbit | bridge, spacing, 1.0)
    assert (kept & brain).sum() > 0.98 * brain.sum()
    assert not (kept & orbit).any()


def test_nothing_thick_leaves_nothing():
    assert not opened(np.zeros((5, 5, 5), bool), (4.0, 4.0, 4.0), 1.0).any()
