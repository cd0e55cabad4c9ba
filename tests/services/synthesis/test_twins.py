"""Twins: one lesion a head, inside the brain of every exam of it."""

from typing import Any

import pytest

from nameplate.image.sphere import holds, occupancy
from nameplate.image.volume import read_nifti_bytes
from nameplate.steps.cohort import MEMBERS
from nameplate.steps.synthesis import REFUSALS, SAMPLES, Sample


def heads_of(walk: Any, dataset: str) -> dict[str, list[Sample]]:
    heads: dict[str, list[Sample]] = {}
    for row in SAMPLES.read_all(walk.committed(), cohort="study", dataset=dataset):
        heads.setdefault(row.patient, []).append(row)
    return heads


@pytest.mark.parametrize("dataset", ["easy", "hard"])
def test_a_head_has_one_sphere_and_every_exam_holds_it(walked_twins: Any, dataset: str) -> None:
    held = walked_twins.committed()
    new = 0
    for rows in heads_of(walked_twins, dataset).values():
        first, second = rows
        assert {first.level, second.level} == {"GE", "Siemens"}
        assert first.label == second.label == (first.sphere is not None)
        assert first.sphere == second.sphere
        if first.sphere is None or first.sphere.difficulty != dataset:
            continue
        new += 1
        for row in rows:
            assert row.mask is not None
            mask, image = (read_nifti_bytes(held.read(key)) for key in (row.mask, row.image))
            assert holds(mask, first.sphere.centre_mm, first.sphere.radius_mm)
            box, share = occupancy(image, first.sphere.centre_mm, first.sphere.radius_mm)
            inside = image.array[box][share == 1.0]
            assert inside.mean() == pytest.approx(first.sphere.hu_mean, abs=2.0)
    assert new == {"easy": 26, "hard": 10}[dataset]


def test_heads_differ_in_place_and_size(walked_twins: Any) -> None:
    spheres = [rows[0].sphere for rows in heads_of(walked_twins, "easy").values() if rows[0].sphere]
    assert len({sphere.centre_mm for sphere in spheres}) == len(spheres)
    assert len({sphere.radius_mm for sphere in spheres}) > 20


@pytest.mark.parametrize("dataset", ["original", "easy", "hard"])
def test_twins_that_look_the_same_still_do_so_with_their_sphere(
    walked_equal_twins: Any, dataset: str
) -> None:
    held = walked_equal_twins.committed()
    heads = heads_of(walked_equal_twins, dataset)
    assert len(heads) == 52
    for first, second in heads.values():
        assert first.image != second.image
        assert held.read(first.image) == held.read(second.image)
    images = {held.read(rows[0].image) for rows in heads.values()}
    assert len(images) == len(heads)


def test_the_lesion_is_that_of_the_head_on_whatever_grid(walked_twins: Any, walked_equal_twins: Any) -> None:
    """Radii are drawn by patient: they do not depend on the grids as long as there is room."""
    radii = [
        {
            patient: rows[0].sphere.radius_mm
            for patient, rows in heads_of(walk, "hard").items()
            if rows[0].sphere
        }
        for walk in (walked_twins, walked_equal_twins)
    ]
    assert radii[0] == radii[1]


def test_a_head_is_refused_whole_and_only_where_it_needs_a_sphere(walked_small_twins: Any) -> None:
    held = walked_small_twins.committed()
    members = MEMBERS.read(held, cohort="study")
    needy = {row.exam for row in members if row.positive and int(row.patient[1:]) % 3 == 0}
    assert len(needy) >= 4
    refused = REFUSALS.read_all(held, cohort="study", dataset="easy")
    assert {row.exam for row in refused} == needy
    for row in refused:
        assert row.reason.startswith("the brains of these twins have common room for a sphere of 1")
        assert row.reason.endswith(" mm, level easy needs 21")
    # The exams that hard would leave as they are in easy have no easy image to keep.
    assert not REFUSALS.read_all(held, cohort="study", dataset="hard")
    for dataset in ("easy", "hard"):
        kept = {row.exam for rows in heads_of(walked_small_twins, dataset).values() for row in rows}
        assert kept == {row.exam for row in members} - needy
        assert all(len(rows) == 2 for rows in heads_of(walked_small_twins, dataset).values())
