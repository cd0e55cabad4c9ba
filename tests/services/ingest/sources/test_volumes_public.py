"""The layouts of public sets, as docs/sources.md describes them, and real series that were converted."""

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from volume_maker import exam, image_of, lines, refusals, run, settings_of, write_table

from nameplate.campaign.ingest import IngestSettings
from nameplate_ingest.ingest import ingest_folder

KEY = b"a key for these tests"
META = (
    *("image_id", "age", "gender", "institute", "study_type", "split", "manufacturer", "scanner_model"),
    *("kvp", "pathology", "pathology_location"),
)


def test_the_layout_of_totalsegmentator(head: Any, tmp_path: Path) -> None:
    place = tmp_path / "Totalsegmentator_dataset"
    image, mask = image_of(head), image_of(head, change=lambda hu: hu > 0, dtype=np.uint8)
    people = {
        "s0001": (
            "64",
            "m",
            "A",
            "ct head",
            "train",
            "siemens",
            "SOMATOM Definition AS+",
            "120.0",
            "bleeding",
            "brain",
        ),
        "s0002": (
            "57.0",
            "f",
            "B",
            "ct head",
            "test",
            "GE MEDICAL SYSTEMS",
            "Revolution EVO",
            "100.0",
            "",
            "",
        ),
        "s0003": ("", "", "C", "ct angiography head", "train", "", "", "", "no_pathology", ""),
    }
    for name in people:
        (place / name / "segmentations").mkdir(parents=True)
        sitk.WriteImage(image, str(place / name / "ct.nii.gz"))
        for organ in ("brain", "skull"):
            sitk.WriteImage(mask, str(place / name / "segmentations" / f"{organ}.nii.gz"))
    with (place / "meta.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerows([META, *((name, *told) for name, told in people.items())])
    columns = {
        "exam": "image_id",
        **{"manufacturer": "manufacturer", "model": "scanner_model", "institution": "institute"},
        **{"age": "age", "sex": "gender", "kvp": "kvp"},
    }
    settings = settings_of(columns, volume="{exam}/ct.nii.gz")
    fields = ("study_type", "pathology")
    run(place, place / "meta.csv", tmp_path / "out", settings, fields=fields)
    found = {row["exam"]: row for row in lines(tmp_path / "out", "exams.jsonl")}
    first, second = found[exam("s0001")], found[exam("s0002")]
    names = ("manufacturer", "model", "age", "sex", "kvp", "fields")
    assert [first[name] for name in names] == [
        *("Siemens", "SOMATOM Definition AS+", 64.0, "M", 120.0),
        {"study_type": "ct head", "pathology": "bleeding"},
    ]
    assert [second[name] for name in names] == [
        *("GE", "Revolution EVO", 57.0, "F", 100.0),
        {"study_type": "ct head"},
    ]
    assert first["institution"] != second["institution"]
    rows = lines(tmp_path / "out", "ledger.jsonl")
    assert refusals(tmp_path / "out")[exam("s0003")] == ("manufacturer", "table blank")
    assert [row["files"] for row in rows if row["rule"] == "no-row"] == [6]  # the masks of organs
    # Without the pattern the file that is right below the exam's folder is the one.
    run(place, place / "meta.csv", tmp_path / "again", settings_of(columns), fields=fields)
    for name in ("exams.jsonl", "ledger.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_the_layout_of_synthrad(head: Any, tmp_path: Path) -> None:
    place = tmp_path / "brain"
    image = image_of(head, size=(200, 200, 150), spacing=(1, 1, 1), origin=(-100, -100, -75))
    for name in ("1BA001", "1BA005"):
        (place / name).mkdir(parents=True)
        for kind in ("ct", "mr", "mask"):
            sitk.WriteImage(image, str(place / name / f"{kind}.nii.gz"))
    rows = [
        {"ID": "1BA001", "Manufacturer": "SIEMENS", "ManufacturerModelName": "Biograph40"},
        {"ID": "1BA005", "Manufacturer": "Philips", "ManufacturerModelName": "Brilliance Big Bore"},
    ]
    table = write_table(tmp_path / "scanners.csv", rows)
    columns = {"exam": "ID", "manufacturer": "Manufacturer", "model": "ManufacturerModelName"}
    run(place, table, tmp_path / "out", settings_of(columns, volume="{exam}/ct.nii.gz"))
    found = {row["exam"]: row for row in lines(tmp_path / "out", "exams.jsonl")}
    assert {found[exam(name)]["manufacturer"] for name in ("1BA001", "1BA005")} == {"Siemens", "Philips"}
    run(place, table, tmp_path / "ambiguous", settings_of(columns))
    told = "file-ambiguous", "3 files are called after it"
    assert refusals(tmp_path / "ambiguous") | {None: told} == {
        None: told,
        **{exam(name): told for name in ("1BA001", "1BA005")},
    }


def test_heads_without_any_table_of_scanners(head: Any, tmp_path: Path) -> None:
    place = tmp_path / "images"
    place.mkdir()
    for name in ("ID_0a1b_ID_2c3d", "ID_4e5f_ID_6a7b"):
        sitk.WriteImage(image_of(head), str(place / f"{name}.nii.gz"))
    table = write_table(
        tmp_path / "own.csv",
        [{"exam": p.name.removesuffix(".nii.gz"), "maker": "GE"} for p in place.iterdir()],
    )
    summary = run(place, table, tmp_path / "out", settings_of({"exam": "exam", "manufacturer": "maker"}))
    assert summary.exams == 2


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_real_series_is_the_same_exam_by_itk(real: Path, tmp_path: Path, ending: str) -> None:
    source = real / "siemens-definition-as-phantom"
    by_dicom, out, place = tmp_path / "by-dicom", tmp_path / "out", tmp_path / "volumes"
    place.mkdir()
    ingest_folder(source, by_dicom, IngestSettings(), key=KEY)
    (expected,) = lines(by_dicom, "exams.jsonl")
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in source.iterdir()]
    headers.sort(key=lambda header: float(header.ImagePositionPatient[2]))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(header.filename) for header in headers])
    sitk.WriteImage(reader.Execute(), str(place / f"head{ending}"), useCompression=True)
    first = headers[0]
    told = {
        "manufacturer": "Manufacturer",
        **{"model": "ManufacturerModelName", "software": "SoftwareVersions", "kernel": "ConvolutionKernel"},
        **{
            "institution": "InstitutionName",
            "patient": "PatientID",
            "age": "PatientAge",
            "sex": "PatientSex",
        },
        **{"kvp": "KVP", "thickness_mm": "SliceThickness"},
    }
    row = {"exam": first.StudyInstanceUID, "file": f"head{ending}"}
    row |= {word: str(first.get(word, "")) for word in told.values()}
    table = write_table(tmp_path / "t.csv", [row])
    settings = settings_of({"exam": "exam", "file": "file", **told})
    run(place, table, out, settings, ingest=IngestSettings())
    (found,) = lines(out, "exams.jsonl")
    assert found.pop("flags") == ["from-volume", *expected.pop("flags")]
    del found["exposure_mas"], expected["exposure_mas"]  # a median of the headers
    assert found == expected
    for name in (expected["image"], "as-read.jsonl"):
        assert (out / name).read_bytes() == (by_dicom / name).read_bytes()


