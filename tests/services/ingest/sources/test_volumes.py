"""Volumes with a table through an ingest: what becomes of each, and of what is wrong."""

import gzip
import os
import pickle
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from volume_maker import (
    EVERY,
    KEY,
    ROW,
    SMALL,
    exam,
    image_of,
    lines,
    refusals,
    run,
    settings_of,
    write_table,
)

from nameplate.errors import UserError
from nameplate.image.volume import Volume, read_nifti, write_nifti
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.ingest import ingest_folder, ingest_listed
from nameplate_ingest.results.output import Output
from nameplate_ingest.sources.index import Reading
from nameplate_ingest.sources.listed import opened_listing, sealed_listing
from nameplate_ingest.sources.volumes import Volumes
from nameplate_ingest.workers import Workers


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "volumes"
    path.mkdir()
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def rows_of(*names: str, **more: str) -> list[dict[str, str]]:
    return [{"exam": name, "pat": f"PATIENT-{name}", **ROW, **more} for name in names]


@pytest.mark.parametrize(
    ("ending", "packed"),
    [
        *((".nii.gz", True), (".nii", False), (".nrrd", True), (".nrrd", False), (".nhdr", False)),
        *((".nhdr", True), (".mha", True), (".mha", False), (".mhd", False), (".mhd", True)),
    ],
)
def test_every_format_leaves_the_bytes_of_the_dicom_series(
    folder: Any,
    make_series: Any,
    head: Any,
    place: Path,
    out: Path,
    tmp_path: Path,
    ending: str,
    packed: bool,
) -> None:
    folder.add(*make_series())
    ingest_folder(folder.path, tmp_path / "by-dicom", SMALL, key=KEY)
    (by_dicom,) = lines(tmp_path / "by-dicom", "exams.jsonl")
    uid = "1.2.3.1"  # the study's, so that both have one pseudonym
    sitk.WriteImage(image_of(head), str(place / f"{uid}{ending}"), useCompression=packed)
    table = write_table(tmp_path / "t.csv", [{"exam": uid, "pat": "PATIENTKEY77", **ROW}])
    summary = run(place, table, out)
    assert (summary.exams, summary.studies, summary.files) == (1, 1, 1)
    (found,) = lines(out, "exams.jsonl")
    assert found.pop("flags") == ["from-volume", *by_dicom.pop("flags")]
    assert found == by_dicom
    for name in (by_dicom["image"], "as-read.jsonl"):
        assert (out / name).read_bytes() == (tmp_path / "by-dicom" / name).read_bytes()


def test_an_array_in_any_order_of_axes_is_the_same_exam(
    head: Any, place: Path, out: Path, tmp_path: Path
) -> None:
    plain = image_of(head)
    sitk.WriteImage(plain, str(place / "a.nrrd"))
    turned = sitk.PermuteAxes(sitk.Flip(plain, [True, False, True]), [2, 0, 1])
    sitk.WriteImage(turned, str(place / "b.nrrd"))
    sitk.WriteImage(sitk.Cast(plain, sitk.sitkFloat64), str(place / "c.nii.gz"))
    run(place, write_table(tmp_path / "t.csv", rows_of("a", "b", "c")), out)
    images = [read_nifti(out / "images" / f"{exam(name)}.nii.gz") for name in "abc"]
    for image in images[1:]:
        assert np.abs(image.affine - images[0].affine).max() < 1e-4
        assert (image.array == images[0].array).mean() > 0.999
        assert np.abs(image.array.astype(int) - images[0].array).max() <= 1


def test_what_is_not_in_the_table_is_empty_and_said(
    head: Any, place: Path, out: Path, tmp_path: Path
) -> None:
    sitk.WriteImage(image_of(head), str(place / "a.nii.gz"))
    table = write_table(tmp_path / "t.csv", [{"exam": "a", "maker": "Philips"}])
    run(place, table, out, settings_of({"exam": "exam", "manufacturer": "maker"}))
    (found,) = lines(out, "exams.jsonl")
    assert found["flags"][:3] == ["from-volume", "patient-unknown", "thickness-from-gaps"]
    assert (found["manufacturer"], found["thickness_mm"]) == ("Philips", 5.0)
    empty = {name: found[name] for name in ("model", "software", "kernel", "kernel_class", "institution")}
    assert set(empty.values()) == {""}
    assert {found[name] for name in ("age", "sex", "kvp", "exposure_mas")} == {None}
    # Of the exam, as a study without a patient's number has it.
    assert found["patient"] == Pseudonyms(KEY).of("p", "study", "a")


