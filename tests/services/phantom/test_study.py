"""Whole studies as files: sameness, validity, geometry against the truth, padding, makers."""

import hashlib
import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset
from scipy import ndimage

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.errors import UserError
from nameplate.image.volume import read_nifti
from nameplate_phantom.machine import draw_machine
from nameplate_phantom.simulation import write_cohort
from nameplate_phantom.study import StudyTruth, plan_study, simulate_study

SETTINGS = PhantomSettings(exams=8, matrix=96, thin_mm=3.0, truth=True)
# fmt: off
TYPE_1_AND_2 = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate",
    "StudyTime", "StudyID", "ReferringPhysicianName", "AccessionNumber", "Modality",
    "SeriesInstanceUID", "SeriesNumber", "PatientPosition", "FrameOfReferenceUID",
    "PositionReferenceIndicator", "Manufacturer", "InstanceNumber", "ImageType", "SamplesPerPixel",
    "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "KVP", "AcquisitionNumber",
    "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "SliceThickness",
    "SOPClassUID", "SOPInstanceUID", "PixelData",
)
# fmt: on


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def series_of(folder: Path, name: str) -> list[FileDataset]:
    slices = [pydicom.dcmread(path) for path in sorted((folder / name).glob("*.dcm"))]
    normal = np.cross(*np.reshape(np.array(slices[0].ImageOrientationPatient, dtype=float), (2, 3)))
    return sorted(slices, key=lambda one: float(np.array(one.ImagePositionPatient, dtype=float) @ normal))


def hu(one: FileDataset) -> np.ndarray:
    return one.pixel_array.astype(np.float64) * float(one.RescaleSlope) + float(one.RescaleIntercept)


def find(wanted: str) -> int:
    """The number of a study whose drawn geometry is tilted, uneven or thin."""
    for number in range(400):
        machine = plan_study(SETTINGS, seed=9, cohort="t", number=number).visit.machine
        uneven = machine.gaps_mm[0] != machine.gaps_mm[1]
        found = {"tilted": machine.tilt_degrees > 12, "uneven": uneven, "thin": machine.soft_mm < 5.0}
        if found[wanted] and machine.field_mm < 300:
            return number
    raise AssertionError(wanted)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[StudyTruth]]:
    out = tmp_path_factory.mktemp("cohort")
    return out, write_cohort(SETTINGS, seed=9, cohort="t", out=out)


def test_the_same_seed_gives_the_same_bytes_in_any_order(
    cohort: tuple[Path, list[StudyTruth]], tmp_path: Path
) -> None:
    out, truths = cohort
    again = write_cohort(SETTINGS, seed=9, cohort="t", out=tmp_path, numbers=[5, 2])
    assert again == [truths[5], truths[2]]
    before = digests(out)
    repeated = digests(tmp_path)
    assert len(repeated) > 60
    assert all(before[name] == digest for name, digest in repeated.items())


def test_another_seed_gives_other_files(cohort: tuple[Path, list[StudyTruth]], tmp_path: Path) -> None:
    out, _ = cohort
    simulate_study(SETTINGS, seed=10, cohort="t", number=0, out=tmp_path)
    name = "P00000/ST1/S002/0005.dcm"
    assert digests(out)[name] != digests(tmp_path)[name]


def test_two_processes_write_the_bytes_of_one(tmp_path: Path) -> None:
    settings = PhantomSettings(exams=2, matrix=64, thin_mm=5.0)
    one, two = tmp_path / "one", tmp_path / "two"
    heard: list[tuple[int, int]] = []
    write_cohort(settings, seed=1, cohort="c", out=one)
    write_cohort(settings, seed=1, cohort="c", out=two, workers=2, progress=lambda *seen: heard.append(seen))
    assert digests(one) == digests(two)
    assert heard == [(1, 2), (2, 2)]


def test_makers_are_dealt_in_turn_and_truth_agrees_with_the_header(
    cohort: tuple[Path, list[StudyTruth]],
) -> None:
    out, truths = cohort
    assert [truth.manufacturer for truth in truths] == ["GE", "Siemens"] * 4
    for truth in truths:
        one = pydicom.dcmread(out / truth.folder / "S002" / "0001.dcm", stop_before_pixels=True)
        assert one.Manufacturer == truth.machine.header.manufacturer
        assert one.PatientID == truth.patient_id
        assert str(one.PatientName) == truth.patient_name
        assert one.PatientAge == f"{truth.age:03d}Y"
        assert one.StudyInstanceUID == truth.study_uid
        assert int(one.StudyDate[:4]) - int(one.PatientBirthDate[:4]) in (truth.age, truth.age + 1)
        written = json.loads((out / "truth" / truth.folder / "parameters.json").read_text("utf-8"))
        assert written["manufacturer"] == truth.manufacturer
        assert written["machine"]["noise"]["sd"] == pytest.approx(truth.machine.noise.sd)


