import time

import numpy as np
import pytest

from nameplate.campaign.skullstrip import SkullstripSettings
from nameplate.image.volume import Volume
from nameplate_skullstrip.strip import skullstrip

GOOD = [
    "plain", "full matrix noise 20", "fine", "demo 3.5 mm", "demo 4 mm", "demo 4 mm noise 15",
    "demo 4 mm tilt 20", "demo 4 mm craniectomy 45", "noise 10", "noise 20", "craniectomy 25",
    "craniectomy 35", "craniectomy 45", "bleed 8", "bleed 15", "tilt 10", "tilt 25", "tilt -15",
    "base cropped", "vertex cropped", "both cropped", "child 0.8", "large 1.1",
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_simulated_heads_reach_dice_and_volume(head, name):
    image, truth = head.simulate_head(head.PLANS[name])
    stripped = skullstrip(image)
    assert head.dice(stripped.mask.array, truth.array) >= (0.98 if "craniectomy" in name else 0.985)
    # The floor of the frontal fossa, flat here, just misses the mask where the cropped head seems larger.
    volume = 0.016 if name in ("vertex cropped", "both cropped") else 0.015
    assert abs(stripped.volume_ml / (truth.array.sum() * truth.voxel_ml) - 1.0) <= volume
    assert stripped.usable
    assert stripped.mask.array.dtype == np.uint8
    assert np.array_equal(stripped.mask.affine, image.affine)
    assert ("bone-defect" in stripped.flags) == (name.endswith(("35", "45")))
    assert ("base-cropped" in stripped.flags) == (name in ("base cropped", "both cropped"))
    assert ("vertex-cropped" in stripped.flags) == (name in ("vertex cropped", "both cropped"))


@pytest.mark.parametrize(
    ("name", "dice", "volume"),
    [
        ("gas 8", 0.98, 0.04),
        ("child 0.6", 0.98, 0.025),
        ("newborn 0.5", 0.98, 0.03),
        ("slices 7.5 mm", 0.98, 0.03),
    ],
)
def test_known_weaknesses_stay_within_bounds(head, name, dice, volume):
    image, truth = head.simulate_head(head.PLANS[name])
    stripped = skullstrip(image)
    assert head.dice(stripped.mask.array, truth.array) >= dice
    assert abs(stripped.volume_ml / (truth.array.sum() * truth.voxel_ml) - 1.0) <= volume


def test_thick_slices_are_flagged_and_still_usable(head):
    stripped = skullstrip(head.simulate_head(head.PLANS["slices 10 mm"])[0])
    assert "thick-slices" in stripped.flags
    assert stripped.usable


def test_scanner_that_reads_low_keeps_the_csf_with_a_lower_bound(head):
    image, truth = head.simulate_head(head.HeadPlan(offset_hu=-28, noise_hu=10))
    default, lower = skullstrip(image), skullstrip(image, SkullstripSettings(tissue_low_hu=-45))
    assert head.dice(lower.mask.array, truth.array) >= 0.97
    assert head.dice(lower.mask.array, truth.array) > head.dice(default.mask.array, truth.array)


@pytest.mark.parametrize(
    ("shape", "spacing"), [((127, 129, 35), (1.8, 1.77, 5.0)), ((64, 64, 34), (3.5, 3.5, 5.0))]
)
def test_mirrored_and_reordered_heads_give_the_same_mask(head, shape, spacing):
    plan = head.HeadPlan(shape=shape, spacing_mm=spacing, noise_hu=12, tilt_degrees=6)
    image, _ = head.simulate_head(plan)
    mask = skullstrip(image).mask.array
    for mirror in (np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1]):
        assert np.array_equal(skullstrip(image.with_array(image.array[mirror])).mask.array, mask[mirror])

    upside_down = image.affine.copy()
    upside_down[:, 3] += upside_down[:, 2] * (shape[2] - 1)
    upside_down[:, 2] *= -1
    reversed_slices = skullstrip(Volume(image.array[:, :, ::-1], upside_down))
    assert np.array_equal(reversed_slices.mask.array[:, :, ::-1], mask)

    turned = Volume(image.array.transpose(2, 0, 1), image.affine[:, [2, 0, 1, 3]])
    assert np.array_equal(skullstrip(turned).mask.array.transpose(1, 2, 0), mask)


def test_same_head_gives_the_same_mask_whatever_its_number_type(head):
    image, _ = head.simulate_head(head.PLANS["demo 4 mm"])
    first = skullstrip(image)
    for kind in (np.int32, np.float32, np.float64):
        again = skullstrip(image.with_array(image.array.astype(kind)))
        assert np.array_equal(again.mask.array, first.mask.array)
        assert (again.volume_ml, again.flags) == (first.volume_ml, first.flags)


@pytest.mark.parametrize("value", [-1000, 0, 40, 1000, 32767, -32768])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 1), (64, 64, 1), (2, 64, 40), (64, 64, 20)])
def test_uniform_volumes_are_refused_by_flag(value, shape):
    stripped = skullstrip(Volume(np.full(shape, value, np.int16), np.diag([3.0, 3.0, 5.0, 1.0])))
    assert stripped.flags[0] == "no-brain"
    assert not stripped.usable
    assert stripped.mask.array.shape == shape


@pytest.mark.parametrize(
    "spacing", [(1e-6, 1e-6, 1e-6), (0.01, 0.5, 30.0), (500.0, 500.0, 900.0), (0.0, 0.0, 0.0)]
)
def test_absurd_voxel_sizes_are_refused_by_flag(head, spacing):
    array = head.simulate_head(head.PLANS["demo 4 mm"])[0].array
    assert not skullstrip(Volume(array, np.diag([*spacing, 1.0]))).usable


def test_noise_nan_and_odd_number_types_are_refused_by_flag():
    rng = np.random.default_rng(5)
    affine = np.diag([3.0, 3.0, 5.0, 1.0])
    nothing = np.full((40, 40, 20), np.nan)
    wild = rng.normal(0, 1e30, (40, 40, 20))
    arrays = [nothing, wild, np.where(wild > 0, np.inf, -np.inf), wild > 0]
    arrays += [(wild > 0).astype(np.uint16) * 60000, (wild > 0).astype(np.int8)]
    arrays += [rng.integers(-1000, 1000, (40, 40, 20)).astype(np.int16), np.zeros((0, 4, 4), np.int16)]
    for array in arrays:
        assert not skullstrip(Volume(array, affine)).usable
    broken = affine.copy()
    broken[0, 0] = np.nan
    assert not skullstrip(Volume(np.zeros((4, 4, 4), np.int16), broken)).usable


def test_head_without_a_brain_is_refused(head):
    image, truth = head.simulate_head(head.PLANS["plain"])
    hollow = np.where(truth.array > 0, np.int16(-1000), image.array)
    assert "no-brain" in skullstrip(image.with_array(hollow)).flags
    assert not skullstrip(image.with_array(hollow)).usable
    bright = np.where(truth.array > 0, np.int16(80), image.array)
    assert "no-brain" in skullstrip(image.with_array(bright)).flags


def test_an_exam_takes_a_fraction_of_a_second(head):
    image, _ = head.simulate_head(head.PLANS["full matrix"])
    skullstrip(image)
    fastest = min(_seconds(image) for _ in range(3))
    # 0.15 s on an idle core is the aim; the bound leaves room for a busy machine.
    assert fastest < 0.6


def _seconds(image: Volume) -> float:
    start = time.perf_counter()
    skullstrip(image)
    return time.perf_counter() - start