def test_two_exams_of_a_patient_have_one_pseudonym(head: Any, place: Path, out: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        sitk.WriteImage(image_of(head), str(place / f"{name}.nii.gz"))
    rows = rows_of("a", "b", pat="P-17") + rows_of("c", pat="P-18")
    run(place, write_table(tmp_path / "t.csv", rows), out)
    patients = {row["exam"]: row["patient"] for row in lines(out, "exams.jsonl")}
    assert patients[exam("a")] == patients[exam("b")] != patients[exam("c")]


def test_words_of_the_site_and_the_exam_do_not_leave(
    head: Any, place: Path, out: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sitk.WriteImage(image_of(head), str(place / "Zebulonius_16.nii.gz"))
    row = {
        "model": "Emotion 16 Quaxton",
        "site": "Quaxton Clinic",
        "kernel": "Zebulonius H31s",
        "pat": "QUX77",
    }
    run(place, write_table(tmp_path / "t.csv", rows_of("Zebulonius_16", **row)), out)
    (found,) = lines(out, "exams.jsonl")
    assert (found["model"], found["kernel"]) == ("Emotion 16", "H31s")
    texts = [path.read_text() for path in out.glob("*.jsonl")] + [caplog.text]
    for secret in ("Zebulonius", "Quaxton", "QUX77", str(place)):
        assert not any(secret in text for text in texts)


def test_an_unknown_manufacturer_is_refused(head: Any, place: Path, out: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        sitk.WriteImage(image_of(head), str(place / f"{name}.nii.gz"))
    rows = rows_of("a", maker="", model="") + rows_of("b", maker="Acme", model="") + rows_of("c")
    assert run(place, write_table(tmp_path / "t.csv", rows), out).exams == 1
    assert refusals(out) == {
        exam("a"): ("manufacturer", "table blank"),
        exam("b"): ("manufacturer", "table unknown"),
    }


def test_files_and_rows_without_each_other_are_counted(
    head: Any, place: Path, out: Path, tmp_path: Path
) -> None:
    for name in ("a", "x", "y"):
        sitk.WriteImage(image_of(head), str(place / f"{name}.nii.gz"))
    (place / "README").write_text("notes")
    os.mkfifo(place / "pipe")
    table = write_table(place / "t.csv", rows_of("a", "m1", "m2", "m3"))
    summary = run(place, table, out)
    assert (summary.exams, summary.studies, summary.files, summary.unused) == (1, 1, 5, 3)
    rows = lines(out, "ledger.jsonl")
    told = {(row["item"], row["rule"], row["seen"]): row["files"] or row["studies"] for row in rows}
    assert told == {
        ("series", "chosen", "best of the usable ones"): 1,
        ("file", "no-row", "volumes that no row of the table is of"): 2,
        ("file", "not-volume", "no ending of a volume"): 1,
        ("file", "unreadable", "not a regular file"): 1,
        ("table", "not-in-folder", "studies of the table that no file is of"): 3,
    }
    assert [row["id"] for row in rows if row["item"] == "table"] == ["source.table"]


def test_the_fields_of_the_cohort_leave_and_no_others(
    head: Any, place: Path, out: Path, tmp_path: Path
) -> None:
    sitk.WriteImage(image_of(head), str(place / "a.nii.gz"))
    rows = rows_of("a", pathology="bleed", remark="Mr Quax")
    run(place, write_table(tmp_path / "t.csv", rows), out, fields=("pathology",))
    assert lines(out, "exams.jsonl")[0]["fields"] == {"pathology": "bleed"}
    assert "Quax" not in "".join(path.read_text() for path in out.glob("*.jsonl"))


def test_masks_by_the_exam_its_pseudonym_and_its_file(
    head: Any, place: Path, out: Path, tmp_path: Path
) -> None:
    image = image_of(head)
    for name in ("a", "b", "deep/c", "s4/ct", "s5/ct"):
        (place / name).parent.mkdir(exist_ok=True)
        sitk.WriteImage(image, str(place / f"{name}.nii.gz"))
    rod = sitk.GetArrayFromImage(image).transpose(2, 1, 0) == 80
    affine = np.diag([-3.125, -3.125, 5.0, 1.0])
    affine[:3, 3] = 100, 100, -75
    masks = tmp_path / "masks"
    for name in ("a_seg", exam("b"), "c", "s4", "s5/ct_mask"):
        (masks / name).parent.mkdir(parents=True, exist_ok=True)
        write_nifti(masks / f"{name}.nii.gz", Volume(rod.astype(np.uint8), affine))
    rows = rows_of("a", "b") + [
        {**row, "exam": name} for name, row in zip(("x3", "x4", "x5"), rows_of("3", "4", "5"), strict=True)
    ]
    files = {
        "a": "a.nii.gz",
        "b": "b.nii.gz",
        "x3": "deep/c.nii.gz",
        "x4": "s4/ct.nii.gz",
        "x5": "s5/ct.nii.gz",
    }
    table = write_table(tmp_path / "t.csv", [{**row, "file": files[row["exam"]]} for row in rows])
    settings = settings_of({"exam": "exam", "file": "file", **EVERY})
    summary = run(place, table, out, settings, masks=masks)
    assert (summary.targets, summary.unknown_masks) == (5, 0)
    assert all(row["volume_ml"] > 0 and row["rule"] == "" for row in lines(out, "targets.jsonl"))


def test_a_change_of_row_or_file_is_noticed_and_another_row_is_not(
    head: Any, place: Path, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        sitk.WriteImage(image_of(head), str(place / f"{name}.mhd"))
    table = write_table(tmp_path / "t.csv", rows_of("a", "b", "c"))
    before = digests(place, table)
    assert digests(place, table) == before
    write_table(table, rows_of("a", age="62") + rows_of("b", "c"))
    os.utime(place / "b.raw", ns=(1, 1))
    after = digests(place, table)
    assert {name for name in before if before[name] != after[name]} == {"a", "b"}


def test_a_volume_that_changed_after_it_was_listed_costs_itself(
    head: Any, place: Path, out: Path, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        sitk.WriteImage(image_of(head), str(place / f"{name}.mhd"))
    source = Volumes(place, write_table(tmp_path / "t.csv", rows_of("a", "b", "c")), settings_of())
    reading = Reading(source.place, Pseudonyms(KEY))
    with Workers(0, reading) as alone:
        index = opened_listing(sealed_listing(source.index(reading, alone), KEY), KEY)
    os.utime(place / "a.raw", ns=(1, 1))
    (place / "b.mhd").unlink()
    summary = ingest_listed(index, source, Output(out), SMALL, key=KEY, with_masks=False)
    assert summary.exams == 1
    assert summary.refusals == (("source-changed", 2),)


def digests(place: Path, table: Path) -> dict[str, str]:
    source = pickle.loads(pickle.dumps(Volumes(place, table, settings_of())))
    reading = Reading(source.place, Pseudonyms(KEY))
    with Workers(0, reading) as alone:
        index = source.index(reading, alone)
    return {uid: study.digest(KEY) for uid, study in index.studies.items()}


def test_a_later_call_does_what_is_new_alone(head: Any, place: Path, out: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        sitk.WriteImage(image_of(head), str(place / f"{name}.nii.gz"))
    table = write_table(tmp_path / "t.csv", rows_of("a"))
    assert run(place, table, out, resumable=True).earlier == 0
    write_table(table, rows_of("a", "b"))
    summary = run(place, table, out, resumable=True)
    assert (summary.exams, summary.earlier) == (2, 1)


def spoilt(head: Any, place: Path) -> dict[str, tuple[str, str]]:
    """Volumes that are wrong in one thing each, and what each is refused for."""
    plain = image_of(head)
    hu = sitk.GetArrayFromImage(plain).astype(np.float64)

    def write(name: str, image: Any, ending: str = ".nii.gz") -> None:
        sitk.WriteImage(image, str(place / f"{name}{ending}"))

    def scaled(change: Any, dtype: Any) -> Any:
        return image_of(head, change=change, dtype=dtype)

    write("unit", scaled(lambda v: (v + 1000) / 2000, np.float32))
    write("grey", scaled(lambda v: np.clip((v + 1000) / 8, 0, 255), np.uint8))
    write("z-score", scaled(lambda v: (v + 700) / 500, np.float32))
    write("window", scaled(lambda v: np.clip(v + 3 * np.sin(np.arange(64)), 0, 80), np.int16))
    noisy = hu + np.random.default_rng(3).normal(0, 30, hu.shape)
    write("cut", scaled(lambda v: np.clip(np.where(v > 900, 400 + noisy - v, noisy), -1024, 400), np.int16))
    write("mr", scaled(lambda v: np.clip((v > -500) * (300 + v / 4) + noisy / 30, 0, None), np.int16))
    write("nan", scaled(lambda v: np.where(v == 80, np.nan, v), np.float32))
    write("wide", scaled(lambda v: np.where(v == 80, 1e30, v), np.float32))
    write("frames", sitk.JoinSeries([plain, plain]))
    write("one-frame", sitk.JoinSeries([plain]))
    write("rgb", sitk.Compose([sitk.Cast(plain, sitk.sitkUInt8)] * 3))
    write("thin", image_of(head, size=(64, 64, 8)))
    write("small", image_of(head, size=(16, 16, 30), spacing=(12.5, 12.5, 5)))
    write("body", image_of(head, size=(64, 64, 60), spacing=(3.125, 3.125, 5)))
    write("gap", image_of(head, size=(64, 64, 15), spacing=(3.125, 3.125, 10)))
    bare = sitk.GetImageFromArray(sitk.GetArrayFromImage(plain))
    write("bare", bare, ".nrrd")
    write("bare-meta", bare, ".mha")
    write("coded", plain, ".nii")
    data = bytearray((place / "coded.nii").read_bytes())
    data[252:256] = bytes(4)  # qform_code and sform_code
    (place / "coded.nii").write_bytes(data)
    (place / "text.nii.gz").write_bytes(b"not a volume")
    (place / "empty.nrrd").write_bytes(b"")
    whole = (place / "one-frame.nii.gz").read_bytes()
    (place / "half.nii.gz").write_bytes(whole[: len(whole) // 2])
    (place / "broken.nii.gz").write_bytes(whole[:2000] + bytes(50) + whole[2050:])
    (place / "short.nii").write_bytes(gzip.decompress(whole)[:5000])
    size = 64 * 64 * 30 * 2
    return {
        "unit": ("hounsfield", "numbers from 0 to 1: scaled, no HU"),
        "grey": ("hounsfield", "numbers from 0 to 250: scaled, no HU"),
        "z-score": ("hounsfield", "numbers from -0.6 to 3.4: scaled, no HU"),
        "window": ("hounsfield", "numbers from 0 to 80: scaled, no HU"),
        "cut": ("hounsfield", "numbers from -1024 to 400: cut off below bone"),
        "nan": ("hounsfield", "numbers that are not finite"),
        "wide": ("hounsfield", "numbers from -1000 to 1.0e+30: more than 16 bits hold"),
        "frames": ("multi-frame", "2 frames without a place for each"),
        "rgb": ("colour", "3 samples a voxel"),
        "thin": ("coverage", "35.0 mm of at least 100 mm"),
        "small": ("geometry", "pixels of 12.5 x 12.5 mm"),
        "body": ("coverage", "295.0 mm of at most 280 mm"),
        "gap": ("thickness", "10 mm"),
        "bare": ("geometry", "steps of 1 mm, no turn, begins at 0: no scanner's, but made up by a program"),
        "bare-meta": (
            "geometry",
            "steps of 1 mm, no turn, begins at 0: no scanner's, but made up by a program",
        ),
        "coded": ("geometry", "neither sform nor qform says where it is"),
        "text": ("not-volume", "no NIfTI file"),
        "empty": ("not-volume", "no NRRD file"),
        "short": ("truncated-pixels", f"{5000 - 352} of {size} bytes"),
        "broken": ("compressed-pixels", "more packed voxels than the header says"),
    }


def test_each_volume_that_is_wrong_costs_itself_and_says_why(
    head: Any, place: Path, out: Path, tmp_path: Path
) -> None:
    expected = spoilt(head, place)
    names = [*expected, "one-frame", "mr", "half"]
    rows = rows_of(*names, thick="")
    run(place, write_table(tmp_path / "t.csv", rows), out)
    found = refusals(out)
    assert {name: found.pop(exam(name), None) for name in expected} == expected
    assert found.pop(exam("mr"))[0] == "hounsfield"
    assert found.pop(exam("half"))[0] == "truncated-pixels"
    assert not found
    assert [row["exam"] for row in lines(out, "exams.jsonl")] == [exam("one-frame")]


def test_a_lost_intercept_is_put_right_as_in_dicom(head: Any, place: Path, out: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(5).normal(0, 8, (30, 64, 64))
    sitk.WriteImage(image_of(head, change=lambda hu: hu + noise), str(place / "a.nii.gz"))
    sitk.WriteImage(image_of(head, change=lambda hu: hu + noise + 1024), str(place / "b.nii.gz"))
    run(place, write_table(tmp_path / "t.csv", rows_of("a", "b")), out)
    flags = {row["exam"]: row["flags"] for row in lines(out, "exams.jsonl")}
    assert "hu-intercept-lost" in flags[exam("b")]
    assert "hu-intercept-lost" not in flags[exam("a")]
    a, b = (read_nifti(out / "images" / f"{exam(name)}.nii.gz").array for name in "ab")
    assert np.abs(a.astype(int) - b).max() <= 1


def test_bone_that_is_cut_off_high_is_noted(head: Any, place: Path, out: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(5).normal(0, 60, (30, 64, 64))
    image = image_of(head, change=lambda hu: np.clip(hu + noise * (hu > 900), None, 1000))
    sitk.WriteImage(image, str(place / "a.nii.gz"))
    run(place, write_table(tmp_path / "t.csv", rows_of("a")), out)
    assert "hu-cut-above" in lines(out, "exams.jsonl")[0]["flags"]


def nifti_that_claims(*sizes: int) -> bytes:
    header = bytearray(352)
    header[0:4] = struct.pack("<i", 348)
    header[40:56] = struct.pack("<8h", len(sizes), *sizes, *[1] * (7 - len(sizes)))
    header[70:74] = struct.pack("<2h", 4, 16)
    header[76:92] = struct.pack("<4f", 1, 1, 1, 5)
    header[108:112] = struct.pack("<f", 352)
    header[254:256] = struct.pack("<h", 1)
    header[280:328] = struct.pack("<12f", 1, 0, 0, -100, 0, 1, 0, -100, 0, 0, 5, -100)
    header[344:348] = b"n+1\0"
    return bytes(header)


def test_headers_that_claim_gigabytes_and_bombs_cost_nothing(
    head: Any, place: Path, out: Path, tmp_path: Path
) -> None:
    sitk.WriteImage(image_of(head), str(place / "good.nii.gz"))
    (place / "huge.nii").write_bytes(nifti_that_claims(32767, 32767, 32767))
    (place / "four.nii").write_bytes(nifti_that_claims(1024, 1024, 2048))
    (place / "four-packed.nii.gz").write_bytes(gzip.compress(nifti_that_claims(1024, 1024, 2048)))
    bomb = gzip.compress(nifti_that_claims(64, 64, 30) + bytes(400 << 20), 1)
    (place / "bomb.nii.gz").write_bytes(bomb)
    (place / "four.mha").write_bytes(
        b"ObjectType = Image\nNDims = 3\nDimSize = 2048 2048 512\nElementType = MET_SHORT\n"
        b"ElementSpacing = 1 1 5\nElementDataFile = LOCAL\n"
    )
    (place / "long.nrrd").write_bytes(b"NRRD0004\n" + b"# comment\n" * 100_000)
    rows = [
        {**row, "file": file}
        for row, file in zip(
            rows_of("good", "huge", "four", "packed", "bomb", "meta", "long"),
            (
                "good.nii.gz",
                "huge.nii",
                "four.nii",
                "four-packed.nii.gz",
                "bomb.nii.gz",
                "four.mha",
                "long.nrrd",
            ),
            strict=True,
        )
    ]
    table = write_table(tmp_path / "t.csv", rows)
    tracemalloc.start()
    run(place, table, out, settings_of({"exam": "exam", "file": "file", **EVERY}))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20
    assert refusals(out) == {
        exam("huge"): ("size", "32767 x 32767 x 32767 voxels"),
        exam("four"): ("size", "1024 x 1024 x 2048 voxels"),
        exam("packed"): ("size", "1024 x 1024 x 2048 voxels"),
        exam("bomb"): ("compressed-pixels", "more packed voxels than the header says"),
        exam("meta"): ("size", "2048 x 2048 x 512 voxels"),
        exam("long"): ("truncated-header", "the header has no end"),
    }
    assert [row["exam"] for row in lines(out, "exams.jsonl")] == [exam("good")]


def test_nothing_outside_the_folder_is_read(head: Any, place: Path, out: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    image = image_of(head)
    sitk.WriteImage(image, str(outside / "o.mhd"))
    (outside / "deep").mkdir()
    sitk.WriteImage(image, str(outside / "o.nii.gz"))
    sitk.WriteImage(image, str(outside / "deep" / "d.nii.gz"))
    sitk.WriteImage(image, str(outside / "n.nhdr"), useCompression=False)
    for name, text in (
        ("climbs.mhd", (outside / "o.mhd").read_text().replace("o.raw", "../outside/o.raw")),
        ("absolute.mhd", (outside / "o.mhd").read_text().replace("o.raw", str(outside / "o.raw"))),
        ("linked.mhd", (outside / "o.mhd").read_text()),
        ("climbs-too.nhdr", (outside / "n.nhdr").read_text().replace("n.raw", "../outside/n.raw")),
        ("gone.mhd", (outside / "o.mhd").read_text().replace("o.raw", "nothing.raw")),
        ("list.mhd", (outside / "o.mhd").read_text().replace("o.raw", "LIST")),
        ("pattern.nhdr", (outside / "n.nhdr").read_text().replace("n.raw", "n%d.raw 1 3 1")),
    ):
        (place / name).write_text(text)
    (place / "o.raw").symlink_to(outside / "o.raw")
    (place / "link.nii.gz").symlink_to(outside / "o.nii.gz")
    (place / "folder").symlink_to(outside / "deep", target_is_directory=True)
    names = (
        "climbs.mhd",
        "absolute.mhd",
        "linked.mhd",
        "climbs-too.nhdr",
        "gone.mhd",
        "list.mhd",
        "pattern.nhdr",
    )
    files = (*names, "link.nii.gz", "folder/d.nii.gz", "../outside/o.nii.gz", str(outside / "o.nii.gz"))
    rows = [
        {**row, "file": file}
        for row, file in zip(rows_of(*(f"e{n}" for n in range(len(files)))), files, strict=True)
    ]
    table = write_table(tmp_path / "t.csv", rows)
    summary = run(place, table, out, settings_of({"exam": "exam", "file": "file", **EVERY}))
    assert summary.exams == 0
    found = refusals(out)
    outward = ("path", "leads out of the folder of the volumes")
    told = {file: found[exam(f"e{n}")] for n, file in enumerate(files) if exam(f"e{n}") in found}
    several = ("encoding", "voxels are in several files")
    assert told == {
        **dict.fromkeys(("climbs.mhd", "absolute.mhd", "linked.mhd", "climbs-too.nhdr"), outward),
        "gone.mhd": ("path", "no such file"),
        "list.mhd": several,
        "pattern.nhdr": several,
        **dict.fromkeys(files[-4:], outward),
    }
    assert str(outside) not in (out / "ledger.jsonl").read_text()


def test_a_link_within_the_folder_is_followed(head: Any, place: Path, out: Path, tmp_path: Path) -> None:
    (place / "store").mkdir()
    sitk.WriteImage(image_of(head), str(place / "store" / "blob.nii.gz"))
    link = tmp_path / "link-to-volumes"
    link.symlink_to(place, target_is_directory=True)
    table = write_table(tmp_path / "t.csv", rows_of("blob"))
    assert run(link, table, out).exams == 1


def test_two_exams_of_one_file_are_both_refused(head: Any, place: Path, out: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        sitk.WriteImage(image_of(head), str(place / f"{name}.nii.gz"))
    files = {"x": "a.nii.gz", "y": "./a.nii.gz", "z": "b.nii.gz"}
    table = write_table(
        tmp_path / "t.csv", [{**row, "file": files[row["exam"]]} for row in rows_of("x", "y", "z")]
    )
    run(place, table, out, settings_of({"exam": "exam", "file": "file", **EVERY}))
    shared = "file-shared", "one file for 2 exams"
    assert refusals(out) == {exam("x"): shared, exam("y"): shared}
    assert [row["exam"] for row in lines(out, "exams.jsonl")] == [exam("z")]


def test_a_source_that_has_nothing_says_what_to_do(head: Any, place: Path, out: Path, tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", rows_of("a"))
    (place / "notes").write_text("x")
    with pytest.raises(UserError, match="holds no volumes"):
        run(place, table, out)
    sitk.WriteImage(image_of(head), str(place / "b.nii.gz"))
    with pytest.raises(UserError, match=r"no row has a volume .* 1 rows, 1 volumes \(by 'exam'"):
        run(place, table, out)
    with pytest.raises(UserError, match="no such"):
        run(tmp_path / "missing", table, out)
    with pytest.raises(UserError, match="cannot be read"):
        run(place, tmp_path / "no.csv", out)
