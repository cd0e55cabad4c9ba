import numpy as np
import pytest
import torch

from nameplate.image.window import Window
from nameplate.pack.packed import Pack
from nameplate_training.batches import divided


def test_an_epoch_is_every_row_once_in_equal_batches(learning, batches_of, tiny_pack) -> None:  # type: ignore[no-untyped-def]
    batches = batches_of(learning("spheres"), tiny_pack())
    rows = range(10)
    first, second = batches.of_epoch(rows, 1), batches.of_epoch(rows, 2)
    assert sorted(np.concatenate(first)) == list(rows)
    assert [len(part) for part in first] == [4, 3, 3]
    assert np.concatenate(first).tolist() != np.concatenate(second).tolist()
    again = batches_of(learning("spheres"), tiny_pack()).of_epoch(rows, 1)
    assert [part.tolist() for part in again] == [part.tolist() for part in first]


def test_rows_are_divided_as_evenly_as_can_be() -> None:
    assert [len(part) for part in divided(np.arange(552), 32)] == [31] * 12 + [30] * 6
    assert [len(part) for part in divided(np.arange(3), 32)] == [3]


@pytest.mark.parametrize("width", [100, 400])
def test_the_window_is_mapped_to_the_range(learning, batches_of, tiny_pack, width: int) -> None:  # type: ignore[no-untyped-def]
    window = Window(width=width, level=50)
    pack = tiny_pack(5)
    images = np.zeros((5, 16, 16, 16), dtype=window.dtype)
    images[:, 0], images[:, 1] = width, width // 2
    made = batches_of(learning("spheres", window=window, range=(-1, 1)), Pack(images, None, pack.samples))
    x = made.fixed([0, 1]).images
    assert x.shape == (2, 1, 16, 16, 16)
    assert x.dtype == torch.float32
    assert [x[0, 0, k, 0, 0].item() for k in range(3)] == pytest.approx([1, 0, -1], abs=1e-6)


def test_a_draw_depends_on_epoch_and_exam_alone(learning, batches_of, tiny_pack) -> None:  # type: ignore[no-untyped-def]
    batches = batches_of(learning("factor"), tiny_pack())
    alone, together = batches.training([4], 7).images, batches.training([1, 4, 2], 7).images
    assert alone.shape == (1, 3, 16, 16)
    assert torch.equal(alone[0], together[1])
    epochs = [batches.training([4], epoch).images for epoch in range(6)]
    assert not all(torch.equal(epochs[0], other) for other in epochs)
    other_run = batches_of(learning("factor"), tiny_pack(), "other")
    assert not all(torch.equal(epochs[n], other_run.training([4], n).images) for n in range(6))


def test_drawn_slices_are_whole_distinct_slices_of_the_exam(learning, batches_of, tiny_pack) -> None:  # type: ignore[no-untyped-def]
    pack = tiny_pack()
    plain = learning("factor", training={"flips": False})
    seen = set()
    for epoch in range(40):
        x = (batches_of(plain, pack).training([0], epoch).images[0] * 100).round().to(torch.uint8).numpy()
        slices = [int(np.flatnonzero((pack.images[0] == plane).all(axis=(1, 2)))[0]) for plane in x]
        assert len(set(slices)) == 3
        seen.update(slices)
    assert seen == set(range(16))


def test_evaluation_sees_the_same_slices_in_every_run(learning, batches_of, tiny_pack) -> None:  # type: ignore[no-untyped-def]
    one = batches_of(learning("factor"), tiny_pack(), "one").fixed([0, 3])
    two = batches_of(learning("factor"), tiny_pack(), "two").fixed([0, 3])
    assert torch.equal(one.images, two.images)
    assert not torch.equal(one.images[0], one.images[1])


def test_flips_turn_left_to_right_image_and_mask_alike(learning, batches_of, tiny_pack) -> None:  # type: ignore[no-untyped-def]
    batches = batches_of(learning("segmentation"), tiny_pack())
    straight = batches.fixed([0])
    turned = 0
    for epoch in range(40):
        drawn = batches.training([0], epoch)
        flip = not torch.equal(drawn.images, straight.images)
        expected = straight.images.flip(-1) if flip else straight.images
        assert torch.equal(drawn.images, expected)
        assert torch.equal(drawn.targets, straight.targets.flip(-1) if flip else straight.targets)
        turned += flip
    assert 10 <= turned <= 30


def test_where_nothing_is_trained_no_epoch_is_drawn(learning, batches_of, tiny_pack) -> None:  # type: ignore[no-untyped-def]
    batches = batches_of(learning("factor"), tiny_pack(), None)
    assert batches.fixed([0]).images.shape == (1, 3, 16, 16)
    with pytest.raises(ValueError, match="only a training run"):
        batches.of_epoch(range(4), 1)
    with pytest.raises(ValueError, match="only a training run"):
        batches.training([0], 1)