def test_a_real_phantom_is_refused_either_way(real: Path, tmp_path: Path) -> None:
    source, place = tmp_path / "dicom", tmp_path / "volumes"
    place.mkdir()
    source.mkdir()
    for path in (real / "philips-ingenuity-phantom").glob("S2010-*"):
        shutil.copy(path, source / path.name)
    ingest_folder(source, tmp_path / "by-dicom", IngestSettings(), key=KEY)
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in source.iterdir()]
    headers.sort(key=lambda header: float(header.ImagePositionPatient[2]))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(header.filename) for header in headers])
    sitk.WriteImage(reader.Execute(), str(place / "p.nii.gz"))
    table = write_table(tmp_path / "t.csv", [{"exam": "p", "maker": "Philips"}])
    settings = settings_of({"exam": "exam", "manufacturer": "maker"})
    run(place, table, tmp_path / "out", settings, ingest=IngestSettings())
    (told,) = refusals(tmp_path / "by-dicom").values()
    assert refusals(tmp_path / "out") == {exam("p"): told}
    assert told[0] == "picture"
    (picture,) = (tmp_path / "out" / "refused").iterdir()
    (by_dicom,) = (tmp_path / "by-dicom" / "refused").iterdir()
    assert picture.read_bytes() == by_dicom.read_bytes()
