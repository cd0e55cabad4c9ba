"""A chunk: its failures in their order, and only the verdicts that concern it."""

from pathlib import Path

import pytest

import nameplate.service.chunk
from nameplate.campaign import parse_campaign
from nameplate.errors import CohortError, StoreError, TryAgain, UserError
from nameplate.job.committed import put_campaign
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


def _run(
    url: str, monkeypatch: pytest.MonkeyPatch, outcomes: list[Exception | None]
) -> tuple[list[str], Timing]:
    """Four jobs with these outcomes; which were tried, and the time spent. Raises what the chunk raises."""
    tried: list[str] = []
    timing = Timing()

    def job_of_this_outcome(job: Job, *rest: object, **more: object) -> None:
        tried.append(job.id)
        if (error := outcomes[len(tried) - 1]) is not None:
            raise error

    monkeypatch.setattr(nameplate.chunk, "run_job", job_of_this_outcome)
    try:
        run_chunk(
            Chunk("phantom/study/000", 4), url, service="phantom", digest=None, store_timeout=0,
            should_stop=lambda: False, timing=timing,
        )  # fmt: skip
    finally:
        _run.tried = tried  # type: ignore[attr-defined]
    return tried, timing


def test_all_jobs_are_done_in_order(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried, timing = _run(store_url, monkeypatch, [None] * 4)
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
    with pytest.raises(Exception, match=raised):
        _run(store_url, monkeypatch, outcomes)
    assert len(_run.tried) == 4  # type: ignore[attr-defined]


def test_a_store_that_is_full_ends_the_batch(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="full"):
        _run(store_url, monkeypatch, [None, StoreError("the store is full"), None, None])
    assert len(_run.tried) == 2  # type: ignore[attr-defined]


def test_a_damaged_verdict_of_another_line_is_not_read(store_url: str, tiny_text: str) -> None:
    """A line's pod reads its own line's verdicts: what is wrong elsewhere is not its trouble."""
    store = open_store(store_url)
    store.put("jobs/judge/spheres/study/easy/mixed/g0/r00.json", b'{"job": "x", "digest": "d", "code": "c", '
              b'"outputs": [{"key": "gone", "size": 1, "sha256": "0"}]}')  # fmt: skip
    arguments = {"digest": None, "store_timeout": 0, "should_stop": lambda: False, "timing": Timing()}
    with pytest.raises(TryAgain, match="pack/study/manufacturer/original: not done yet"):
        run_chunk(
            Chunk("training/manufacturer/study/original/mixed/g0/s000", 1), store_url, service="training",
            **arguments,  # type: ignore[arg-type]
        )  # fmt: skip
    with pytest.raises(UserError, match="gone"):
        run_chunk(
            Chunk("training/spheres/study/hard/mixed/g0/s000", 1), store_url, service="training",
            **arguments,  # type: ignore[arg-type]
        )  # fmt: skip
