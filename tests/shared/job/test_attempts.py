"""Attempts count in a row, and only those that bring nothing."""

import pytest

from nameplate.errors import UserError
from nameplate.job.attempts import Attempts
from nameplate.store import Store

CHUNK = "training/spheres/study/easy/mixed/g0/s000+2"


def _attempt(store: Store, number: int, *, progress: bool = False) -> None:
    """One attempt that is taken away, with or without having saved something before."""
    attempts = Attempts(store, CHUNK, number=number, retries=3)
    attempts.begin()
    if progress:
        attempts.progress()


def test_attempts_that_get_further_never_end(store: Store) -> None:
    for number in range(20):
        _attempt(store, number, progress=True)


def test_three_attempts_in_vain_are_enough(store: Store) -> None:
    for number, progress in enumerate([False, False, False, True, False, False, False]):
        _attempt(store, number, progress=progress)
    with pytest.raises(UserError, match=r"s000\+2: no progress in 3 attempts in a row"):
        _attempt(store, 7)
    with pytest.raises(UserError, match="no progress"):
        _attempt(store, 8)


def test_a_new_workflow_counts_from_the_start(store: Store) -> None:
    for number in range(4):
        _attempt(store, number)
    for number in range(4):
        _attempt(store, number)


def test_the_first_attempt_writes_nothing(without_folders: Store) -> None:
    attempts = Attempts(without_folders, CHUNK, number=0, retries=3)
    attempts.begin()
    attempts.progress()
    attempts.end()
    assert not without_folders.sizes("work/")


def test_the_count_is_forgotten_at_the_end(without_folders: Store) -> None:
    attempts = Attempts(without_folders, CHUNK, number=1, retries=3)
    attempts.begin()
    assert list(without_folders.sizes("work/")) == [f"work/attempts/{CHUNK.replace('+', '/')}"]
    attempts.end()
    assert not without_folders.sizes("work/")


def test_a_count_that_cannot_be_read_is_none(store: Store) -> None:
    store.put(f"work/attempts/{CHUNK.replace('+', '/')}", b"?")
    _attempt(store, 5)