def test_every_file_is_valid_dicom(
    cohort: tuple[Path, list[StudyTruth]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", pydicom.config.RAISE)
    out, _ = cohort
    uids: set[str] = set()
    kinds = defaultdict(int)
    for path in sorted(out.glob("P*/**/*.dcm")):
        one = pydicom.dcmread(path)
        str(one)  # reads and so validates every element
        kinds[one.SOPClassUID.name] += 1
        assert one.SOPInstanceUID.is_valid
        assert one.SOPInstanceUID.startswith("2.25.")
        assert one.SOPInstanceUID == one.file_meta.MediaStorageSOPInstanceUID
        uids.add(one.SOPInstanceUID)
        if one.SOPClassUID.name == "CT Image Storage":
            missing = [name for name in TYPE_1_AND_2 if name not in one]
            assert not missing
            assert len(one.PixelData) == one.Rows * one.Columns * 2
            if one.ImageType[2] == "AXIAL":
                assert one.ConvolutionKernel
    assert len(uids) == sum(kinds.values())
    assert kinds["CT Image Storage"] > 300


def test_spliced_bytes_are_what_pydicom_itself_would_write(
    cohort: tuple[Path, list[StudyTruth]], tmp_path: Path
) -> None:
    out, truths = cohort
    path = out / truths[1].folder / "S002" / "0003.dcm"
    one = pydicom.dcmread(path)
    one.save_as(tmp_path / "again.dcm", enforce_file_format=True)
    assert (tmp_path / "again.dcm").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("twins", [False, True])
def test_an_unknown_maker_is_refused_by_name(twins: bool, tmp_path: Path) -> None:
    settings = PhantomSettings(exams=2, manufacturers=("GE", "Acme"), twins=twins)
    with pytest.raises(UserError, match=r"'Acme'.*GE"):
        simulate_study(settings, seed=1, cohort="c", number=1, out=tmp_path)


@pytest.mark.parametrize("wanted", ["tilted", "uneven", "thin"])
def test_slices_lie_where_the_truth_says(wanted: str, tmp_path: Path) -> None:
    number = find(wanted)
    truth = simulate_study(SETTINGS, seed=9, cohort="t", number=number, out=tmp_path)
    slices = series_of(tmp_path / truth.folder, "S002")
    row, column = np.reshape(np.array(slices[0].ImageOrientationPatient, dtype=float), (2, 3))
    normal = np.cross(row, column)
    places = np.array([one.ImagePositionPatient for one in slices], dtype=float)
    gaps = np.diff(places @ normal)
    low, high = truth.machine.gaps_mm
    assert np.all((np.abs(gaps - low) < 1e-3) | (np.abs(gaps - high) < 1e-3))
    if wanted == "tilted":
        assert np.degrees(np.arccos(normal[2])) == pytest.approx(truth.machine.tilt_degrees, abs=0.01)
        assert float(slices[0].GantryDetectorTilt) == truth.machine.tilt_degrees
    if wanted == "uneven":
        assert len({round(float(gap), 2) for gap in gaps}) == 2
    if wanted == "thin":
        assert float(slices[0].SliceThickness) < 5.0

    # The truth, read at the patient coordinates of each pixel, is the picture without noise and blur.
    expected = read_nifti(tmp_path / "truth" / truth.folder / "hu.nii.gz")
    into = np.linalg.inv(expected.affine)
    pixel = float(slices[0].PixelSpacing[0])
    size = slices[0].Rows
    matches = []
    for one in slices[4:-4:3]:
        j, i = np.mgrid[0:size, 0:size] * pixel
        lps = np.array(one.ImagePositionPatient, dtype=float) + i[..., None] * row + j[..., None] * column
        ras = lps * (-1, -1, 1)
        voxels = ras @ into[:3, :3].T + into[:3, 3]
        there = ndimage.map_coordinates(
            expected.array.astype(np.float32), voxels.transpose(2, 0, 1), order=1, cval=-1000.0
        )
        inside = np.hypot(*(np.mgrid[0:size, 0:size] - (size - 1) / 2)) < 0.4 * size
        matches.append(np.corrcoef(there[inside], hu(one)[inside])[0, 1])
    assert min(matches) > 0.93
    assert np.mean(matches) > 0.97


def test_the_slices_cover_the_head_from_the_foramen_to_the_air_above(
    cohort: tuple[Path, list[StudyTruth]],
) -> None:
    out, truths = cohort
    for truth in truths:
        mask = read_nifti(out / "truth" / truth.folder / "intracranial.nii.gz")
        assert mask.array.sum() * mask.voxel_ml == pytest.approx(truth.volume_ml, rel=1e-3)
        ras = np.argwhere(mask.array) @ mask.affine[:3, :3].T + mask.affine[:3, 3]
        slices = series_of(out / truth.folder, "S002")
        normal = np.cross(*np.reshape(np.array(slices[0].ImageOrientationPatient, dtype=float), (2, 3)))
        heights = [float(np.array(one.ImagePositionPatient, dtype=float) @ normal) for one in slices]
        brain = ras * (-1, -1, 1) @ normal
        assert heights[0] < brain.min() + 6
        assert heights[-1] > brain.max() + 8
        assert hu(slices[-1])[slices[0].Rows // 4 : slices[0].Rows // 2].mean() < -900


def padded(maker: str, model: str, tmp_path: Path) -> tuple[FileDataset, np.ndarray]:
    settings = PhantomSettings(exams=1, matrix=64, thin_mm=5.0, manufacturers=(maker,), bone_share=0.0)
    for number in range(100):
        drawn = draw_machine(settings, seed=4, cohort="p", head=number, manufacturer=maker)
        if drawn.header.model == model:
            truth = simulate_study(settings, seed=4, cohort="p", number=number, out=tmp_path)
            one = pydicom.dcmread(tmp_path / truth.folder / "S002" / "0010.dcm")
            return one, one.pixel_array
    raise AssertionError(model)


def test_padding_and_storage_are_the_makers_own(tmp_path: Path) -> None:
    one, values = padded("GE", "LightSpeed VCT", tmp_path / "ge")
    assert one["PixelPaddingValue"].VR == "SS"
    assert one.PixelPaddingValue == -2000 == values[0, 0]
    assert (one.RescaleIntercept, one.PixelRepresentation) == (-1024, 1)
    one, values = padded("Siemens", "Sensation 64", tmp_path / "si")
    assert "PixelPaddingValue" not in one
    assert (one.BitsStored, one.PixelRepresentation, one.RescaleIntercept) == (12, 0, -1024)
    assert values.min() >= 0
    assert values.max() <= 4095
    assert abs(float(values[0, 0]) - 24) < 40  # air up to the corner: no circle
    one, values = padded("Canon", "Aquilion ONE", tmp_path / "ca")
    assert one.RescaleIntercept == 0
    assert values[0, 0] == -2048
    assert one.Manufacturer == "TOSHIBA"


def test_noise_in_white_matter_has_the_strength_that_was_drawn(tmp_path: Path) -> None:
    settings = PhantomSettings(exams=2, matrix=256, bone_share=0.0, truth=True)
    for number in (0, 1):
        plan = plan_study(settings, seed=21, cohort="n", number=number)
        assert plan.visit.machine.field_mm < 300
        truth = simulate_study(settings, seed=21, cohort="n", number=number, out=tmp_path)
        slices = series_of(tmp_path / truth.folder, "S002")
        # Half the difference of two neighbouring slices well above the ventricles is noise alone.
        middle = [hu(one) for one in slices[len(slices) * 2 // 3 :][:3]]
        spread = []
        for a, b in pairwise(middle):
            core = ndimage.binary_erosion((a > 0) & (a < 60) & (b > 0) & (b < 60), iterations=1)
            rough = (a - b)[core]
            spread.append(1.4826 * np.median(np.abs(rough - np.median(rough))) / np.sqrt(2))
        expected = truth.machine.noise.sd * np.sqrt(5.0 / truth.machine.gaps_mm[1])
        assert 0.6 * expected < np.mean(spread) < 1.6 * expected


def test_an_effect_at_nought_leaves_the_pictures_of_the_others(tmp_path: Path) -> None:
    base = PhantomSettings(exams=4, matrix=64, thin_mm=5.0, bone_share=0.0)
    plain = simulate_study(base, seed=2, cohort="e", number=2, out=tmp_path / "on")
    for effect in ("header", "padding"):
        changed = base.model_copy(update={"effects": base.effects.model_copy(update={effect: 0.0})})
        truth = simulate_study(changed, seed=2, cohort="e", number=2, out=tmp_path / effect)
        assert truth.volume_ml == plain.volume_ml
        for a, b in zip(
            series_of(tmp_path / "on" / plain.folder, "S002"),
            series_of(tmp_path / effect / truth.folder, "S002"),
            strict=True,
        ):
            inside = np.hypot(*(np.mgrid[0:64, 0:64] - 31.5)) < 30
            assert np.array_equal(np.clip(hu(a), -1024, 3071)[inside], np.clip(hu(b), -1024, 3071)[inside])
