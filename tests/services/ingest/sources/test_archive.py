"""Archives as a source: the same bytes as from a folder, each header once, a fetch of one study alone."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from archive_maker import FORMS, tree

from nameplate.campaign.ingest import IngestSettings
from nameplate_ingest.ingest import Tables, ingest_source
from nameplate_ingest.sources.archive import Archive
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.source import Source

KEY = b"a key for these tests"
SETTINGS = IngestSettings(matrix=64)


@pytest.fixture
def studies(folder: Any, make_series: Any) -> Path:
    """Two exams, one of them with a copy, a report and a note beside them."""
    for name in ("CT0001", "CT0002/series"):
        (folder.path / name).mkdir(parents=True)
    for number, one in enumerate(make_series()):
        folder.add(one, name=f"CT0001/{number:03d}.dcm")
    other = {"study": "1.2.3.2", "series": "1.2.3.2.1", "PatientID": "second", "Manufacturer": ""}
    for number, one in enumerate(make_series(**other, ManufacturerModelName="", SoftwareVersions="")):
        folder.add(one, name=f"CT0002/series/{number:03d}")
    folder.add(make_series()[4], name="CT0001/copy")
    folder.add(*make_series(series="1.2.3.1.2", Modality="MR", count=2))
    folder.add_bytes(b"notes", name="CT0001/readme.txt")
    return Path(folder.path)


def ingested(source: Source, out: Path, workers: int = 1) -> dict[str, bytes]:
    """All that an ingest writes."""
    tables = Tables(manufacturers={"CT0002": "GE"})
    ingest_source(source, out, SETTINGS, key=KEY, tables=tables, workers=workers)
    return tree(out)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_exams_in_an_archive_give_the_same_bytes(studies: Path, tmp_path: Path, form: str) -> None:
    expected = ingested(Folder(studies), tmp_path / "expected")
    assert sum(name.startswith("images/") for name in expected) == 2
    archive = tmp_path / "exams.bin"
    archive.write_bytes(FORMS[form](tree(studies)))
    assert ingested(Archive(archive), tmp_path / "out") == expected
