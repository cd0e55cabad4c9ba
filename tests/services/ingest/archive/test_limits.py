"""What an archive may cost."""

import pytest

from nameplate_ingest.archive.limits import BadArchive, Budget, is_bomb


def test_a_budget_grows_with_the_archive_and_is_spent_once() -> None:
    for size, most in ((0, 64 << 20), (1 << 20, (64 + 250) << 20)):
        budget = Budget(size)
        budget.spend(most - 1)
        budget.spend(1)
        with pytest.raises(BadArchive, match="archive-bomb"):
            budget.spend(1)


def test_small_files_may_be_packed_to_nothing() -> None:
    assert not is_bomb(1, 64 << 20)
    assert is_bomb(1, (64 << 20) + 1)
    assert not is_bomb(1 << 20, 250 << 20)
