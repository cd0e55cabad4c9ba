"""The step ``ingest`` on a folder: of the user's tables what the campaign names goes into the records."""

from pathlib import Path
from typing import Any

import pytest

from nameplate.campaign.cohort_source import CohortSource
from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import FolderSource
from nameplate.job.inputs import Committed, Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result
from nameplate.steps.ingest import EXAMS, LEDGER, IngestJob
from nameplate.steps.listing import ListingJob
from nameplate.store import open_store
from nameplate_ingest.ingest_step import ingest
from nameplate_ingest.listing_step import listing


def test_the_columns_of_the_campaign_reach_the_records_and_no_other(
    folder: Any,
    make_series: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("NAMEPLATE_KEY", "a key for these tests")
    folder.add(*make_series())
    nameless = {"Manufacturer": "", "ManufacturerModelName": "", "SoftwareVersions": ""}
    folder.add(*make_series(study="1.2.3.2", series="1.2.3.2.1", PatientID="second", **nameless))
    makers, fields = tmp_path / "makers.csv", tmp_path / "fields.csv"
    makers.write_text("study,manufacturer\n1.2.3.2,GE MEDICAL SYSTEMS\n")
    fields.write_text(
        "study,name,site\n1.2.3.1,DOE-JOHN,North\n1.2.3.2,ROE-JANE,South\n1.2.3.9,NOBODY,West\n"
    )
    store = open_store(str(tmp_path / "store"))
    outputs = Outputs("ingest", store, tmp_path / "work", lambda: False)
    source = CohortSource(
        name="study",
        settings=FolderSource(path=str(folder.path)),
        folder=tmp_path,
        manufacturers_csv=makers,
        fields_csv=fields,
        fields=("site",),
    )
    listed = Outputs("listing", store, tmp_path / "work", lambda: False)
    listing(
        ListingJob(cohort="study", shards=1, fields=("site",), source="d"),
        Inputs(store, {}, source, tmp_path),
        listed,
    )
    needs = {"listing/study": Result(job="listing/study", digest="d", code="0", outputs=listed.written)}
    job = IngestJob(cohort="study", shard=0, shards=1, simulated_seed=None, ingest=IngestSettings(matrix=64))
    ingest(job, Inputs(store, needs, source, tmp_path), outputs)

    done = Result(job="ingest", digest="d", code="0", outputs=outputs.written)
    written = Committed(store, {"ingest": done})
    exams = EXAMS.read(written, cohort="study", shard=0)
    assert {exam.manufacturer: exam.fields for exam in exams} == {
        "Siemens": {"site": "North"},
        "GE": {"site": "South"},
    }
    *series, unused = LEDGER.read(written, cohort="study", shard=0)
    assert {row.rule for row in series} == {"chosen"}
    assert (unused.item, unused.rule, unused.studies) == ("table", "not-in-folder", 1)
    assert [record.studies for record in caplog.records if "table" in record.getMessage()] == [1]
    secrets = (b"DOE-JOHN", b"ROE-JANE", b"NOBODY", b"West", b"1.2.3.")
    assert not any(secret in store.get(key) for key in store.sizes("") for secret in secrets)
