"""Spheres by difficulty: saved centres, shares, radii."""

import numpy as np
import pytest

from nameplate.campaign.dataset import DifficultySettings
from nameplate.image.sphere import holds, room_mm
from nameplate.image.volume import Volume
from nameplate.steps.cohort import Member
from nameplate.steps.synthesis import Sphere
from nameplate_synthesis.difficulty import NoRoom, changes, draw_sphere

EASY = DifficultySettings(name="easy", radius_mm=(21.0, 26.0), hu_mean=50.0, hu_sd=2.0)
HARD = DifficultySettings(
    name="hard", start="easy", share=0.35, radius_mm=(13.0, 17.0), hu_mean=40.0, hu_sd=2.0
)
BIGGER = DifficultySettings(
    name="bigger", start="hard", share=0.5, radius_mm=(21.0, 26.0), hu_mean=40.0, hu_sd=2.0
)


def member(number: int, *, positive: bool = True, rank: float = 0.1) -> Member:
    return Member(
        exam=f"e{number:016x}", patient=f"p{number:016x}", level="GE", split="train", age=50.0, sex="F",
        positive=positive, rank=rank,
    )  # fmt: skip


def brain(radius_mm: float) -> Volume:
    grid = (np.indices((45, 45, 33)) - np.array([22, 22, 16])[:, None, None, None]) * np.array(
        [3.6, 3.6, 5.0]
    )[:, None, None, None]
    mask = (grid**2).sum(axis=0) <= radius_mm**2
    return Volume(mask.astype(np.uint8), np.diag([3.6, 3.6, 5.0, 1.0]))


def draw(
    difficulty: DifficultySettings, number: int, start: Sphere | None = None, radius: float = 65.0
) -> Sphere | NoRoom:
    return draw_sphere(difficulty, f"e{number}", [brain(radius)], start, seed=9, cohort="study")


def test_only_positives_below_the_share_are_changed() -> None:
    assert changes(EASY, member(1, rank=0.99))
    assert not changes(EASY, member(1, positive=False, rank=0.0))
    assert changes(HARD, member(1, rank=0.34))
    assert not changes(HARD, member(1, rank=0.35))


def test_radii_fill_their_range_and_centres_differ() -> None:
    spheres = [draw(EASY, number) for number in range(120)]
    assert all(isinstance(sphere, Sphere) for sphere in spheres)
    radii = [sphere.radius_mm for sphere in spheres if isinstance(sphere, Sphere)]
    assert 21.0 <= min(radii) < 21.5
    assert 25.5 < max(radii) <= 26.0
    assert np.mean(radii) == pytest.approx(23.5, abs=0.4)
    assert len({sphere.centre_mm for sphere in spheres if isinstance(sphere, Sphere)}) > 60


def test_a_later_difficulty_reuses_the_saved_centre() -> None:
    start = draw(EASY, 5)
    assert isinstance(start, Sphere)
    later = draw(HARD, 5, start)
    assert isinstance(later, Sphere)
    assert later.centre_mm == start.centre_mm
    assert 13.0 <= later.radius_mm <= 17.0
    assert (later.difficulty, later.hu_mean) == ("hard", 40.0)


def test_a_larger_sphere_than_the_start_stays_inside_the_brain() -> None:
    small = Sphere(difficulty="hard", centre_mm=(27.0, 80.0, 80.0), radius_mm=13.0, hu_mean=40.0, hu_sd=2.0)
    bigger = draw(BIGGER, 5, small)
    assert isinstance(bigger, Sphere)
    middle = np.array([22 * 3.6, 22 * 3.6, 80.0])
    assert np.linalg.norm(np.array(bigger.centre_mm) - middle) + bigger.radius_mm <= 65.0


def test_a_small_brain_lowers_the_upper_end_and_a_smaller_one_is_refused() -> None:
    radii = [sphere.radius_mm for n in range(40) if isinstance(sphere := draw(EASY, n, radius=27.0), Sphere)]
    assert len(radii) == 40
    assert 21.0 <= min(radii) < max(radii) < 25.0
    none = draw(EASY, 1, radius=18.0)
    assert isinstance(none, NoRoom)
    assert none.reason.startswith("the brain has room for a sphere of 1")
    assert none.reason.endswith("mm, level easy needs 21")


def test_the_same_name_gives_the_same_sphere() -> None:
    assert draw(EASY, 7) == draw(EASY, 7)
    assert draw(EASY, 7) != draw(EASY, 8)


def test_every_drawn_sphere_lies_inside_its_brain() -> None:
    for radius in (24.0, 27.0, 40.0, 65.0):
        mask = brain(radius)
        for number in range(25):
            sphere = draw(EASY, number, radius=radius)
            if isinstance(sphere, Sphere):
                assert holds(mask, sphere.centre_mm, sphere.radius_mm)
            else:
                assert room_mm(mask, 30.0).max() < 21.001
        assert isinstance(sphere, Sphere) == (room_mm(mask, 30.0).max() > 21.001)


