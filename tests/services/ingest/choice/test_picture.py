"""Looks at heads that must pass and at everything else that must not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_scenes import (
    Vessels,
    chest,
    crude_head,
    head_and_chest,
    moved,
    painted,
    skullstrip_heads,
    two_heads,
    volume_of,
    water_bottle,
)

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.image.volume import Volume, read_nifti
from nameplate_ingest.choice.picture import Look, look
from nameplate_ingest.ingest import ingest_folder
from nameplate_phantom.study import simulate_study

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"
HEADS = skullstrip_heads()
PLAIN = (
    "plain",
    "demo 4 mm",
    "demo 4 mm noise 15",
    "noise 20",
    "craniectomy 45",
    "bleed 15",
    "gas 8",
    "tilt 25",
    "tilt -15",
    "child 0.8",
    "child 0.6",
    "large 1.1",
    "reads 12 low",
    "slices 7.5 mm",
    "slices 10 mm",
)


def _refusing(seen: Look) -> set[str]:
    return {finding.name for finding in seen.findings if finding.refuses}


@pytest.fixture(scope="module")
def plain() -> Volume:
    """A head of 128 x 128 pixels."""
    image, _ = HEADS.simulate_head(HEADS.PLANS["plain"], 2)
    assert isinstance(image, Volume)
    return image


@pytest.mark.parametrize("name", PLAIN)
def test_heads_of_all_kinds_pass_without_a_finding(name):
    image, truth = HEADS.simulate_head(HEADS.PLANS[name], 2)
    seen = look(image)
    assert seen.findings == ()
    assert HEADS.dice(seen.mask(), truth.array) > 0.9
    assert seen.brain_ml == pytest.approx(float(truth.array.sum()) * image.voxel_ml, rel=0.12)
    offset = HEADS.PLANS[name].offset_hu
    assert 25 < seen.brain_hu - offset < 38


@pytest.mark.parametrize("pixel_mm", [1.8, 3.6, 4.6])
@pytest.mark.parametrize("gap_mm", [3.0, 5.0])
@pytest.mark.parametrize("blob_hu", [0.0, 60.0, 100.0])
def test_crude_heads_pass(pixel_mm, gap_mm, blob_hu):
    scene = crude_head(blob_hu=blob_hu)
    assert (
        look(volume_of(scene, matrix=round(225 / pixel_mm), pixel_mm=pixel_mm, gap_mm=gap_mm)).findings == ()
    )


@pytest.mark.parametrize(
    ("number", "matrix"), [*((number, 128) for number in range(8)), (0, 32), (1, 32), (0, 64), (1, 64)]
)
def test_simulated_studies_pass(tmp_path, number, matrix):
    """In large pixels too, where skin beside air has the HU of lung."""
    plan = PhantomSettings(
        exams=8, manufacturers=("GE", "Siemens", "Philips", "Canon"), matrix=128, thin_mm=5.0, bone_share=0.0
    )
    simulate_study(plan, seed=11, cohort="look", number=number, out=tmp_path / "in")
    ingest_folder(tmp_path / "in", tmp_path / "out", IngestSettings(matrix=matrix), key=b"k" * 16)
    [path] = (tmp_path / "out" / "images").glob("*.nii.gz")
    seen = look(read_nifti(path))
    assert seen.findings == ()
    assert 900 < seen.brain_ml < 1700


@pytest.mark.parametrize(
    ("scene", "options", "name"),
    [
        (chest, {"pixel_mm": 6.0}, "no-head"),
        (chest, {"pixel_mm": 3.6}, "no-head"),
        (head_and_chest, {"pixel_mm": 6.2, "low_mm": -400.0}, "body"),
        (head_and_chest, {"pixel_mm": 9.4, "low_mm": -800.0}, "body"),
        (water_bottle, {}, "no-bone"),
        (two_heads, {"pixel_mm": 4.5}, "several-heads"),
        (crude_head(0.0), {}, "brain-hu"),
        (crude_head(75.0), {}, "brain-hu"),
        (crude_head(-1000.0), {}, "phantom"),
        (crude_head(120.0), {}, "phantom"),
        (crude_head(), {"pixel_mm": 1.6}, "no-head"),
        (crude_head(), {"pixel_mm": 1.9}, "head-cut"),
        (crude_head(), {"pixel_mm": 2.2}, "head-cut"),
        (crude_head(), {"shift_mm": (75.0, 0.0)}, "head-cut"),
        (crude_head(), {"shift_mm": (0.0, -90.0)}, "head-cut"),
        (crude_head(), {"high_mm": 25.0}, "brain-cut"),
        (crude_head(), {"low_mm": 0.0}, "brain-cut"),
    ],
)
def test_what_is_no_whole_head_is_refused(scene, options, name):
    assert name in _refusing(look(volume_of(scene, **options)))


def test_a_scale_that_is_not_in_hounsfield_units_is_refused(plain):
    for shift in (1024, -700):
        moved = np.clip(plain.array.astype(int) + shift, -1024, 3071).astype(np.int16)
        assert _refusing(look(plain.with_array(moved)))
    assert "no-air" in _refusing(look(plain.with_array(np.maximum(plain.array, -400).astype(np.int16))))


def test_a_small_field_of_a_real_shape_is_refused(plain):
    for half, middle in ((28, 64), (34, 70)):
        part = plain.array[middle - half : middle + half, middle - half : middle + half]
        assert _refusing(look(Volume(part, plain.affine)))
        i, j = np.ogrid[-half:half, -half:half]
        # The same, cut off by the circle that scanners reconstruct.
        circle = np.where((np.hypot(i + 0.5, j + 0.5) > half)[:, :, None], -1024, part).astype(np.int16)
        assert _refusing(look(Volume(circle, plain.affine)))


def test_a_little_missing_is_a_note_and_much_refuses():
    for missing, weight in ((20, "note"), (60, "refuses")):
        plan = replace(HEADS.PLANS["plain"], shape=(128, 128, 33 - missing // 5))
        image, _ = HEADS.simulate_head(plan, 2)
        [finding] = look(image).findings
        assert (finding.name, finding.weight) == ("brain-cut", weight)


@pytest.mark.parametrize(("hu", "what"), [(350, "ac"), (250, "asc"), (180, "asc"), (150, "sc"), (160, "s")])
@pytest.mark.parametrize("name", ["plain", "demo 4 mm", "noise 10"])
def test_a_contrast_agent_is_seen(hu, what, name):
    image, truth = HEADS.simulate_head(HEADS.PLANS[name], 2)
    vessels = Vessels(image, truth.array > 0)
    parts = {"a": vessels.arteries(), "s": vessels.sinuses(), "c": vessels.cortex()}
    agent = painted(image, [line for letter in what for line in parts[letter]], hu)
    assert "enhanced" in _refusing(look(agent))


def test_lime_metal_blood_and_tubes_are_no_agent(plain):
    seen = look(plain)
    middle = np.array([np.average(axis) for axis in np.nonzero(seen.mask())]) * plain.spacing_mm
    shunt = [([moved(middle, 30, -60, 30), moved(middle, 5, 10, 10)], 1.3)]
    electrodes = [([moved(middle, s * 35, 30, 45), moved(middle, s * 12, 0, -10)], 0.8) for s in (-1, 1)]
    lime = [([moved(middle, s * 18, -30, 10)], 5.0) for s in (-1, 1)]
    lime += [([moved(middle, 0, -20, 5)], 3.5), ([moved(middle, 0, 50, 30), moved(middle, 0, 40, 40)], 1.5)]
    nuclei = [([moved(middle, s * 22, 8, 0), moved(middle, s * 24, 0, 3)], 4.0) for s in (-1, 1)]
    clot = [([moved(middle, 25, 0, 10)], 28.0)]
    for lines, hu in ((shunt, 350), (electrodes, 2500), (lime, 300), (nuclei, 160), (clot, 88)):
        assert look(painted(plain, lines, hu)).findings == ()


def test_a_clip_with_streaks_is_no_agent(plain):
    image = plain.array.astype(float)
    i, j = np.ogrid[:128, :128]
    far, angle = np.hypot(i - 68, j - 74) * 1.8, np.arctan2(j - 74, i - 68)
    for k in (13, 14, 15):
        image[:, :, k] += np.where(far < 3, 3000, 300 * np.cos(14 * angle) * np.exp(-far / 40))
    seen = look(plain.with_array(np.clip(np.rint(image), -1024, 3071).astype(np.int16)))
    assert seen.findings == ()


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(0, 24), st.integers(0, 24), st.integers(0, 12)),
    spacing=st.tuples(*[st.floats(0.001, 300.0)] * 3),
    seed=st.integers(0, 99),
    kind=st.sampled_from(["constant", "noise", "blocks"]),
)
def test_any_volume_gets_an_answer_that_mirrors(shape, spacing, seed, kind):
    rng = np.random.default_rng(seed)
    if kind == "blocks":
        array = rng.choice(np.array([-1000, 35, 1000], np.int16), shape)
    else:
        array = rng.integers(-32768, 32767, shape if kind == "noise" else (1, 1, 1)).astype(np.int16)
        array = np.broadcast_to(array, shape)
    affine = np.diag([*spacing, 1.0])
    seen, mirrored = look(Volume(array, affine)), look(Volume(array[::-1], affine))
    assert seen.mask().shape == shape
    assert seen.findings
    assert mirrored.findings == seen.findings
    assert np.array_equal(mirrored.brain[::-1], seen.brain)
    assert mirrored.brain_hu == seen.brain_hu


def test_a_mirrored_head_gives_the_mirrored_mask_and_equal_findings(plain):
    truth = look(plain).mask()
    vessels = Vessels(plain, truth)
    for image in (plain, painted(plain, vessels.arteries() + vessels.sinuses(), 200)):
        seen, again = look(image), look(image)
        mirrored = look(image.with_array(image.array[::-1]))
        assert seen.findings == again.findings == mirrored.findings
        assert seen.enhancement == mirrored.enhancement
        assert np.array_equal(mirrored.brain[::-1], seen.brain)


def test_findings_come_by_weight():
    seen = look(volume_of(crude_head(58.0), shift_mm=(75.0, 0.0)))
    weights = [finding.weight for finding in seen.findings]
    assert weights == sorted(weights, key=("refuses", "doubtful", "note").index)
    assert {"refuses", "doubtful"} <= set(weights)


def test_an_affine_without_numbers_gets_an_answer(plain):
    assert look(Volume(plain.array[:9, :9, :9], np.full((4, 4), np.nan))).findings


@pytest.mark.parametrize(
    ("folder", "refused"),
    [
        ("ge-hispeed-head", set()),
        ("philips-ingenuity-phantom", {"phantom"}),
    ],
)
def test_real_series(tmp_path, folder, refused):
    if not (DATA / folder).is_dir():
        pytest.skip("real data not at hand")
    ingest_folder(DATA / folder, tmp_path / "out", IngestSettings(matrix=256), key=b"k" * 16)
    paths = list((tmp_path / "out" / "images").glob("*.nii.gz"))
    if refused and not paths:
        return  # ingest itself has refused it
    seen = look(read_nifti(paths[0]))
    assert _refusing(seen) == refused
    if refused:
        return
    assert seen.findings == ()
    assert 1350 < seen.brain_ml < 1550
    image = read_nifti(paths[0])
    noise = np.random.default_rng(2).normal(0.0, 20.0, image.array.shape)
    for changed in (image.array + 10, image.array - 10, image.array + noise, image.array[:, :, 2:]):
        assert look(Volume(np.rint(changed).astype(np.int16), image.affine)).findings == ()
    vessels = Vessels(image, seen.mask() & (image.array > -20) & (image.array < 110))
    for lines, hu in (
        (vessels.arteries() + vessels.cortex(), 350),
        (vessels.sinuses() + vessels.arteries(), 150),
        (vessels.sinuses(), 140),
    ):
        assert "enhanced" in _refusing(look(painted(image, lines, hu)))
