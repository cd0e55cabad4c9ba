"""Inputs are checked against what was committed; a damaged one withdraws the commit that it belongs to."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nameplate.errors import DamagedObject
from nameplate.job.inputs import Committed, Inputs
from nameplate.job.result import Output, Result, committed_jobs, write_result
from nameplate.store import Store

DAMAGES: dict[str, Callable[[Store], None]] = {
    "missing": lambda store: store.delete("one/b"),
    "damaged": lambda store: store.put("one/b", b"of B"),
    "replaced": lambda store: store.put("one/b", b"a longer one"),
}


def _commit(store: Store, job: str, **files: bytes) -> Result:
    outputs = []
    for name, data in files.items():
        key = f"{job}/{name}"
        store.put(key, data)
        outputs.append(Output(key=key, size=len(data), sha256=hashlib.sha256(data).hexdigest()))
    result = Result(job=job, digest="d", code="0", outputs=tuple(outputs))
    write_result(store, result)
    return result


def _results(store: Store) -> dict[str, Result]:
    """Three jobs' results, in an order that is not that of their names."""
    made = {"two": _commit(store, "two", a=b"of two"), "one": _commit(store, "one", b=b"of b", a=b"of a")}
    return made | {"three": _commit(store, "three", c=b"of c")}


def _inputs(store: Store, tmp_path: Path) -> Inputs:
    return Inputs(store, _results(store), None, tmp_path / "cache")


def test_keys_come_in_the_order_of_the_results(store: Store, tmp_path: Path) -> None:
    inputs = _inputs(store, tmp_path)
    assert inputs.keys == ("two/a", "one/b", "one/a", "three/c")
    assert tuple(inputs.digests) == inputs.keys
    assert inputs.digests["one/a"] == hashlib.sha256(b"of a").hexdigest()


def test_what_was_committed_is_read_and_fetched(without_folders: Store, tmp_path: Path) -> None:
    inputs = _inputs(without_folders, tmp_path)
    assert inputs.read("one/b") == b"of b"
    path = inputs.fetch("one/b")
    assert path.read_bytes() == b"of b"
    assert path.is_relative_to(tmp_path / "cache")
    assert path.name.endswith("b")
    assert inputs.fetch("one/a") != path


def test_a_store_in_a_folder_gives_its_own_file(store: Store, tmp_path: Path) -> None:
    path = _inputs(store, tmp_path).fetch("one/b")
    assert path.is_relative_to(store.url)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("way", ["read", "fetch"])
@pytest.mark.parametrize("kind", ["store", "far"])
def test_a_damaged_input_withdraws_the_commit_of_just_the_job_that_made_it(
    damage: Callable[[Store], None], way: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store: Store = request.getfixturevalue(kind)
    inputs = _inputs(store, tmp_path)
    damage(store)
    assert getattr(inputs, way)("one/a")  # another file of the same job is what it was
    assert sorted(committed_jobs(store)) == ["one", "three", "two"]
    with pytest.raises(DamagedObject, match="one/b"):
        getattr(inputs, way)("one/b")
    assert sorted(committed_jobs(store)) == ["three", "two"]
    assert getattr(inputs, way)("two/a")


def test_who_only_looks_withdraws_nothing(store: Store) -> None:
    committed = Committed(store, _results(store))
    store.delete("one/b")
    with pytest.raises(DamagedObject):
        committed.read("one/b")
    assert sorted(committed_jobs(store)) == ["one", "three", "two"]


def test_a_job_without_source_files_has_none(store: Store, tmp_path: Path) -> None:
    source: Any = object()
    assert Inputs(store, {}, source, tmp_path).source is source
    with pytest.raises(LookupError):
        _ = Inputs(store, {}, None, tmp_path).source
