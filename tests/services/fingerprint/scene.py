"""Small noisy heads in a shell of bone, for the tests of the fingerprint."""

import numpy as np

from nameplate.image.volume import Volume
from nameplate.streams import stream


def head(seed: int = 1, matrix: int = 96, slices: int = 16, sd: float = 4.0) -> tuple[Volume, Volume]:
    """A head of int16 HU in a field of 220 mm, 5 mm slices, and its mask."""
    mm = 220.0 / matrix
    axes = [(np.arange(n) - (n - 1) / 2) * step for n, step in ((matrix, mm), (matrix, mm), (slices, 5.0))]
    i, j, k = np.meshgrid(*axes, indexing="ij")
    far = np.sqrt((i / 72) ** 2 + (j / 86) ** 2 + (k / 90) ** 2)
    hu = np.select([far < 0.2, far < 0.9, far < 1.0, far < 1.06], [8.0, 34.0, 1100.0, 20.0], -1000.0)
    hu += stream(seed, "head").normal(0.0, sd, hu.shape)
    affine = np.diag([mm, mm, 5.0, 1.0])
    return Volume(np.rint(hu).astype(np.int16), affine), Volume((far < 0.9).astype(np.uint8), affine)
