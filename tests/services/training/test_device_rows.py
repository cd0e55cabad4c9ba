from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nameplate.image.window import Window
from nameplate.pack.packed import Pack
from nameplate_training import batches as batches_module
from nameplate_training.device_rows import DeviceRows, fits_on, small_tensor

CPU = torch.device("cpu")


@given(st.data(), st.sampled_from([np.uint8, np.uint16]))
def test_exams_are_gathered_as_numpy_gathers_them(data: st.DataObject, dtype: type) -> None:
    source: NDArray[Any] = np.random.default_rng(3).integers(0, 250, (6, 5, 4, 3)).astype(dtype)
    source.flags.writeable = False  # as a mapped file's
    kept = DeviceRows(source, CPU)
    for _ in range(2):  # the second time some are there already
        rows = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=8))
        flips = [data.draw(st.booleans()) for _ in rows]
        count = data.draw(st.none() | st.integers(1, 5))
        slices = [
            None if count is None else np.array(data.draw(st.permutations(range(5)))[:count]) for _ in rows
        ]
        whole = [
            source[row] if drawn is None else source[row][drawn]
            for row, drawn in zip(rows, slices, strict=True)
        ]
        expected = np.stack([x[..., ::-1] if flip else x for x, flip in zip(whole, flips, strict=True)])
        found = kept.gathered(rows, slices, flips)
        assert found.shape == expected.shape
        assert found.element_size() == source.itemsize
        assert (found.numpy() == expected).all()


def test_an_exam_is_read_once() -> None:
    source = np.arange(24, dtype=np.uint8).reshape(2, 3, 2, 2)
    kept = DeviceRows(source, CPU)
    before = kept.gathered([1], [None], [False])
    source[:] = 0
    assert torch.equal(kept.gathered([1], [None], [False]), before)
    assert kept.gathered([0], [None], [False]).sum() == 0


def test_the_whole_of_a_wide_window_fits_the_signed_type() -> None:
    assert small_tensor(np.array([0, 4096], dtype=np.uint16)).tolist() == [0, 4096]


def test_nothing_is_kept_on_a_cpu() -> None:
    assert not fits_on(CPU, np.zeros(1, dtype=np.uint8), None)


class Properties:
    total_memory = 800


@pytest.mark.parametrize(("sizes", "fits"), [((100, None), True), ((60, 40), True), ((60, 41), False)])
def test_a_pack_may_fill_an_eighth_of_the_card(
    sizes: tuple[int, int | None], fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Properties)
    arrays = [None if size is None else np.zeros(size, dtype=np.uint8) for size in sizes]
    assert fits_on(torch.device("cuda"), *arrays) == fits


@pytest.mark.parametrize("task", ["factor", "spheres", "segmentation"])
@pytest.mark.parametrize("width", [100, 400])
def test_batches_are_the_same_from_the_card_and_from_the_file(
    task: str, width: int, learning: Any, batches_of: Any, tiny_pack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, pack = Window(width=width, level=50), tiny_pack()
    settings = learning(task, window=window)
    pack = Pack(pack.images.astype(window.dtype), pack.masks, pack.samples)
    streamed = batches_of(settings, pack)
    wanted = [streamed.training([3, 0, 7], 2), streamed.fixed([1, 2])]
    monkeypatch.setattr(batches_module, "fits_on", lambda *_: True)
    kept = batches_of(settings, pack)
    for one, other in zip(wanted, [kept.training([3, 0, 7], 2), kept.fixed([1, 2])], strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.targets, other.targets)
        assert one.images.shape == other.images.shape
        assert one.images.dtype == other.images.dtype == torch.float32
