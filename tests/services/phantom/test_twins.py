"""Twins: one head through the scanners of every manufacturer; only the dials tell their studies apart."""

import hashlib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate_phantom.simulation import write_cohort
from nameplate_phantom.study import StudyTruth, plan_study

TWINS = PhantomSettings(exams=6, matrix=64, thin_mm=5.0, twins=True, truth=True, bone_share=0.5)
# What names a study and nothing else.
IDENTITY = {
    "Manufacturer", "AccessionNumber", "StudyID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID",
    "FrameOfReferenceUID",
}  # fmt: skip

Cohort = tuple[Path, list[StudyTruth]]


def write(folder: Path, **settings: object) -> Cohort:
    chosen = TWINS.model_copy(update=settings)
    return folder, write_cohort(chosen, seed=11, cohort="t", out=folder)


@pytest.fixture(scope="module")
def nought(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return write(tmp_path_factory.mktemp("nought"), signature=0.0)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return write(tmp_path_factory.mktemp("three"), signature=3.0)


def files(out: Path, truth: StudyTruth) -> dict[str, FileDataset]:
    folder = out / truth.folder
    return {str(path.relative_to(folder)): pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))}


def hu(one: FileDataset) -> np.ndarray:
    return np.asarray(one.pixel_array + float(one.RescaleIntercept))


def sets(truths: list[StudyTruth]) -> list[list[StudyTruth]]:
    found = defaultdict(list)
    for truth in truths:
        found[truth.head].append(truth)
    return list(found.values())


def test_every_head_is_one_patient_on_every_manufacturer(three: Cohort) -> None:
    out, truths = three
    assert [truth.head for truth in truths] == [0, 0, 1, 1, 2, 2]
    assert [truth.manufacturer for truth in truths] == ["GE", "Siemens"] * 3
    for one, other in sets(truths):
        assert (one.patient_id, one.patient_name) == (other.patient_id, other.patient_name)
        assert (one.age, one.sex, one.anatomy) == (other.age, other.sex, other.anatomy)
    assert len({truth.patient_id for truth in truths}) == 3
    assert len({truth.study_uid for truth in truths}) == len({truth.folder for truth in truths}) == 6
    uids = [one.SOPInstanceUID for truth in truths for one in files(out, truth).values()]
    assert len(uids) == len(set(uids))


def test_at_nought_their_pixels_are_the_same_bytes(nought: Cohort) -> None:
    out, truths = nought
    for one, other in sets(truths):
        first, second = files(out, one), files(out, other)
        assert set(first) == set(second)
        assert len(first) > 25
        for name, data in first.items():
            # Dose reports have no pixels.
            assert data.get("PixelData") == second[name].get("PixelData")


def test_at_nought_their_headers_differ_by_the_manufacturers_name_and_what_names_the_study(
    nought: Cohort,
) -> None:
    out, truths = nought
    for one, other in sets(truths):
        first, second = files(out, one), files(out, other)
        for name, data in first.items():
            differ = {element.keyword for element in data if element.value != second[name][element.tag].value}
            assert differ <= IDENTITY
            assert {data.Manufacturer, second[name].Manufacturer} == {"GE", "Siemens"}


def test_a_dial_makes_their_pixels_differ(three: Cohort) -> None:
    out, truths = three
    for one, other in sets(truths):
        a, b = (files(out, truth)["S002/0012.dcm"] for truth in (one, other))
        assert a.PixelData != b.PixelData


def test_their_anatomy_is_the_same_at_any_dial(nought: Cohort, three: Cohort) -> None:
    def digests(out: Path, truth: StudyTruth) -> tuple[str, ...]:
        folder = out / "truth" / truth.folder
        names = ("hu.nii.gz", "intracranial.nii.gz")
        return tuple(hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names)

    by_head = defaultdict(set)
    for out, truths in (nought, three):
        for truth in truths:
            by_head[truth.head].add(digests(out, truth))
    assert [len(found) for found in by_head.values()] == [1, 1, 1]
    assert len(set.union(*by_head.values())) == 3


def test_one_cause_alone_can_be_planted(tmp_path: Path) -> None:
    """With bias alone, the same pixels of twins show the same place, and the brain of one is brighter."""
    bias = TWINS.effects.model_copy(update={"bias": 4.0})
    out, truths = write(tmp_path, signature=0.0, exams=2, bone_share=0.0, effects=bias)
    ge, siemens = (
        {name: one for name, one in files(out, truth).items() if "S002" in name} for truth in truths
    )
    for name, one in ge.items():
        assert one.ImagePositionPatient == siemens[name].ImagePositionPatient
    brain = (slice(24, 40), slice(24, 40))
    rise = [
        float(np.mean(hu(siemens[name])[brain] - hu(ge[name])[brain]))
        for name in sorted(ge)[len(ge) // 2 : len(ge) * 3 // 4]
    ]
    assert np.mean(rise) == pytest.approx(7.0, abs=1.0)
    assert np.std(rise) < 1.0


def test_twins_are_of_all_manufacturers_patients_and_others_of_their_own() -> None:
    def ages(twins: bool, maker: str) -> float:
        settings = TWINS.model_copy(update={"exams": 800, "twins": twins})
        start = settings.manufacturers.index(maker)
        plans = [plan_study(settings, seed=2, cohort="a", number=number) for number in range(start, 800, 2)]
        assert {plan.manufacturer for plan in plans} == {maker}
        return float(np.mean([plan.visit.patient.age for plan in plans]))

    assert ages(True, "GE") == ages(True, "Siemens")
    assert ages(False, "Siemens") - ages(False, "GE") > 2
