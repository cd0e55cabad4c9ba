from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from nameplate_ingest.dicom.header import read_elements
from nameplate_ingest.dicom.slice import Slice, slice_of
from nameplate_ingest.dicom.tags import WANTED
from nameplate_ingest.refusal import Refused


@pytest.fixture
def read(tmp_path: Path, make_slice: Callable[..., Dataset]) -> Callable[..., Slice]:
    def write_and_read(**tags: Any) -> Slice:
        path = tmp_path / "slice"
        make_slice(**tags).save_as(path, enforce_file_format=True)
        return read_file(path)

    return write_and_read


def read_file(path: Path) -> Slice:
    elements = read_elements(path, WANTED)
    assert elements is not None
    return slice_of(path, elements)


def test_a_plain_ct_slice_is_accepted(read: Callable[..., Slice]) -> None:
    one = read()
    assert one.refusal is None
    assert one.grid is not None
    assert one.grid.spacing == (3.125, 3.125)
    assert one.person.age == 61
    assert one.device.kvp == 120
    assert one.thickness == 5


@pytest.mark.parametrize(
    ("tags", "rule"),
    [
        ({"Modality": "MR"}, "modality"),
        ({"Modality": "QQ^NAME"}, "modality"),
        ({"NumberOfFrames": 28}, "multi-frame"),
        ({"SamplesPerPixel": 3}, "colour"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "photometric"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "image-type"),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL"]}, "image-type"),
        ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}, "image-type"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "REFORMATTED"]}, "image-type"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "sop-class"),
        ({"LossyImageCompression": "01"}, "lossy-compression"),
        ({"ImagePositionPatient": None}, "geometry"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "geometry"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "geometry"),
        ({"PixelSpacing": [0.0, 0.0]}, "geometry"),
        ({"PixelSpacing": None}, "geometry"),
        ({"Rows": 65535, "Columns": 65535}, "size"),
        ({"Rows": 0}, "size"),
        ({"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}, "bits"),
        ({"HighBit": 40}, "bits"),
        ({"RescaleIntercept": None}, "rescale"),
        ({"RescaleSlope": 0}, "rescale"),
        ({"PixelData": None}, "no-pixels"),
    ],
)
def test_what_is_no_slice_of_a_ct_volume_says_why(
    read: Callable[..., Slice], tags: dict[str, Any], rule: str
) -> None:
    refusal = read(**tags).refusal
    assert refusal is not None
    assert refusal[0] == rule
    assert "NAME" not in refusal[1]


def test_malformed_numbers_are_reasons_not_errors(tmp_path: Path, make_slice: Callable[..., Dataset]) -> None:
    path = tmp_path / "slice"
    make_slice().save_as(path, enforce_file_format=True)
    whole = path.read_bytes()
    pairs = (b"3.125\\3.125", b"nan\\3.12500"), (b"-100.0\\-100.0", b"-100.0\\-1oo.0"), (b"-1024", b"1e999")
    for old, new in pairs:
        assert whole.count(old) >= 1
        path.write_bytes(whole.replace(old, new, 1))
        refusal = read_file(path).refusal
        assert refusal is not None
        assert refusal[0] in {"geometry", "rescale"}


@pytest.mark.parametrize(
    ("tags", "years"),
    [
        ({"PatientAge": "018M"}, 1.5),
        ({"PatientAge": "097Y"}, 90.0),
        ({"PatientAge": "", "PatientBirthDate": "19610305"}, 57.0),
        ({"PatientAge": "", "PatientBirthDate": "19610304"}, 58.0),
        ({"PatientAge": "old"}, None),
    ],
)
def test_age(read: Callable[..., Slice], tags: dict[str, str], years: float | None) -> None:
    assert read(**tags).person.age == years


def test_images_that_say_the_same_share_what_they_say(
    tmp_path: Path, make_series: Callable[..., list[Dataset]]
) -> None:
    """A million slices must not hold a million copies of one header."""
    slices = []
    for number, dataset in enumerate(make_series(count=2)):
        dataset.save_as(tmp_path / str(number), enforce_file_format=True)
        slices.append(read_file(tmp_path / str(number)))
    first, second = slices
    assert first.says is second.says
    assert first.person is second.person
    assert first.device is second.device
    assert first.study is second.study


def test_makers_of_private_elements_are_read(tmp_path: Path, make_slice: Callable[..., Dataset]) -> None:
    dataset = make_slice()
    dataset.private_block(0x0019, "A CREATOR", create=True).add_new(2, "LO", "x")
    dataset.save_as(tmp_path / "slice", enforce_file_format=True)
    assert read_file(tmp_path / "slice").device.creators == ("A CREATOR",)


def test_exposure_from_current_and_time(read: Callable[..., Slice]) -> None:
    assert read(Exposure=None, XRayTubeCurrent=170, ExposureTime=2000).device.exposure_mas == 340


def test_a_dicomdir_belongs_to_no_study() -> None:
    path = Path(str(get_testdata_file("CT_small.dcm"))).parent / "dicomdirtests" / "DICOMDIR"
    with pytest.raises(Refused) as refused:
        read_file(path)
    assert refused.value.rule == "dicomdir"
