"""A folder as a source: what changed between the listing and the ingest is not read as it was."""

from pathlib import Path
from typing import Any

import pytest
from tests.services.ingest.conftest import slice_dataset

from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import UserError
from nameplate.records import from_jsonl
from nameplate.steps.ingest import LedgerRow
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.ingest import ingest_listed
from nameplate_ingest.results.output import Output
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.index import Reading
from nameplate_ingest.workers import Workers

KEY = b"a key for these tests"


def test_a_file_that_was_replaced_costs_its_study(folder: Any, make_series: Any, tmp_path: Path) -> None:
    """The new file is of another patient: its pixels must not get this one's record."""
    for study in ("1.2.3.1", "1.2.3.2"):
        folder.add(*make_series(study=study, series=f"{study}.1"))
    source = Folder(folder.path)
    reading = Reading(source.place, Pseudonyms(KEY))
    with Workers(0, reading) as alone:
        index = source.index(reading, alone)
    path = next(path for path in sorted(folder.path.iterdir()) if b"1.2.3.1.1" in path.read_bytes())
    slice_dataset(study="1.2.9", series="1.2.9.1", PatientID="other").save_as(path, enforce_file_format=True)
    settings = IngestSettings(matrix=64)
    summary = ingest_listed(index, source, Output(tmp_path / "out"), settings, key=KEY, with_masks=False)
    assert summary.exams == 1
    rows = from_jsonl(LedgerRow, (tmp_path / "out" / "ledger.jsonl").read_bytes())
    assert sorted(row.rule for row in rows) == ["chosen", "source-changed"]


def test_a_folder_of_volumes_is_told_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "head.nii.gz").write_bytes(b"no DICOM")
    (tmp_path / "notes").write_bytes(b"no DICOM")
    source = Folder(tmp_path)
    reading = Reading(source.place, Pseudonyms(KEY))
    with Workers(0, reading) as alone, pytest.raises(UserError, match=r"no DICOM, but volumes \(1 .*--table"):
        source.index(reading, alone)
    (tmp_path / "head.nii.gz").unlink()
    with Workers(0, reading) as alone:
        assert source.index(reading, alone).strays.total() == 1
