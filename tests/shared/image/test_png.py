"""PNG files: another reader finds the same pixels and colours."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from nameplate.image.png import png_bytes, size_of


def read(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.format == "PNG"
        assert not image.info.keys() - {"transparency"}  # no text, time or resolution
        return np.asarray(image.convert("RGB"))


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 256), st.integers(0, 2**32 - 1))
def test_another_reader_sees_the_same(rows: int, columns: int, colours: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    index = rng.integers(0, colours, (rows, columns)).astype(np.uint8)
    palette = rng.integers(0, 256, (colours, 3))
    data = png_bytes(index, [(int(r), int(g), int(b)) for r, g, b in palette])
    assert np.array_equal(read(data), palette[index])
    assert size_of(data) == (columns, rows)


def test_few_colours_take_few_bits() -> None:
    noise = np.random.default_rng(1).integers(0, 2, (100, 100)).astype(np.uint8)
    grey = [(level, level, level) for level in range(17)]
    assert len(png_bytes(noise, grey[:2])) < 1500 < len(png_bytes(noise, grey[:16])) * 1.2


def test_what_is_no_picture() -> None:
    with pytest.raises(ValueError, match="place 2 in a palette of 2"):
        png_bytes(np.full((2, 2), 2, np.uint8), [(0, 0, 0), (1, 1, 1)])
    with pytest.raises(ValueError, match="rows and columns"):
        png_bytes(np.zeros((0, 3), np.uint8), [(0, 0, 0)])
    for data in (
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        png_bytes(np.zeros((1, 1), np.uint8), [(0, 0, 0)])[1:],
    ):
        with pytest.raises(ValueError, match="not a PNG"):
            size_of(data)
