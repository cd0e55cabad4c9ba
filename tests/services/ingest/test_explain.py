"""What ``nameplate ingest --explain`` tells of a study, and that it names nobody."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import UserError
from nameplate_ingest.explain import explain
from nameplate_ingest.sources.folder import Folder

Series = Callable[..., list[Dataset]]


def told(folder: Path) -> list[str]:
    return list(
        explain(Folder(folder), IngestSettings(matrix=64), key=b"a key for these tests", manufacturers={})
    )


def test_every_series_with_its_witnesses_and_its_fate(folder: Any, make_series: Series) -> None:
    folder.add(*make_series(SeriesNumber=2))
    folder.add(*make_series(series="1.2.3.1.2", SeriesNumber=3, ContrastBolusAgent="Iohexol"))
    folder.add(*make_series(series="1.2.3.1.3", SeriesNumber=4, gap=2.5, count=60, SliceThickness=2.5))
    folder.add_bytes(b"notes")
    lines = told(folder.path)
    assert lines[0].endswith(": 120 files, one series is chosen")
    assert "  series 2, 30 images, 5 mm thick, 145 mm long: chosen (best of the usable ones)" in lines
    refused = lines.index(
        "  series 3, 30 images, 5 mm thick, 145 mm long: refused by contrast (a contrast agent is named)"
    )
    ours = lines[refused : refused + 16]
    told_so = ["contrast", "elements", "NO", "a", "contrast", "agent", "is", "named"]
    assert told_so in [line.split() for line in ours]
    assert any(line.split()[:2] == ["units", "-"] for line in ours)
    assert (
        "  series 4, 60 images, 2.5 mm thick, 148 mm long: could be used, but another one is better "
        "(thickness 2.5 mm against 5 mm)" in lines
    )
    assert any(line.split()[:2] == ["picture", "yes"] for line in lines)
    assert lines[-1] == "1 files outside any study: not-dicom"


def test_a_doubt_asks_a_person_to_look(folder: Any, make_series: Series) -> None:
    folder.add(*make_series(BodyPartExamined="CHEST"))
    assert any(line.endswith("doubtful, please look") for line in told(folder.path))


def test_nothing_is_written_and_nobody_is_named(folder: Any, make_series: Series) -> None:
    folder.add(*make_series(SeriesNumber=2, StudyDescription="CT for Quux", SeriesDescription="head Quux"))
    before = sorted(folder.path.rglob("*"))
    text = "\n".join(told(folder.path)).casefold()
    assert sorted(folder.path.rglob("*")) == before
    for secret in ("zebulonius", "quax", "patientkey77", "20190304", "1.2.3.1", "nowhere", "quux", "emotion"):
        assert secret not in text


@pytest.mark.parametrize(("number", "shown"), [("30501", "30501"), ("310000000", "?"), ("", "?")])
def test_a_number_that_may_be_of_an_order_is_not_shown(
    folder: Any, make_series: Series, number: str, shown: str
) -> None:
    folder.add(*make_series(SeriesNumber=number))
    assert any(line.startswith(f"  series {shown}, 30 images") for line in told(folder.path))


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing: no such"):
        told(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty: the folder holds no files"):
        told(tmp_path / "empty")


def test_a_folder_of_the_source_that_is_called_out_is_explained_too(folder: Any, make_series: Series) -> None:
    (folder.path / "out").mkdir()
    for number, dataset in enumerate(make_series()):
        dataset.save_as(folder.path / "out" / str(number), enforce_file_format=True)
    assert told(folder.path)[0].endswith(": 30 files, one series is chosen")
