import doctest

from nameplate.service import columns


def test_examples() -> None:
    result = doctest.testmod(columns)
    assert result.attempted
    assert not result.failed
