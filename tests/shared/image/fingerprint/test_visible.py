"""What a slice shows: field, air, head."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate.image.fingerprint.visible import (
    fields_of,
    heads_of,
    hidden,
    middle_slices,
    some_middle_slices,
)

from .drawn_head import drawn_head


def test_the_field_is_what_is_not_padding() -> None:
    slices = drawn_head(padding=-2000.0, noise=4.0)
    fields = fields_of(slices.hu)
    assert fields.padding == -2000
    assert fields.boxes.min(axis=0)[[0, 2]].max() <= 6
    assert fields.seen[0].mean() == pytest.approx(np.pi / 4, abs=0.02)
    shifted = np.full((8, 160, 128), -2000, np.float32)
    shifted[:, 20:148] = slices.hu
    box = fields_of(shifted).boxes[0]
    assert box.tolist() == (fields.boxes[0] + [20, 20, 0, 0]).tolist()


def test_noise_in_the_corners_is_no_padding() -> None:
    fields = fields_of(drawn_head(noise=4.0).hu)
    assert fields.padding is None
    assert fields.seen.all()
    unknown = fields_of(np.full((2, 8, 8), np.nan, np.float32))
    assert unknown.padding is None
    assert not unknown.boxes.any()


def test_the_head_ends_at_its_skin() -> None:
    slices = drawn_head(table_hu=100.0, noise=4.0)
    heads = heads_of(slices.hu, slices.brain, slices.pixel_mm)
    area = heads[0].sum() * slices.pixel_mm[0] ** 2
    assert area == pytest.approx(np.pi * 95 * 80, rel=0.02)
    assert not heads_of(slices.hu, np.zeros_like(slices.brain), slices.pixel_mm).any()


def test_why_nothing_is_seen_outside_the_head() -> None:
    slices = drawn_head(noise=4.0)
    assert hidden(slices) is None
    cut = replace(slices, hu=np.clip(slices.hu, 0, 80))
    assert "window" in str(hidden(cut))
    alone = replace(slices, hu=np.where(slices.brain, slices.hu, np.float32(30)))
    assert "brain" in str(hidden(alone))
    unknown = replace(slices, hu=np.full_like(slices.hu, np.nan))
    assert "value" in str(hidden(unknown))


def test_middle_slices_have_a_large_brain() -> None:
    brain = np.zeros((30, 10, 10), bool)
    brain[5:25, :8] = True
    brain[3:5, :2] = True
    assert middle_slices(brain).tolist() == list(range(5, 25))
    assert len(some_middle_slices(brain)) <= 6
    assert not len(some_middle_slices(np.zeros_like(brain)))
