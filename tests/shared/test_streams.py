"""Named random streams."""

from hypothesis import given
from hypothesis import strategies as st

from nameplate.streams import stream, stream_seed

names = st.lists(st.text(max_size=8) | st.integers(), min_size=1, max_size=4)


@given(seed=st.integers(0, 2**62), name=names)
def test_the_same_name_gives_the_same_numbers(seed: int, name: list[str | int]) -> None:
    assert stream(seed, *name).integers(2**62, size=4).tolist() == (
        stream(seed, *name).integers(2**62, size=4).tolist()
    )


@given(seed=st.integers(0, 2**62), one=names, other=names)
def test_other_names_give_other_numbers(seed: int, one: list[str | int], other: list[str | int]) -> None:
    if [str(part) for part in one] != [str(part) for part in other]:
        assert stream_seed(seed, *one) != stream_seed(seed, *other)


def test_the_parts_of_a_name_do_not_run_together() -> None:
    assert stream_seed(1, "ab", "c") != stream_seed(1, "a", "bc")


def test_the_numbers_never_change_between_versions() -> None:
    assert stream_seed(2020, "sphere", "exam") == 57580779408451871816023137034850434532
    assert stream(2020, "sphere", "exam").integers(1000, size=3).tolist() == [925, 566, 700]
