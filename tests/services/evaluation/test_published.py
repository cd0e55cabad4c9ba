import pytest

from nameplate_evaluation import published


def test_numbers_are_fractions_of_the_tables():
    assert published.spheres("Siemens", "hard", "GE", "sensitivity") == 0.272
    assert published.spheres("GE", "easy", "mixed", "accuracy") is None
    assert published.spheres("mixed", "odd", "GE", "accuracy") is None


@pytest.mark.parametrize(("task", "accuracy"), [("easy", 0.0775), ("medium", 0.0825), ("hard", 0.136)])
def test_advantage_computed_by_hand_from_tables_4_and_5(task, accuracy):
    assert published.own_advantage(task, "accuracy") == pytest.approx(accuracy)


def test_test_set_is_the_mean_of_its_halves_where_the_paper_is_consistent():
    for task in ("easy", "medium", "hard"):
        halves = [published.spheres("mixed", task, level, "accuracy") for level in published.LEVELS]
        whole = published.spheres("mixed", task, "mixed", "accuracy")
        assert sum(halves) / 2 == pytest.approx(whole, abs=0.002)


def test_counts_add_up():
    assert all(total == positives + negatives for total, positives, negatives in published.COUNTS.values())
    assert 2 * sum(total for total, _, _ in published.COUNTS.values()) == 782
