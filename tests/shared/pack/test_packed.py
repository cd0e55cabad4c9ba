from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.errors import UserError
from nameplate.image.window import Window
from nameplate.pack.packed import integer_weights, open_pack, pack_mask, pack_volume, write_rows

WINDOW = Window(width=100, level=50)


@given(st.integers(1, 80), st.integers(1, 80))
def test_weights_sum_to_one_and_keep_the_extent(before: int, after: int) -> None:
    weights, total = integer_weights(before, after)
    assert weights.shape == (after, before)
    assert (weights >= 0).all()
    assert (weights.sum(axis=1) == total).all()
    if after <= before:
        # Every old slice is used fully: nothing falls between the new ones.
        assert (weights.sum(axis=0) == after).all()
    # Both ends look the same from either side.
    assert (weights[::-1, ::-1] == weights).all()


def test_a_ramp_stays_a_ramp() -> None:
    ramp = np.arange(40, dtype=np.int16)[np.newaxis, np.newaxis] * 2
    shrunk = pack_volume(ramp, Window(width=100, level=50), 20)[:, 0, 0]
    assert shrunk.tolist() == [4 * n + 1 for n in range(20)]
    grown, _ = integer_weights(4, 8)
    places = (grown * np.arange(4)).sum(axis=1) / 16
    assert places.tolist() == [0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0]


def test_thirty_five_slices_become_thirty_two_of_the_same_mean_and_axes() -> None:
    random = np.random.default_rng(3)
    hu_ijk = random.integers(10, 90, (5, 6, 35)).astype(np.int16)
    packed = pack_volume(hu_ijk, WINDOW, 32)
    assert packed.shape == (32, 6, 5)
    assert packed.dtype == np.uint8
    assert packed.mean() == pytest.approx(hu_ijk.mean(), abs=0.1)
    # The same by floating point.
    weights, total = integer_weights(35, 32)
    exact = np.tensordot(weights / total, hu_ijk.transpose(2, 1, 0).astype(float), 1)
    assert np.abs(packed - exact).max() <= 0.5 + 1e-9


def test_a_thin_bright_slice_survives_halving() -> None:
    hu_ijk = np.full((2, 2, 32), 30, dtype=np.int16)
    hu_ijk[..., 7] = 50
    assert pack_volume(hu_ijk, WINDOW, 16)[3].tolist() == [[40, 40], [40, 40]]


def test_values_are_averaged_before_they_are_clipped() -> None:
    hu_ijk = np.array([[[-1000, 1100]]], dtype=np.int16)
    assert pack_volume(hu_ijk, WINDOW, 1).item() == 50


def test_without_resampling_whole_hu_stay_exact() -> None:
    hu_ijk = np.arange(-10, 110, dtype=np.int16).reshape(2, 5, 12)
    assert (pack_volume(hu_ijk, WINDOW).transpose(2, 1, 0) == np.clip(hu_ijk, 0, 100)).all()
    wide = pack_volume(hu_ijk, Window(width=400, level=40))
    assert wide.dtype == np.uint16
    assert (wide.transpose(2, 1, 0) == hu_ijk + 160).all()


def test_masks_take_the_majority() -> None:
    mask_ijk = np.zeros((1, 1, 4), dtype=np.uint8)
    mask_ijk[..., 1:3] = 1
    assert pack_mask(mask_ijk).ravel().tolist() == [0, 1, 1, 0]
    assert pack_mask(mask_ijk, 2).ravel().tolist() == [1, 1]
    mask_ijk[..., 2] = 0
    assert pack_mask(mask_ijk, 1).ravel().tolist() == [0]


def test_rows_are_written_one_by_one_and_mapped_back(tmp_path: Path, tiny_pack) -> None:  # type: ignore[no-untyped-def]
    pack = tiny_pack(10)
    write_rows(tmp_path / "images.npy", 10, iter(pack.images))
    write_rows(tmp_path / "masks.npy", 10, iter(pack.masks))
    opened = open_pack(tmp_path / "images.npy", tmp_path / "masks.npy", pack.samples)
    assert isinstance(opened.images, np.memmap)
    assert (opened.images == pack.images).all()
    assert (opened.masks == pack.masks).all()
    assert opened.spatial == (16, 16, 16)
    assert opened.rows("val") == (3, 8)
    assert opened.rows("val", ["GE"]) == (8,)
    # Exactly what numpy itself would have written.
    np.save(tmp_path / "plain.npy", pack.images)
    assert (tmp_path / "plain.npy").read_bytes() == (tmp_path / "images.npy").read_bytes()


def test_files_that_do_not_fit_are_refused(tmp_path: Path, tiny_pack) -> None:  # type: ignore[no-untyped-def]
    pack = tiny_pack(10)
    path = tmp_path / "images.npy"
    with pytest.raises(UserError, match="10 rows got 3"):
        write_rows(path, 10, iter(pack.images[:3]))
    with pytest.raises(UserError, match="not a packed dataset"):
        open_pack(path, None, pack.samples)
    with pytest.raises(UserError, match="row 1 of a pack"):
        write_rows(path, 2, [pack.images[0], pack.images[0].astype(np.uint16)])
    write_rows(path, 10, iter(pack.images))
    with pytest.raises(UserError, match="9 samples"):
        open_pack(path, None, pack.samples[:9])
