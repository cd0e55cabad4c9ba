"""A chunk: its failures in their order, and only the selections that concern it."""

from collections.abc import Callable
from pathlib import Path

import pytest

import nameplate.service.chunk
from nameplate.campaign import parse_campaign
from nameplate.errors import CohortError, StoreError, TryAgain, UserError
from nameplate.job.committed import put_campaign
from nameplate.job.result import Output, Result, write_result
from nameplate.job.timing import Timing
from nameplate.plan.chunks import Chunk
from nameplate.service.chunk import run_chunk
from nameplate.steps.step import Job
from nameplate.store import open_store


@pytest.fixture
def store_url(tmp_path: Path, tiny_text: str) -> str:
    url = str(tmp_path / "store")
    text = tiny_text.replace("shards: 2", "shards: 4")
    put_campaign(open_store(url), parse_campaign(text, "tiny"), text)
    return url


def _run(chunk: Chunk, url: str, service: str, *, attempt: int = 0) -> Timing:
    timing = Timing()
    run_chunk(
        chunk,
        url,
        service=service,
        digest=None,
        attempt=attempt,
        retries=2,
        store_timeout=0,
        should_stop=lambda: False,
        timing=timing,
    )
    return timing


def _run_four(
    url: str, monkeypatch: pytest.MonkeyPatch, outcomes: list[Exception | None], tried: list[str]
) -> Timing:
    """Four jobs with these outcomes; ``tried`` hears of each. Raises what the chunk raises."""

    def job_of_this_outcome(job: Job, *rest: object, **more: object) -> None:
        tried.append(job.id)
        if (error := outcomes[len(tried) - 1]) is not None:
            raise error

    monkeypatch.setattr(nameplate.service.chunk, "run_job", job_of_this_outcome)
    return _run(Chunk("phantom/study/000", 4), url, "phantom")


def test_all_jobs_are_done_in_order(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    timing = _run_four(store_url, monkeypatch, [None] * 4, tried)
    assert tried == [f"phantom/study/{shard:03d}" for shard in range(4)]
    assert timing.jobs == 4


@pytest.mark.parametrize(
    ("outcomes", "raised"),
    [
        ([None, CohortError("too few"), None, None], "too few"),
        # What may pass is raised first, so that the pod is tried again; a mistake will be there again.
        ([CohortError("too few"), None, TryAgain("later"), None], "later"),
        ([None, ValueError("a bug"), None, None], "a bug"),
        ([ValueError("a bug"), TryAgain("later"), None, None], "later"),
    ],
)
def test_a_job_that_fails_does_not_keep_the_others_from_being_done(
    outcomes: list[Exception | None], raised: str, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    with pytest.raises(Exception, match=raised):
        _run_four(store_url, monkeypatch, outcomes, tried)
    assert len(tried) == 4


def test_a_store_that_is_full_ends_the_chunk(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    with pytest.raises(StoreError, match="full"):
        _run_four(store_url, monkeypatch, [None, StoreError("the store is full"), None, None], tried)
    assert len(tried) == 2


def test_a_damaged_selection_of_another_arm_is_not_read(store_url: str) -> None:
    """An arm's pod reads its own arm's selections: what is wrong elsewhere is not its trouble."""
    cell = "spheres/study/easy/mixed/g0"
    gone = Output(key=f"models/{cell}/selection-r00.json", size=1, sha256="0")
    write_result(
        open_store(store_url),
        Result(job=f"selection/{cell}/r00", digest="d", code="c", outputs=(gone,)),
    )
    with pytest.raises(TryAgain, match="pack/study/manufacturer/original: not done yet"):
        _run(Chunk("training/manufacturer/study/original/mixed/g0/s000", 1), store_url, "training")
    with pytest.raises(UserError, match=gone.key):
        _run(Chunk("training/spheres/study/hard/mixed/g0/s000", 1), store_url, "training")


def test_attempts_in_vain_end_with_a_mistake_and_a_commit_begins_again(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[bool] = []

    def job(job: Job, *rest: object, on_progress: Callable[[], None], **more: object) -> None:
        if outcomes.pop(0):
            on_progress()
        raise TryAgain("taken away")

    monkeypatch.setattr(nameplate.service.chunk, "run_job", job)
    chunk = Chunk("phantom/study/000", 1)
    for attempt, commits in enumerate([False, False, True, False, False]):
        outcomes.append(commits)
        with pytest.raises(TryAgain, match="taken away"):
            _run(chunk, store_url, "phantom", attempt=attempt)
    with pytest.raises(UserError, match=r"phantom/study/000\+1: no progress in 2 attempts in a row"):
        _run(chunk, store_url, "phantom", attempt=5)


def test_a_chunk_that_is_done_leaves_no_count(store_url: str) -> None:
    _run(Chunk("phantom/study/000", 1), store_url, "phantom", attempt=1)
    assert not open_store(store_url).sizes("work/attempts/")
