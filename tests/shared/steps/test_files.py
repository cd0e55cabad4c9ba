"""Names of stored files: a key and its fields, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.errors import DamagedObject
from nameplate.records import Record
from nameplate.steps.files import File, RecordFile, Rows


class Row(Record):
    """One number."""

    number: int


class Shelf:
    """A reader and writer in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.files)

    def read(self, key: str) -> bytes:
        return self.files[key]

    def write(self, key: str, data: bytes) -> None:
        self.files[key] = data


NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True)


@given(NAMES, NAMES, st.integers(0, 2000))
def test_the_fields_of_a_key_are_those_it_was_made_of(cohort: str, dataset: str, shard: int) -> None:
    file = File("datasets/{cohort}/{dataset}/samples/{shard:03d}.jsonl")
    key = file.key(cohort=cohort, dataset=dataset, shard=shard)
    assert file.fields(key) == {"cohort": cohort, "dataset": dataset, "shard": f"{shard:03d}"}
    assert file.fields("x" + key) == {}


def test_keys_are_found_by_what_is_given_and_sorted() -> None:
    shelf = Shelf()
    rows = Rows("a/{cohort}/{shard:03d}.jsonl", Row)
    for cohort, shard in (("b", 10), ("b", 2), ("b.c", 1), ("c", 1)):
        rows.write(shelf, [Row(number=shard)], cohort=cohort, shard=shard)
    shelf.write("a/b/x/002.txt", b"")
    assert rows.keys(shelf, cohort="b") == ["a/b/002.jsonl", "a/b/010.jsonl"]
    assert [row.number for row in rows.read_all(shelf, cohort="b")] == [2, 10]
    assert len(rows.read_all(shelf)) == 4
    assert rows.read(shelf, cohort="c", shard=1) == [Row(number=1)]


def test_one_record_comes_back_and_a_damaged_one_is_named() -> None:
    shelf = Shelf()
    one = RecordFile("models/{run}/run.json", Row)
    one.write(shelf, Row(number=3), run="a/b/s000")
    assert shelf.files["models/a/b/s000/run.json"].endswith(b"\n")
    assert one.read(shelf, run="a/b/s000") == Row(number=3)
    assert list(one.read_all(shelf)) == [Row(number=3)]
    shelf.files["models/a/b/s000/run.json"] = b'{"number": "x"}'
    with pytest.raises(DamagedObject, match=r"models/a/b/s000/run\.json: not a Row: 1 errors"):
        one.read(shelf, run="a/b/s000")


def test_a_field_that_is_missing_or_misspelt_is_an_error_and_no_wider_search() -> None:
    shelf = Shelf()
    rows = Rows("a/{cohort}/{shard:03d}.jsonl", Row)
    rows.write(shelf, [Row(number=1)], cohort="b", shard=1)
    with pytest.raises(KeyError, match="cohrt"):
        rows.read_all(shelf, cohrt="b")
    with pytest.raises(KeyError, match="cohrt"):
        rows.key(cohrt="b", shard=1)
    with pytest.raises(KeyError):
        rows.key(cohort="b")
