"""Whole runs over folders with the trouble that real archives hold."""

import copy
import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from tests.services.ingest.enhanced_maker import enhanced_dataset
from tests.services.ingest.sharded import run_shard

from nameplate.campaign.ingest import IngestSettings, SeriesRules
from nameplate.errors import TryAgain, UserError
from nameplate.image.affine import apply_affine
from nameplate.image.volume import read_nifti
from nameplate.records import from_jsonl
from nameplate.steps.ingest import Exam, LedgerRow
from nameplate_ingest.ingest import IngestSummary, ingest_folder

KEY = b"a key for these tests"
SMALL = IngestSettings(matrix=64)
BUNDLE = Path(str(get_testdata_file("CT_small.dcm"))).parent


def outputs(out: Path) -> dict[str, bytes]:
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def ledger(out: Path) -> list[LedgerRow]:
    return from_jsonl(LedgerRow, (out / "ledger.jsonl").read_bytes())


def exams(out: Path) -> list[Exam]:
    return from_jsonl(Exam, (out / "exams.jsonl").read_bytes())


def run(source: Path, out: Path, settings: IngestSettings = SMALL, **options: Any) -> IngestSummary:
    return ingest_folder(source, out, settings, key=KEY, **options)


def rules(out: Path) -> list[str]:
    return sorted(row.rule for row in ledger(out))


def test_one_study_becomes_one_image_a_record_and_a_ledger(
    folder: Any, tmp_path: Path, make_series: Any, head: Any
) -> None:
    folder.add(*make_series())
    summary = run(folder.path, tmp_path / "out")
    assert (summary.files, summary.studies, summary.exams, summary.series) == (30, 1, 1, 1)
    assert summary.refusals == ()
    (exam,) = exams(tmp_path / "out")
    assert (exam.manufacturer, exam.age, exam.sex, exam.kernel) == ("Siemens", 61, "F", "H31s")
    assert (exam.kernel_class, exam.fields) == ("soft", {})
    assert (exam.gaps_mm, exam.source_slices, exam.slices) == ((5.0,), 30, 30)
    image = read_nifti(tmp_path / "out" / exam.image)
    assert image.array.shape == (64, 64, 30)
    voxels = np.moveaxis(np.indices(image.array.shape), 0, -1)
    right, front, up = np.moveaxis(apply_affine(image.affine, voxels), -1, 0)
    assert np.abs(image.array - head(-right, -front, up)).max() <= 1
    assert [row.rule for row in ledger(tmp_path / "out")] == ["chosen"]


def test_names_and_folders_of_the_files_change_nothing(folder: Any, tmp_path: Path, make_series: Any) -> None:
    series = make_series()
    thin = make_series(series="1.2.3.1.2", count=60, gap=2.5, SliceThickness=2.5)
    folder.add(*series, *thin).add_bytes(b"notes", "readme.txt")
    run(folder.path, tmp_path / "one")
    shuffled = tmp_path / "other" / "deep"
    shuffled.mkdir(parents=True)
    for number, path in enumerate(sorted(folder.path.iterdir(), reverse=True)):
        target = shuffled / f"d{number % 3}"
        target.mkdir(exist_ok=True)
        shutil.copy(path, target / f"{number * 7919 % 1000:04d}.x")
    run(tmp_path / "other", tmp_path / "two")
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")


