"""Pages beside an ingest: every exam on them, nothing of the patient, and written whole."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from nameplate.campaign.ingest import IngestSettings, SeriesRules
from nameplate.errors import TryAgain, UserError
from nameplate.image.thumbnail import slice_picture
from nameplate.image.volume import Volume
from nameplate.records import from_jsonl
from nameplate.steps.ingest import LedgerRow
from nameplate_ingest.ingest import ingest_folder
from nameplate_ingest.sheet import RoughBrain, write_sheet

PLANTED = ("Zebulonius", "Quax", "PATIENTKEY77", "Nowhere", "20190304", "061Y", "1.2.3.", "dicom", "Head 5.0")
"""What the made files say of the patient, the site and the study."""


def inner(volume: Volume) -> RoughBrain:
    """A stand-in for the quick look: what reads like brain."""
    mask = (volume.array > 0) & (volume.array < 100)
    return RoughBrain(volume.with_array(mask.astype(np.uint8)), 1234.0, 35.0)


@pytest.fixture
def ingested(folder: Any, tmp_path: Path, make_series: Callable[..., list[Dataset]]) -> Path:
    """Two exams, a contrast series that was refused, and its picture."""
    for number, maker in enumerate(("SIEMENS", "GE MEDICAL SYSTEMS")):
        folder.add(*make_series(study=f"1.2.3.{number}", series=f"1.2.3.{number}.1", Manufacturer=maker))
    contrast = make_series(study="1.2.3.0", series="1.2.3.0.2", ContrastBolusAgent="Zebulonium")
    folder.add(*contrast)
    out = tmp_path / "out"
    rules = SeriesRules(picture="note")
    ingest_folder(folder.path, out, IngestSettings(matrix=64, rules=rules), key=b"k" * 32)
    (refused,) = (row for row in _ledger(out) if row.rule == "contrast")
    (out / "refused").mkdir(exist_ok=True)
    (out / "refused" / f"{refused.id}.png").write_bytes(slice_picture(np.zeros((64, 64)), (1.0, 1.0)))
    return out


def _ledger(out: Path) -> list[LedgerRow]:
    return from_jsonl(LedgerRow, (out / "ledger.jsonl").read_bytes())


def test_every_exam_and_refusal_is_on_the_pages(ingested: Path) -> None:
    steps: list[tuple[int, int]] = []
    index = write_sheet(ingested, brain=inner, progress=lambda done, of: steps.append((done, of)))
    assert index == ingested / "sheet" / "index.html"
    assert steps == [(1, 2), (2, 2)]
    exams = sorted(path.name.removesuffix(".nii.gz") for path in (ingested / "images").iterdir())
    assert sorted(path.stem for path in (ingested / "sheet" / "images").iterdir()) == exams
    text = index.read_text()
    assert all(text.count(f'src="images/{exam}.png"') == 1 for exam in exams)
    assert text.count("1234 ml · 35 HU") == 2
    refused = (ingested / "sheet" / "refused.html").read_text()
    (picture,) = (ingested / "sheet" / "refused").iterdir()
    assert f'src="refused/{picture.name}"' in refused
    assert "<h2>contrast (1)</h2>" in refused


def test_the_quick_look_finds_the_brain(ingested: Path) -> None:
    write_sheet(ingested)
    for path in (ingested / "sheet" / "images").iterdir():
        with Image.open(path) as image:
            colours = np.asarray(image.convert("RGB")).reshape(-1, 3)
        assert (colours == (255, 140, 26)).all(axis=1).sum() > 300


def test_nothing_of_the_patient_comes_out(ingested: Path) -> None:
    write_sheet(ingested, brain=inner)
    files = [path for path in (ingested / "sheet").rglob("*") if path.is_file()]
    assert len(files) == 5
    for path in files:
        whole = path.name.encode() + path.read_bytes()
        for planted in (*PLANTED, "Zebulonium", str(ingested.parent)):
            assert planted.encode() not in whole


def test_again_and_the_same(ingested: Path) -> None:
    def written() -> dict[str, bytes]:
        sheet = ingested / "sheet"
        return {
            str(path.relative_to(sheet)): path.read_bytes() for path in sheet.rglob("*") if path.is_file()
        }

    write_sheet(ingested, brain=inner)
    first = written()
    (ingested / "sheet" / "left-over.html").write_text("x")
    write_sheet(ingested, brain=inner)
    assert written() == first


def test_a_full_disk_leaves_the_earlier_pages_and_asks_to_try_again(
    ingested: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = write_sheet(ingested, brain=inner)
    before = index.read_bytes()

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(TryAgain, match="no room left"):
        write_sheet(ingested, brain=inner)
    assert index.read_bytes() == before
    assert not list(ingested.glob(".sheet*"))


def test_a_folder_that_is_no_ingest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no finished ingest here"):
        write_sheet(tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_exam_without_a_brain_has_a_blank_picture(ingested: Path) -> None:
    def nothing(volume: Volume) -> RoughBrain:
        return RoughBrain(volume.with_array(np.zeros(volume.array.shape, np.uint8)), 0.0, 0.0)

    index = write_sheet(ingested, brain=nothing)
    assert " HU <code>" not in index.read_text()
    for path in (ingested / "sheet" / "images").iterdir():
        with Image.open(path) as image:
            colours = np.asarray(image.convert("RGB")).reshape(-1, 3)
        assert len(np.unique(colours, axis=0)) == 2  # letters and bar on black
