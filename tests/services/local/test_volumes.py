"""A campaign on volumes with a table, from the file to the report: the same exams as by DICOM."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate_ingest.ingest import ingest_folder
from nameplate_phantom.simulation import write_cohort

KEY = "a key for these tests"
EXAMS = 40
COLUMNS = {
    "exam": "exam",
    **{"file": "image", "patient": "patient", "manufacturer": "manufacturer", "model": "model"},
    **{"kernel": "kernel", "institution": "institution", "age": "age", "sex": "sex", "kvp": "kvp"},
}


@pytest.fixture(scope="module")
def exams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated studies as NIfTI with a table, as `nameplate ingest` leaves them."""
    folder = tmp_path_factory.mktemp("exams")
    settings = PhantomSettings(exams=EXAMS, matrix=64, thin_mm=5.0)
    (folder / "dicom").mkdir()
    write_cohort(settings, seed=7, cohort="study", out=folder / "dicom", numbers=range(EXAMS))
    ingest_folder(folder / "dicom", folder / "nifti", IngestSettings(matrix=64), key=KEY.encode())
    with (folder / "table.tsv").open("w", newline="") as file:
        rows = rows_of(folder / "nifti", "exams.jsonl")
        writer = csv.DictWriter(file, [*COLUMNS.values(), "shift"], delimiter="\t", extrasaction="ignore")
        writer.writeheader()
        for number, row in enumerate(rows):
            writer.writerow({**row, "shift": ("early", "late")[number % 2]})
        writer.writerow({"exam": "of nothing", "image": "images/none.nii.gz"})
    assert len(rows) == EXAMS
    return folder


def rows_of(store: Path, key: str) -> list[dict[str, Any]]:
    paths = sorted(store.glob(key))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_it_runs_to_its_report(
    exams: Path,
    tmp_path: Path,
    tiny_text: str,
    run_campaign: Callable[..., subprocess.CompletedProcess[str]],
    digests_of: Callable[[Path], dict[str, str]],
) -> None:
    raw = yaml.safe_load(tiny_text)
    source = {"kind": "volumes", "path": str(exams / "nifti"), "table": str(exams / "table.tsv")}
    raw["cohorts"]["study"].pop("phantom")
    raw["cohorts"]["study"] |= {"source": {**source, "columns": COLUMNS}, "fields": ["shift"]}
    file = tmp_path / "volumes.yaml"
    file.write_text(yaml.safe_dump(raw))
    store = tmp_path / "store"
    ran = run_campaign(file, store, NAMEPLATE_KEY=KEY)
    assert ran.returncode == 0, ran.stdout + ran.stderr

    found = rows_of(store, "cohorts/study/exams/*.jsonl")
    assert len(found) == EXAMS
    assert {row["fields"]["shift"] for row in found} == {"early", "late"}
    assert all("from-volume" in row["flags"] for row in found)
    before = rows_of(exams / "nifti", "exams.jsonl")
    for name in ("manufacturer", "model", "kernel", "age", "sex", "kvp"):
        assert sorted(str(row[name]) for row in found) == sorted(str(row[name]) for row in before)
    ledger = rows_of(store, "cohorts/study/ledger/*.jsonl")
    assert [(row["id"], row["studies"]) for row in ledger if row["item"] == "table"] == [("source.table", 1)]
    report = (store / "report" / "index.html").read_text()
    for secret in (str(exams), "table.tsv", "of nothing"):
        assert secret not in report

    # A second run has nothing to do.
    kept = digests_of(store)
    assert run_campaign(file, store, NAMEPLATE_KEY=KEY).returncode == 0
    assert digests_of(store) == kept


def test_a_wrong_table_is_one_line_and_no_value(
    exams: Path,
    tmp_path: Path,
    tiny_text: str,
    run_campaign: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    raw = yaml.safe_load(tiny_text)
    source = {"kind": "volumes", "path": str(exams / "nifti"), "table": str(exams / "table.tsv")}
    raw["cohorts"]["study"].pop("phantom")
    raw["cohorts"]["study"]["source"] = {**source, "columns": {**COLUMNS, "exam": "Exams"}}
    file = tmp_path / "volumes.yaml"
    file.write_text(yaml.safe_dump(raw))
    ran = run_campaign(file, tmp_path / "store", NAMEPLATE_KEY=KEY)
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "no column 'Exams' (columns.exam); did you mean 'exam'?" in ran.stdout + ran.stderr
