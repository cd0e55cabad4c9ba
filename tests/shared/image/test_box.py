import numpy as np

from nameplate.image.box import box_around


def test_box_keeps_the_margin_inside_the_array():
    mask = np.zeros((6, 8, 10), bool)
    mask[0, 3, 4:6] = True
    assert mask[box_around(mask, (2, 2, 2))].shape == (3, 5, 6)
    assert mask[box_around(mask, (0, 0, 0))].all()
