"""The mutants are of today's code: a line that has changed would be noticed by `make mutants` alone."""

from collections import Counter
from pathlib import Path

import pytest
from tests.promises import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.promise)
def test_the_line_stands_once_and_the_test_is_there(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text().count(mutant.line) == 1
    assert (ROOT / "tests" / mutant.test).is_file()


def test_every_mutant_breaks_something_else() -> None:
    assert all(mutant.line != mutant.instead for mutant in MUTANTS)
    assert not [
        what for what, times in Counter((m.file, m.line, m.instead) for m in MUTANTS).items() if times > 1
    ]
