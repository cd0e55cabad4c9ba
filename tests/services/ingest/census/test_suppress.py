"""No table tells of fewer than five people, not even to a reader who knows its total and how it was made."""

from collections import defaultdict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.census.suppress import LEAST, SMALL, WITHHELD, protected, shown_count


def test_without_small_counts_all_are_shown() -> None:
    assert protected({"GE": 1200, "Siemens": 5}, ()) == {"GE": "1,200", "Siemens": "5"}
    assert protected({}, ()) == {}


def test_a_small_count_hides_one_more() -> None:
    counts = {"GE": 100, "Siemens": 90, "Canon": 80, "Hitachi": 3}
    assert protected(counts, ["Canon", "Siemens", "GE"]) == {
        "GE": "100",
        "Siemens": "90",
        "Canon": WITHHELD,
        "Hitachi": SMALL,
    }


def test_several_small_counts_hide_one_more_too() -> None:
    """Two counts of one each have a sum that tells both."""
    assert protected({"a": 1, "b": 1, "c": 100, "d": 100}, "dc") == {
        "a": SMALL,
        "b": SMALL,
        "c": "100",
        "d": WITHHELD,
    }


def test_one_more_is_not_enough_if_it_is_small_itself() -> None:
    """Of 6 together, a count of 5 or more leaves 1 for the other."""
    assert protected({"a": 1, "b": 5, "c": 50}, "bc") == {"a": SMALL, "b": WITHHELD, "c": WITHHELD}


@pytest.mark.parametrize("counts", [{"a": 3}, {"a": 4, "b": 2}, {"a": 1, "b": 5}])
def test_where_too_few_are_left_nothing_is_shown(counts: dict[str, int]) -> None:
    assert protected(counts, "ab") is None


@pytest.mark.parametrize(("values", "top"), [(2, 26), (3, 19), (4, 12)])
def test_a_reader_who_knows_total_and_rule_cannot_tell(values: int, top: int) -> None:
    """Of all tables that are shown alike and have the same total, none has one value alone for a small count.

    These are all tables with counts below ``top``; where one of those that look alike reaches the top,
    further ones would have to be looked at.
    """
    names = "abcd"[:values]
    alike = defaultdict(list)
    for counts in product(range(1, top), repeat=values):
        shown = protected(dict(zip(names, counts, strict=True)), names)
        if shown is not None:
            alike[(*shown.values(), sum(counts))].append(counts)
    looked_at = 0
    for shown, tables in alike.items():
        if SMALL not in shown or any(max(table) == top - 1 for table in tables):
            continue
        looked_at += 1
        for place in range(values):
            if shown[place] == SMALL:
                assert len({table[place] for table in tables}) > 1, (shown, tables)
    assert looked_at > 20


@given(st.dictionaries(st.sampled_from("abcdefghij"), st.integers(1, 40), max_size=10))
def test_what_is_shown_is_never_small_and_never_alone(counts: dict[str, int]) -> None:
    shown = protected(counts, "jihgfedcba")
    if shown is None:
        return
    assert shown.keys() == counts.keys()
    hidden = [name for name, text in shown.items() if text in (SMALL, WITHHELD)]
    assert len(hidden) != 1
    for name, text in shown.items():
        assert text == (SMALL if counts[name] < LEAST else WITHHELD if name in hidden else str(counts[name]))


def test_a_count_alone() -> None:
    assert [shown_count(count) for count in (0, 1, 4, 5, 1234)] == ["0", SMALL, SMALL, "5", "1,234"]