def test_larger_spheres_keep_the_centre_where_they_fit_and_leave_it_where_not() -> None:
    middle = (22 * 3.6, 22 * 3.6, 80.0)
    small = Sphere(difficulty="hard", centre_mm=middle, radius_mm=13.0, hu_mean=40.0, hu_sd=2.0)
    for number in range(10):
        kept = draw(BIGGER, number, small)
        assert isinstance(kept, Sphere)
        assert kept.centre_mm == middle
        aside = small.model_copy(update={"centre_mm": (27.0, 80.0, 80.0)})
        moved = draw(BIGGER, number, aside)
        assert isinstance(moved, Sphere)
        assert moved.centre_mm != aside.centre_mm
        # The radius belongs to exam and difficulty, not to the place.
        assert moved.radius_mm == kept.radius_mm


def test_a_fixed_radius_is_exactly_that() -> None:
    fixed = DifficultySettings(name="fixed", radius_mm=(13.3, 13.3), hu_mean=40.0, hu_sd=2.0)
    sphere = draw(fixed, 1)
    assert isinstance(sphere, Sphere)
    assert sphere.radius_mm == 13.3


def test_a_row_in_the_file_is_the_sphere_that_was_drawn() -> None:
    sphere = draw(EASY, 3)
    assert isinstance(sphere, Sphere)
    assert Sphere.model_validate_json(sphere.model_dump_json()) == sphere
    for number in (*sphere.centre_mm, sphere.radius_mm):
        assert number == round(number, 4)


def test_seed_cohort_difficulty_and_exam_name_the_sphere() -> None:
    def one(
        seed: int = 9, cohort: str = "study", difficulty: DifficultySettings = EASY, number: int = 7
    ) -> object:
        return draw_sphere(difficulty, f"e{number}", [brain(65.0)], None, seed=seed, cohort=cohort)

    twin = EASY.model_copy(update={"name": "twin"})
    made = [one(), one(seed=8), one(cohort="control"), one(number=8), one(difficulty=twin)]
    assert len({(s.centre_mm, s.radius_mm) for s in made if isinstance(s, Sphere)}) == 5


def shifted_brain(radius_mm: float, shift_mm: float) -> Volume:
    """The brain, moved along the first axis."""
    mask = brain(radius_mm)
    affine = mask.affine.copy()
    affine[0, 3] += shift_mm
    return Volume(mask.array, affine)


def draw_twins(difficulty: DifficultySettings, masks: list[Volume], start: Sphere | None = None) -> object:
    return draw_sphere(difficulty, "p1", masks, start, seed=9, cohort="study")


def test_twins_with_one_brain_get_the_sphere_of_either_alone() -> None:
    mask = brain(65.0)
    assert draw_twins(EASY, [mask, mask]) == draw_twins(EASY, [mask])


def test_a_sphere_of_twins_lies_inside_both_brains() -> None:
    masks = [brain(40.0), shifted_brain(40.0, 13.0)]
    for number in range(40):
        sphere = draw_sphere(EASY, f"p{number}", masks, None, seed=9, cohort="study")
        assert isinstance(sphere, Sphere)
        assert all(holds(mask, sphere.centre_mm, sphere.radius_mm) for mask in masks)
    alone = [draw_sphere(EASY, f"p{number}", masks[:1], None, seed=9, cohort="study") for number in range(40)]
    outside = [s for s in alone if isinstance(s, Sphere) and not holds(masks[1], s.centre_mm, s.radius_mm)]
    assert outside


def test_what_two_brains_share_may_have_no_room() -> None:
    none = draw_twins(EASY, [brain(30.0), shifted_brain(30.0, 30.0)])
    assert isinstance(none, NoRoom)
    assert none.reason.startswith("the brains of these twins have common room for a sphere of 1")
    assert none.reason.endswith("mm, level easy needs 21")


def test_twins_keep_a_centre_only_where_the_sphere_fits_into_both() -> None:
    middle = (22 * 3.6, 22 * 3.6, 80.0)
    small = Sphere(difficulty="hard", centre_mm=middle, radius_mm=13.0, hu_mean=40.0, hu_sd=2.0)
    kept = draw_twins(BIGGER, [brain(65.0), shifted_brain(65.0, 20.0)], small)
    assert isinstance(kept, Sphere)
    assert kept.centre_mm == middle
    left = draw_twins(BIGGER, [brain(65.0), shifted_brain(65.0, 45.0)], small)
    assert isinstance(left, Sphere)
    assert left.centre_mm != middle
    assert left.radius_mm == kept.radius_mm
