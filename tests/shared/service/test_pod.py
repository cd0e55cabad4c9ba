"""Around a pod's work: SIGTERM ends it between two jobs, and its time is written down whatever happens."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

import nameplate.service.chunk
from nameplate.campaign import parse_campaign
from nameplate.errors import CohortError, NameplateError, StoreUnreachable, TryAgain
from nameplate.job.committed import put_campaign
from nameplate.job.timing import Timing
from nameplate.plan.chunks import Chunk
from nameplate.plan.pipeline import STEPS
from nameplate.service.chunk import run_chunk
from nameplate.service.pod import digests_for, sources_for, stop_on_sigterm, timed, write_outputs
from nameplate.steps.step import Job
from nameplate.store import open_store


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A pod catches SIGTERM for the rest of its process; this one goes on."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_chunk_that_is_asked_to_end_begins_no_other_job(
    tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "store")
    text = tiny_text.replace("shards: 2", "shards: 4")
    put_campaign(open_store(url), parse_campaign(text, "tiny"), text)
    should_stop = stop_on_sigterm()
    tried: list[str] = []

    def job_that_is_interrupted(job: Job, *rest: object, **more: object) -> None:
        tried.append(job.id)
        if len(tried) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(nameplate.service.chunk, "run_job", job_that_is_interrupted)
    assert not should_stop()
    timing = Timing()
    with pytest.raises(TryAgain, match="phantom/study/002"):
        run_chunk(
            Chunk("phantom/study/000", 4), url, service="phantom", digest=None, store_timeout=0,
            should_stop=should_stop, timing=timing,
        )  # fmt: skip
    assert tried == ["phantom/study/000", "phantom/study/001"]
    assert timing.jobs == 2


def test_the_time_is_written_down_after_a_failure_too(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "timing"
    with pytest.raises(ZeroDivisionError), timed(file) as timing:
        timing.jobs = 3 // timing.jobs
    written = json.loads(file.read_text())
    assert written["jobs"] == 0
    assert written["start_s"] > 0  # this process has been running for a while


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (CohortError("too few exams"), "mistake"),
        (StoreUnreachable("silent"), "try-again"),
        (NameplateError("neither"), "bug"),
        (ZeroDivisionError(), "bug"),
        (SystemExit(2), "bug"),
        (None, "done"),
    ],
)
def test_how_it_ended_is_written_down_as_the_exit_code_says_it(
    error: BaseException | None, outcome: str, tmp_path: Path
) -> None:
    with suppress(NameplateError, ZeroDivisionError, SystemExit), timed(tmp_path / "timing"):
        if error is not None:
            raise error
    assert json.loads((tmp_path / "timing").read_text())["outcome"] == outcome


def test_source_files_are_looked_for_by_the_step_that_reads_them_alone(
    tiny_text: str, tmp_path: Path
) -> None:
    raw = yaml.safe_load(tiny_text)
    raw["cohorts"]["study"] = {"folder": str(tmp_path / "absent")}
    campaign = parse_campaign(yaml.safe_dump(raw), "tiny")
    sources = sources_for("ingest", campaign)
    assert sources.keys() == {"study"}
    # Only the listing depends on what a look at every file shows.
    assert digests_for("ingest", sources) == {}
    with pytest.raises(CohortError, match="absent"):
        digests_for("listing", sources)
    for step in STEPS:
        assert step.name in ("listing", "ingest") or sources_for(step.name, campaign) == {}


def test_outputs_are_a_file_each(tmp_path: Path) -> None:
    write_outputs(tmp_path / "out" / "deep", training="[]", more="no")
    found = {path.name: path.read_text() for path in (tmp_path / "out" / "deep").iterdir()}
    assert found == {"training": "[]", "more": "no"}
