"""A committed result is current for the very inputs that it was made from, while its outputs are there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from nameplate.job import result as results_module
from nameplate.job.current import Snapshot, is_current
from nameplate.job.result import Output, Result, job_digest, result_key, write_result
from nameplate.plan.pipeline import step_named
from nameplate.steps.step import Job
from nameplate.store import Store

PHANTOM, INGEST = "phantom/study/000", "ingest/study/000"


class Silent:
    """A store that nobody may ask."""

    url = "silent"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the store was asked: {name}")


def _commit(store: Store, job: Job, results: Mapping[str, Result], *keys: str) -> Result:
    outputs = []
    for key in keys:
        store.put(key, key.encode())
        outputs.append(Output(key=key, size=len(key), sha256=key))
    result = Result(job=job.id, digest=job_digest(job, results), code="0", outputs=tuple(outputs))
    write_result(store, result)
    return result


@pytest.fixture(params=["by asking", "by a snapshot"])
def look(request: pytest.FixtureRequest, store: Store) -> Any:
    """Both ways to see what is current."""

    def found(job: Job, results: Mapping[str, Result]) -> Result | None:
        if request.param == "by asking":
            return is_current(store, job, results)
        return is_current(Silent(), job, results, Snapshot.of(store))

    return found


def test_a_result_is_current_when_its_outputs_are_there(
    look: Any, store: Store, jobs: Mapping[str, Job]
) -> None:
    job = jobs[PHANTOM]
    assert look(job, {}) is None
    result = _commit(store, job, {}, "made/one/a", "made/two/b")
    assert look(job, {}) == result
    store.put("made/two/b", b"another size")
    assert look(job, {}) is None
    store.put("made/two/b", b"same  size")
    assert look(job, {}) == result  # what is read is checked by its digest, when it is read
    store.delete("made/one/a")
    assert look(job, {}) is None


def test_a_result_without_outputs_is_current(look: Any, store: Store, jobs: Mapping[str, Job]) -> None:
    result = _commit(store, jobs[PHANTOM], {})
    assert look(jobs[PHANTOM], {}) == result


def test_other_settings_are_another_result(look: Any, store: Store, jobs: Mapping[str, Job]) -> None:
    job = jobs[PHANTOM]
    _commit(store, job, {}, "made/a")
    assert look(replace(job, settings=job.settings.model_copy(update={"seed": 8})), {}) is None


def test_another_fingerprint_of_a_need_is_another_result(
    look: Any, store: Store, jobs: Mapping[str, Job]
) -> None:
    before = {PHANTOM: _commit(store, jobs[PHANTOM], {}, "made/a")}
    result = _commit(store, jobs[INGEST], before, "made/b")
    assert look(jobs[INGEST], before) == result
    (output,) = before[PHANTOM].outputs
    for update in ({"sha256": "other"}, {"key": "made/other"}):
        changed = before[PHANTOM].model_copy(update={"outputs": (output.model_copy(update=update),)})
        assert look(jobs[INGEST], {PHANTOM: changed}) is None
    recommitted = before[PHANTOM].model_copy(update={"digest": "d", "code": "9"})
    assert look(jobs[INGEST], {PHANTOM: recommitted}) == result  # its files are the same


def test_a_raised_version_of_the_step_makes_its_results_stale(
    look: Any, store: Store, jobs: Mapping[str, Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    phantom = {PHANTOM: _commit(store, jobs[PHANTOM], {}, "made/a")}
    ingested = _commit(store, jobs[INGEST], phantom, "made/b")

    def raised(name: str) -> Any:
        step = step_named(name)
        return replace(step, version=step.version + 1) if name == "phantom" else step

    monkeypatch.setattr(results_module, "step_named", raised)
    assert look(jobs[PHANTOM], {}) is None
    assert look(jobs[INGEST], phantom) == ingested


def test_a_torn_commit_is_none(look: Any, store: Store, jobs: Mapping[str, Job]) -> None:
    result = _commit(store, jobs[PHANTOM], {}, "made/a")
    store.put(result_key(PHANTOM), result.model_dump_json().encode()[:-9])
    assert look(jobs[PHANTOM], {}) is None


def test_a_snapshot_is_of_its_moment(store: Store, jobs: Mapping[str, Job]) -> None:
    store.put("logs/phantom.json", b"no commit")
    before = Snapshot.of(store)
    result = _commit(store, jobs[PHANTOM], {}, "made/a")
    after = Snapshot.of(store)
    assert before.results == {}
    assert dict(after.results) == {PHANTOM: result}
    assert after.sizes["made/a"] == len("made/a")
    assert is_current(store, jobs[PHANTOM], {}, before) is None
    store.delete("made/a")
    assert is_current(store, jobs[PHANTOM], {}, after) == result
