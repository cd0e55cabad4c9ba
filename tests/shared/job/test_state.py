"""The walk along what is committed: the same by one snapshot as by asking for every job."""

import hashlib
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.campaign import Campaign, load_campaign, parse_campaign
from nameplate.campaign.cohort_source import CohortSource, sources_of
from nameplate.campaign.sources import FolderSource
from nameplate.job.current import Snapshot, is_asked_again, is_current
from nameplate.job.result import Output, Result, digest_of, job_digest, read_result, write_result
from nameplate.job.state import State, ask_again, current_state
from nameplate.records import to_jsonl
from nameplate.steps.ingest import LEDGER, LedgerRow
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


def _elsewhere(store: DirectoryStore) -> tuple[Campaign, dict[str, CohortSource]]:
    """A small campaign whose exams are in a PACS."""
    raw = yaml.safe_load((Path(__file__).parents[2] / "tiny.yaml").read_text())
    source = {
        "kind": "dicomweb",
        "url": "https://pacs.example.org/dicom-web",
        "since": "2020-01-01",
        "until": "2020-12-31",
    }
    del raw["cohorts"]["study"]["phantom"]
    raw["cohorts"]["study"]["source"] = source
    campaign = parse_campaign(yaml.safe_dump(raw), "tiny")
    return campaign, sources_of(campaign, Path("/"))


def test_a_source_elsewhere_is_asked_again_and_what_it_said_before_stays_until_then(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    campaign, sources = _elsewhere(store)
    jobs = {job.id: job for job in State(campaign, store, {}).plan.jobs}
    listed = _commit(store, jobs["listing/study"], {})
    results = {"listing/study": listed}
    for number, rule in ((0, "chosen"), (1, "source-changed")):
        job = jobs[f"ingest/study/{number:03d}"]
        row = {
            "item": "series",
            "id": "s",
            "exam": "e",
            "verdict": "refused",
            "rule": rule,
            "seen": "",
            "files": 1,
        }
        data = to_jsonl((LedgerRow.model_validate(row),))
        key = LEDGER.key(cohort="study", shard=number)
        store.put(key, data)
        output = Output(key=key, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        made = Result(job=job.id, digest=job_digest(job, results), code="0", outputs=(output,))
        write_result(store, made)
    assert is_current(store, jobs["listing/study"], {}) == listed
    ask_again(store, sources)
    for snapshot in (None, Snapshot.of(store)):
        assert is_asked_again(store, jobs["listing/study"], snapshot)
        assert not is_asked_again(store, jobs["ingest/study/000"], snapshot)
    assert current_state(campaign, store, {}, asked_again=True).results == {}
    # Nothing was taken away: a source that does not answer leaves what there was, for who looks at it.
    assert is_current(store, jobs["listing/study"], {}) == listed
    assert set(current_state(campaign, store, {}).results) == {"listing/study", "ingest/study/000"}
    assert is_current(store, jobs["ingest/study/000"], results) is not None
    # A study that was not as listed is fetched again, whatever the new listing says.
    assert read_result(store, "ingest/study/001") is None


def test_files_on_this_machine_are_not_asked_again(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    campaign, _ = _elsewhere(store)
    study = campaign.cohorts["study"].model_copy(update={"source": FolderSource(path="dicom")})
    here = campaign.model_copy(update={"cohorts": {"study": study}})
    job = State(here, store, {}).plan.job("listing/study")
    _commit(store, job, {})
    assert not ask_again(store, sources_of(here, tmp_path))
    assert not is_asked_again(store, job)
    assert is_current(store, job, {}) is not None
