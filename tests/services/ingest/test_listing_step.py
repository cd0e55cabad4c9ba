"""The step ``listing``: the source is asked once, whatever the number of shards."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nameplate.campaign.cohort_source import CohortSource
from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import FolderSource
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result
from nameplate.steps.ingest import IngestJob
from nameplate.steps.listing import ListingJob
from nameplate.store import open_store
from nameplate_ingest.ingest_step import ingest
from nameplate_ingest.listing_step import listing


def test_each_header_is_read_once_in_all(
    folder: Any, make_series: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nameplate_ingest.sources.scan as scan

    monkeypatch.setenv("NAMEPLATE_KEY", "a key for these tests")
    for number in range(6):
        study = f"1.2.3.{number}"
        folder.add(*make_series(study=study, series=f"{study}.1", PatientID=f"P{number}"))
    read: Counter[Path] = Counter()
    real = scan.read_elements

    def counted(file: Any, *rest: Any) -> Any:
        read[file.path] += 1
        return real(file, *rest)

    monkeypatch.setattr(scan, "read_elements", counted)
    store = open_store(str(tmp_path / "store"))
    source = CohortSource(name="study", settings=FolderSource(path=str(folder.path)), folder=tmp_path)
    listed = Outputs("listing/study", store, tmp_path, lambda: False)
    listing(
        ListingJob(cohort="study", shards=3, fields=(), source=""),
        Inputs(store, {}, source, tmp_path),
        listed,
    )
    assert listed.told == {"studies": 6, "files": 180}
    needs = {"listing/study": Result(job="listing/study", digest="", code="", outputs=listed.written)}
    exams = 0
    for number in range(3):
        scratch = tmp_path / f"scratch-{number}"
        scratch.mkdir()
        outputs = Outputs(f"ingest/study/{number:03d}", store, scratch, lambda: False)
        job = IngestJob(
            cohort="study", shard=number, shards=3, simulated_seed=None, ingest=IngestSettings(matrix=64)
        )
        ingest(job, Inputs(store, needs, source, tmp_path), outputs)
        exams += sum("images" in output.key for output in outputs.written)
    assert exams == 6
    assert len(read) == 180
    assert set(read.values()) == {1}
