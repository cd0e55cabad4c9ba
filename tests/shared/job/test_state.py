"""The walk along what is committed: the same by one snapshot as by asking for every job."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.campaign import load_campaign
from nameplate.job.current import Snapshot
from nameplate.job.result import Output, Result, digest_of, job_digest, write_result
from nameplate.job.state import State
from nameplate.steps.step import Job
from nameplate.store.directory import DirectoryStore

CAMPAIGN = load_campaign(Path(__file__).parents[3] / "campaigns" / "demo.yaml")
BEFORE_TRAINING = ("phantom", "ingest", "skullstrip", "cohort", "fingerprint", "synthesis", "pack")


def _commit(store: DirectoryStore, job: Job, results: dict[str, Result]) -> Result:
    key = f"outputs/{job.id}"
    store.put(key, b"x")
    output = Output(key=key, size=1, sha256=digest_of(job.id))
    result = Result(job=job.id, digest=job_digest(job, results), code="0", outputs=(output,))
    write_result(store, result)
    return result


@given(
    spoilt=st.lists(
        st.tuples(st.integers(0, 87), st.sampled_from(["output", "result", "digest"])), max_size=6
    )
)
@settings(max_examples=15, deadline=None)
def test_a_snapshot_tells_what_the_store_tells(tmp_path_factory, spoilt) -> None:  # type: ignore[no-untyped-def]
    store = DirectoryStore(tmp_path_factory.mktemp("store"))
    jobs = [job for job in State(CAMPAIGN, store, {}).plan.jobs if job.step in BEFORE_TRAINING]
    results: dict[str, Result] = {}
    for job in jobs:
        results[job.id] = _commit(store, job, results)
    for position, how in spoilt:
        job = jobs[position % len(jobs)]
        if how == "output":
            store.delete(f"outputs/{job.id}")
        elif how == "result":
            store.delete(f"jobs/{job.id}.json")
        else:
            write_result(store, results[job.id].model_copy(update={"digest": "another"}))
    asked, looked = State(CAMPAIGN, store, {}), State(CAMPAIGN, store, {})
    asked.add_committed()
    looked.add_committed(snapshot=Snapshot.of(store))
    assert asked.results == looked.results
    if not spoilt:
        assert set(asked.results) == set(results)
    # What was made from something that is not current is not current either.
    for job in jobs:
        if job.id in asked.results:
            assert set(job.needs) <= set(asked.results)


def test_jobs_that_are_of_no_interest_are_not_looked_at(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    state = State(CAMPAIGN, store, {})
    results: dict[str, Result] = {}
    for job in state.plan.jobs:
        if job.step in ("phantom", "ingest"):
            results[job.id] = _commit(store, job, results)
    added: list[str] = []
    state.add_committed(among=lambda job: job.step == "phantom", on_added=lambda job: added.append(job.id))
    assert added == [job.id for job in state.plan.jobs if job.step == "phantom"]
    state.add_committed()
    assert set(state.results) == set(results)