def test_nothing_of_the_source_leaves(
    folder: Any, tmp_path: Path, make_series: Any, capfd: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    folder.add(*make_series(SeriesDescription="Head for Dr Quux", StudyDescription="Secretive"))
    folder.add(*make_series(series="1.2.3.1.9", count=3, Modality="ZZSECRET"))
    folder.add_bytes(b"hello", "zebulonius.txt")
    run(folder.path, tmp_path / "out")
    data = b"".join(outputs(tmp_path / "out").values()) + "".join(outputs(tmp_path / "out")).encode()
    for name, content in outputs(tmp_path / "out").items():
        if name.endswith(".gz"):
            data += gzip.decompress(content)
    captured = capfd.readouterr()
    data += (captured.out + captured.err + caplog.text).encode()
    secrets = ("zebulonius", "quax", "patientkey77", "20190304", "1.2.3.1", "nowhere", "quux", "secret")
    for secret in (*secrets, str(tmp_path)):
        assert secret.encode() not in data.lower()


def test_selection_within_a_study(folder: Any, tmp_path: Path, make_series: Any, make_slice: Any) -> None:
    folder.add(*make_series())
    folder.add(*make_series(series="1.2.3.1.2", count=60, gap=2.5, SliceThickness=2.5))
    folder.add(*make_series(series="1.2.3.1.3", ConvolutionKernel="H60s", SeriesDescription="Head 5.0 H60s"))
    folder.add(*make_series(series="1.2.3.1.4", ContrastBolusAgent="OMNIPAQUE"))
    folder.add(make_slice(series="1.2.3.1.5", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    missing = make_series(series="1.2.3.1.6")
    folder.add(*missing[:10], *missing[11:])
    run(folder.path, tmp_path / "out")
    found = {(row.rule, row.seen) for row in ledger(tmp_path / "out")}
    assert found == {
        ("chosen", "best of the usable ones"),
        ("outranked", "thickness 2.5 mm against 5 mm"),
        ("outranked", "bone kernel against a soft one"),
        ("contrast", "a contrast agent is named"),
        ("image-type", "LOCALIZER"),
        ("missing-slice", "gap 10.00 mm where 5.00 mm is expected"),
    }


def test_a_broken_choice_gives_way_to_the_next_best(folder: Any, tmp_path: Path, make_series: Any) -> None:
    folder.add(*make_series())
    last = sorted(folder.path.iterdir())[-1]
    last.write_bytes(last.read_bytes()[:-5000])
    folder.add(*make_series(series="1.2.3.1.2", count=60, gap=2.5, SliceThickness=2.5))
    run(folder.path, tmp_path / "out")
    assert {(row.rule, row.seen, row.files) for row in ledger(tmp_path / "out")} == {
        ("truncated-pixels", "3192 of 8192 bytes", 30),
        ("chosen", "after 1 better failed", 60),
    }
    assert exams(tmp_path / "out")[0].slices == 30


def test_the_maker_is_never_guessed(folder: Any, tmp_path: Path, make_series: Any) -> None:
    folder.add(*make_series(Manufacturer="", ManufacturerModelName="", SoftwareVersions=""))
    assert run(folder.path, tmp_path / "a").refusals == (("manufacturer", 1),)
    run(folder.path, tmp_path / "b", manufacturers={"1.2.3.1": "GE MEDICAL SYSTEMS"})
    assert exams(tmp_path / "b")[0].manufacturer == "GE"
    named = tmp_path / "archive"
    shutil.copytree(folder.path, named / "CQ500CT7" / "plain")
    run(named, tmp_path / "c", manufacturers={"CQ500CT7": "Philips"})
    assert exams(tmp_path / "c")[0].manufacturer == "Philips"


def test_a_maker_that_contradicts_the_list_is_refused(folder: Any, tmp_path: Path, make_series: Any) -> None:
    folder.add(*make_series())
    summary = run(folder.path, tmp_path / "out", manufacturers={"1.2.3.1": "GE"})
    assert summary.refusals == (("manufacturer", 1),)


def test_two_patients_in_one_study_are_refused(folder: Any, tmp_path: Path, make_series: Any) -> None:
    folder.add(*make_series(), *make_series(series="1.2.3.1.2", PatientID="SOMEONE-ELSE"))
    assert run(folder.path, tmp_path / "out").refusals == (("patient", 2),)


def test_shards_divide_the_studies_and_lose_nothing(folder: Any, tmp_path: Path, make_series: Any) -> None:
    for number in range(6):
        folder.add(*make_series(study=f"1.2.3.{number}", series=f"1.2.3.{number}.1", count=25))
    folder.add_bytes(b"stray")
    run(folder.path, tmp_path / "all")
    parts = [run_shard(folder.path, tmp_path / f"part{n}", SMALL, KEY, (n, 3)) for n in range(3)]
    assert sum(part.files for part in parts) == 151
    whole = exams(tmp_path / "all")
    divided = [exam for n in range(3) for exam in exams(tmp_path / f"part{n}")]
    assert sorted(divided, key=lambda exam: exam.exam) == whole
    rows = [row for n in range(3) for row in ledger(tmp_path / f"part{n}")]
    assert len(rows) == len(ledger(tmp_path / "all")) == 7
    assert "not-dicom" in rules(tmp_path / "part0")


def test_workers_change_nothing(folder: Any, tmp_path: Path, make_series: Any) -> None:
    for number in range(3):
        folder.add(*make_series(study=f"1.2.3.{number}", series=f"1.2.3.{number}.1", count=25))
    seen: list[tuple[int, int]] = []
    run(folder.path, tmp_path / "one", progress=lambda done, total: seen.append((done, total)))
    run(folder.path, tmp_path / "two", workers=2)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")


def test_every_file_that_ships_with_pydicom_is_accounted_for(
    folder: Any, tmp_path: Path, make_series: Any
) -> None:
    for path in sorted(BUNDLE.rglob("*")):
        if path.is_file():
            folder.add_bytes(path.read_bytes(), f"{folder.count:03d}-{path.name}")
    extra = folder.count
    folder.add(*make_series())
    summary = run(folder.path, tmp_path / "out")
    rows = ledger(tmp_path / "out")
    assert summary.exams == 1
    assert summary.files == extra + 30
    assert sum(row.files for row in rows) == summary.files
    seen = set(rules(tmp_path / "out"))
    assert {"chosen", "modality", "dicomdir", "not-dicom", "broken-copy", "no-study"} <= seen


@pytest.mark.parametrize(
    "change",
    [
        {"NumberOfFrames": 30, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2.1"},
        {"Rows": 65535, "Columns": 65535},
        {"PixelData": b"\0" * 100},
        {"PixelRepresentation": 1, "BitsStored": 12, "HighBit": 11, "PixelData": b"\xff\x0f" * 4096},
        {"RescaleSlope": None},
        {"BitsAllocated": 8},
        {"PatientName": "Müller^Jürgen", "SpecificCharacterSet": "ISO_IR 100", "Modality": "SR"},
        {"SOPInstanceUID": ""},
    ],
)
def test_trouble_in_one_study_costs_only_that_series(
    folder: Any, tmp_path: Path, make_series: Any, change: dict[str, Any]
) -> None:
    folder.add(*make_series())
    good = run(folder.path, tmp_path / "good")
    folder.add(*make_series(series="1.2.3.1.2", **change))
    folder.add(*make_series(study="1.2.3.8", series="1.2.3.8.1", **change))
    summary = run(folder.path, tmp_path / "out")
    assert good.exams == 1
    assert summary.files == 90
    assert sum(row.files for row in ledger(tmp_path / "out")) == 90
    assert summary.studies == 2
    assert exams(tmp_path / "good")[0] in exams(tmp_path / "out")


def test_files_that_are_no_files(folder: Any, tmp_path: Path, make_series: Any) -> None:
    folder.add(*make_series()).add_bytes(b"")
    os.mkfifo(folder.path / "pipe")
    (folder.path / "loop").symlink_to(folder.path)
    (folder.path / "gone").symlink_to(tmp_path / "nowhere")
    summary = run(folder.path, tmp_path / "out")
    assert summary.exams == 1
    assert {"not-dicom", "unreadable"} <= set(rules(tmp_path / "out"))


def test_output_inside_the_source_is_not_read_back(folder: Any, make_series: Any) -> None:
    folder.add(*make_series())
    first = run(folder.path, folder.path / "out")
    assert run(folder.path, folder.path / "out") == first


def test_an_absent_or_empty_source_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such"):
        run(tmp_path / "nothing", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no files"):
        run(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_half_written_remains(
    folder: Any, tmp_path: Path, make_series: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.add(*make_series())
    real = Path.write_bytes

    def fails(path: Path, data: bytes) -> int:
        real(path, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fails)
    with pytest.raises(TryAgain, match="No space"):
        run(folder.path, tmp_path / "out")
    monkeypatch.undo()
    assert outputs(tmp_path / "out") == {}


def test_missing_instance_uids_do_not_merge_slices(folder: Any, tmp_path: Path, make_series: Any) -> None:
    series = [copy.deepcopy(dataset) for dataset in make_series(SOPInstanceUID="")]
    folder.add(*series)
    assert run(folder.path, tmp_path / "out").exams == 1


def test_real_studies(real: Path, tmp_path: Path) -> None:
    run(real, tmp_path / "out", IngestSettings())
    assert {exam.manufacturer for exam in exams(tmp_path / "out")} == {"GE", "Siemens"}
    (hollow,) = [row for row in ledger(tmp_path / "out") if row.rule == "picture"]
    assert hollow.manufacturer == "Philips"
    assert hollow.seen.startswith("phantom")
    anything = SeriesRules(picture="note")
    run(real, tmp_path / "all", IngestSettings(rules=anything))
    by_maker = {exam.manufacturer: exam for exam in exams(tmp_path / "all")}
    assert set(by_maker) == {"GE", "Philips", "Siemens"}
    assert "phantom" in by_maker["Philips"].flags
    ge, philips, siemens = by_maker["GE"], by_maker["Philips"], by_maker["Siemens"]
    assert ge.tilt_degrees == pytest.approx(18.5, abs=0.05)
    assert ge.gaps_mm == (1.1, 4.0, 7.0)
    assert (philips.source_slices, philips.slices, philips.thickness_mm) == (28, 28, 5.0)
    assert (siemens.source_slices, siemens.slices, siemens.gaps_mm) == (90, 36, (2.0,))
    image = read_nifti(tmp_path / "all" / ge.image)
    directions = image.affine[:3, :3] / image.spacing_mm
    assert np.allclose(directions.T @ directions, np.eye(3), atol=1e-6)
    assert image.array.min() == -1024


def test_compressed_and_plain_copies_of_a_study_agree(
    folder: Any, tmp_path: Path, make_series: Callable[..., list[Dataset]]
) -> None:
    folder.add(*make_series())
    run(folder.path, tmp_path / "plain")
    for path in folder.path.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
        dataset.save_as(path)
    run(folder.path, tmp_path / "packed")
    assert outputs(tmp_path / "plain") == outputs(tmp_path / "packed")


def test_an_unforeseen_error_costs_one_exam_and_tells_nothing_of_the_patient(
    folder: Any,
    tmp_path: Path,
    make_series: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No file is known that does this, so the conversion is broken by hand for one of two studies."""
    import nameplate_ingest.sources.source as module

    for number in range(2):
        folder.add(*make_series(study=f"1.2.3.{number}", series=f"1.2.3.{number}.1"))
    real = module.ingest_study
    seen: list[str] = []

    def broken(slices: Any, *rest: Any, **options: Any) -> Any:
        seen.append(slices[0].study)
        if len(seen) == 1:
            raise ZeroDivisionError("DOE^JANE")
        return real(slices, *rest, **options)

    monkeypatch.setattr(module, "ingest_study", broken)
    summary = run(folder.path, tmp_path / "out")
    assert (summary.studies, summary.exams, summary.refusals) == (2, 1, (("error", 1),))
    text = (tmp_path / "out" / "ledger.jsonl").read_text()
    assert '"seen": "ZeroDivisionError"' in text
    assert "DOE" not in text + caplog.text


@pytest.mark.parametrize("syntax", ["", "1.2.840.10008.1.2.5"])
def test_an_enhanced_file_is_read_as_its_single_frames(
    folder: Any, tmp_path: Path, make_series: Any, syntax: str
) -> None:
    """The same head, record and image; one file with 30 frames beside a study of 30 files."""
    series = make_series(RescaleType="HU")
    folder.add(*series)
    run(folder.path, tmp_path / "single")
    whole = enhanced_dataset([*series[20:], *series[:20]])
    if syntax:
        whole.compress(syntax, generate_instance_uid=False)
    (tmp_path / "enhanced").mkdir()
    whole.save_as(tmp_path / "enhanced" / "x", enforce_file_format=True)
    summary = run(tmp_path / "enhanced", tmp_path / "out")
    assert (summary.files, summary.exams) == (1, 1)
    assert [(row.rule, row.files) for row in ledger(tmp_path / "out")] == [("chosen", 1)]
    assert exams(tmp_path / "out") == exams(tmp_path / "single")
    (image,) = (tmp_path / "out" / "images").iterdir()
    assert image.read_bytes() == (tmp_path / "single" / "images" / image.name).read_bytes()


def test_an_enhanced_file_with_two_phases_is_not_mixed(folder: Any, tmp_path: Path, make_series: Any) -> None:
    first = make_series(TemporalPositionIdentifier=1)
    second = make_series(TemporalPositionIdentifier=2, low=-72.5)
    folder.add(enhanced_dataset([*first, *second]))
    summary = run(folder.path, tmp_path / "out")
    assert summary.files == 1
    assert sum(row.files for row in ledger(tmp_path / "out")) == 1
    assert all(exam.source_slices == 30 for exam in exams(tmp_path / "out"))


def test_every_file_counts_once_whatever_is_in_it_twice(
    folder: Any, tmp_path: Path, make_series: Any
) -> None:
    """Copies of an enhanced file, and a slice at the junction of two halves of a head."""
    enhanced = enhanced_dataset(make_series())
    folder.add(enhanced, enhanced)
    folder.add_bytes((folder.path / "00001").read_bytes()[:-30_000])
    options = {"study": "1.2.3.2", "SliceThickness": 5.0, "FrameOfReferenceUID": "1.2.9"}
    folder.add(*make_series(count=15, series="1.2.3.2.1", **options))
    folder.add(*make_series(count=16, low=-5.0, series="1.2.3.2.2", SeriesNumber=3, **options))
    summary = run(folder.path, tmp_path / "out")
    rows = ledger(tmp_path / "out")
    assert summary.files == sum(row.files for row in rows) == 34
    expected = {"chosen": [1, 30], "duplicate-file": [1], "broken-copy": [1], "junction-slice": [1]}
    for rule, files in expected.items():
        assert sorted(row.files for row in rows if row.rule == rule) == files
    assert summary.exams == 2


def test_an_enhanced_file_without_places_is_refused_with_its_study(
    folder: Any, tmp_path: Path, make_series: Any
) -> None:
    whole = enhanced_dataset(make_series())
    del whole.PerFrameFunctionalGroupsSequence
    del whole.SharedFunctionalGroupsSequence
    folder.add(whole)
    assert run(folder.path, tmp_path / "out").refusals == (("multi-frame", 1),)
    assert [row.item for row in ledger(tmp_path / "out")] == ["series"]


def test_a_number_that_stands_for_several_people_is_told(
    folder: Any, tmp_path: Path, make_series: Any
) -> None:
    for number, sex in enumerate("FMF"):
        folder.add(*make_series(study=f"1.2.3.{number}", series=f"1.2.3.{number}.1", PatientSex=sex))
    summary = run(folder.path, tmp_path / "out")
    assert (summary.exams, summary.shared) == (3, 1)
    assert len({exam.patient for exam in exams(tmp_path / "out")}) == 1


def test_a_filler_for_a_number_makes_no_patient_of_many(
    folder: Any, tmp_path: Path, make_series: Any
) -> None:
    who = {"PatientID": "ANONYMOUS", "PatientName": "ANONYMOUS"}
    for number in range(3):
        folder.add(*make_series(study=f"1.2.3.{number}", series=f"1.2.3.{number}.1", **who))
    assert run(folder.path, tmp_path / "out").shared == 0
    assert len({exam.patient for exam in exams(tmp_path / "out")}) == 3


def test_a_thicker_chest_beside_the_head_is_not_chosen(folder: Any, tmp_path: Path, make_series: Any) -> None:
    folder.add(*make_series(series="1.2.3.1.1", SeriesDescription="Thorax 5.0", BodyPartExamined="CHEST"))
    folder.add(
        *make_series(series="1.2.3.1.2", count=60, gap=2.5, SliceThickness=2.5, BodyPartExamined="HEAD")
    )
    run(folder.path, tmp_path / "out")
    assert {(row.rule, row.files) for row in ledger(tmp_path / "out")} == {("body-part", 30), ("chosen", 60)}


def test_a_targeted_field_beside_the_whole_head_is_not_chosen(
    folder: Any, tmp_path: Path, make_slice: Any, make_series: Any
) -> None:
    """Ten centimetres inside the head, of the same thickness, kernel and words."""
    small = [
        make_slice(
            series="1.2.3.1.0", number=n, position=(-50.0, -50.0, 5.0 * n - 75), spacing=(1.5625, 1.5625)
        )
        for n in range(30)
    ]
    folder.add(*small, *make_series(series="1.2.3.1.9"))
    run(folder.path, tmp_path / "out")
    assert {row.rule for row in ledger(tmp_path / "out")} == {"field", "chosen"}
    assert [exam.pixel_mm for exam in exams(tmp_path / "out")] == [3.125]
