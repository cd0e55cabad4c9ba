"""Headers of NIfTI, NRRD and MetaImage: as SimpleITK and nibabel read them, and whatever is in them."""

import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from nameplate.image.affine import LPS_TO_RAS
from nameplate_ingest.refusal import Refused
from nameplate_ingest.voxels.grids import planes_of
from nameplate_ingest.voxels.header import ENDINGS, ending_of, read_volume_header
from nameplate_ingest.voxels.stored import MOST_VOXELS, StoredVolume

TYPES = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.float32, np.float64)


def read(path: Path) -> StoredVolume:
    return read_volume_header(path, path.parent)


def refused(path: Path) -> tuple[str, str]:
    with pytest.raises(Refused) as told:
        planes_of(read(path).unpacked(path.parent))
    return told.value.rule, told.value.seen


def itk_affine(image: sitk.Image) -> Any:
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return affine


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
def test_numbers_and_place_are_those_that_itk_reads(
    tmp_path: Path, ending: str, packed: bool, dtype: Any
) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.integers(0, 120, (5, 6, 7)).astype(dtype)
    image = sitk.GetImageFromArray(numbers)
    image.SetSpacing((0.488281, 0.5, 2.5))
    image.SetOrigin((-123.4375, 17.125, -900.5))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0] * np.array([1, 1, 1])
    image.SetDirection(tuple((turn * np.sign(np.linalg.det(turn))).ravel()))
    path = tmp_path / f"v{ending}"
    sitk.WriteImage(image, str(path), useCompression=packed)
    stored = read(path)
    assert np.abs(stored.affine - itk_affine(sitk.ReadImage(str(path)))).max() < 1e-4
    assert np.abs(stored.affine - itk_affine(image)).max() < 1e-4
    assert stored.dtype == np.dtype(dtype)
    voxels = stored.unpacked(tmp_path).voxels()
    assert np.array_equal(voxels.transpose(2, 1, 0), numbers)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_kinds_and_orders_of_nifti(tmp_path: Path, kind: Any, order: str) -> None:
    affine = np.array([[-0.5, 0, 0.1, 3], [0, -0.5, -0.8, 4], [0, 0, 2.5, -7], [0, 0, 0, 1]], float)
    numbers = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    header = kind.header_class(endianness=order)
    image = kind(numbers, affine, header)
    image.header.set_slope_inter(2.0, -1024.0)
    nib.save(image, tmp_path / "v.nii.gz")
    stored = read(tmp_path / "v.nii.gz")
    assert np.abs(LPS_TO_RAS @ stored.affine - affine).max() < 1e-6
    assert (stored.slope, stored.intercept) == (2.0, -1024.0)
    raw = nib.load(tmp_path / "v.nii.gz").dataobj.get_unscaled()
    assert np.array_equal(stored.unpacked(tmp_path).voxels(), raw)


def test_what_a_nifti_file_cannot_have(tmp_path: Path) -> None:
    affine = np.diag([-1.0, -1.0, 5.0, 1.0])
    affine[:3, 3] = 100, 100, -70
    good = nib.Nifti1Image(np.zeros((40, 40, 20), np.int16), affine)
    good.set_qform(affine, 1)
    good.set_sform(affine, 1)
    data = bytearray(good.to_bytes())
    # (offset, bytes): what the file is refused for.
    cases = {
        (0, b"\1\2\3\4"): ("not-volume", "no NIfTI file"),
        (344, b"ni1\0"): ("not-volume", "no NIfTI file with voxels"),
        (40, struct.pack("<h", 0)): ("size", "0 voxels"),
        (42, struct.pack("<h", -5)): ("size", "-5 x 40 x 20 voxels"),
        (70, struct.pack("<h", 9999)): ("bits", "the header's type of voxels is not known"),
        (70, struct.pack("<h", 32)): ("bits", "voxels of 64 bits that are no plain numbers"),
        (70, struct.pack("<h", 128)): ("colour", "3 samples a voxel"),
        (70, struct.pack("<h", 64)): ("truncated-pixels", f"{40 * 40 * 20 * 2} of {40 * 40 * 20 * 8} bytes"),
        (108, struct.pack("<f", float("nan"))): ("truncated-header", "where its voxels begin is not valid"),
        (108, struct.pack("<f", 1e12)): ("truncated-header", "where its voxels begin is not valid"),
        (112, struct.pack("<f", 1e9)): ("rescale", "slope or intercept beyond any HU"),
        (112, struct.pack("<2f", 1.0, float("inf"))): ("rescale", "slope or intercept invalid"),
        (123, b"\7"): ("geometry", "unit of length not known"),
        (280, struct.pack("<f", float("nan"))): ("geometry", "sform or qform invalid"),
        (280, struct.pack("<4f", 0, 0, 0, 0)): ("geometry", "sform or qform invalid"),
        (280, struct.pack("<f", 1.0)): ("geometry", "sform and qform contradict each other"),
    }
    for (offset, change), expected in cases.items():
        spoilt = data.copy()
        spoilt[offset : offset + len(change)] = change
        (tmp_path / "v.nii").write_bytes(spoilt)
        assert refused(tmp_path / "v.nii") == expected
    (tmp_path / "v.nii").write_bytes(data[:300])
    assert refused(tmp_path / "v.nii") == ("not-volume", "no NIfTI file")
    (tmp_path / "v.nii").write_bytes(data)
    assert len(planes_of(read(tmp_path / "v.nii")).grids) == 20


def test_units_of_nifti_other_than_mm(tmp_path: Path) -> None:
    affine = np.diag([-0.0005, -0.0005, 0.005, 1.0])
    image = nib.Nifti1Image(np.zeros((40, 40, 20), np.int16), affine)
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "v.nii")
    assert np.allclose(np.diag(read(tmp_path / "v.nii").affine)[:3], (0.5, 0.5, 5.0))


NO_AXES = "geometry", "sizes or space directions missing or invalid"
LEANING = "geometry", "rows and columns are not perpendicular"
NOT_PLAIN = "encoding", "where its voxels begin is not plain"
NRRD = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "40 40 2",
    "space directions": "(1,0,0) (0,1,0) (0,0,5)",
    "kinds": "domain domain domain",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(-10,-20,30)",
}


def nrrd(path: Path, data: bytes = bytes(40 * 40 * 2 * 2), **changed: str | None) -> Path:
    fields = NRRD | {name.replace("_", " "): value for name, value in changed.items()}
    text = "".join(f"{name}: {value}\n" for name, value in fields.items() if value is not None)
    path.write_bytes(b"NRRD0005\n# a comment\n" + text.encode() + b"a key:=with: a value\n\n" + data)
    return path


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"type": "block"}, ("bits", "the header's type of voxels is not known")),
        ({"type": None}, ("bits", "the header's type of voxels is not known")),
        ({"endian": "middle"}, ("bits", "the order of bytes is not known")),
        ({"sizes": "40 40 two"}, NO_AXES),
        ({"sizes": "40 40 0"}, ("size", "40 x 40 x 0 voxels")),
        ({"sizes": "40 40 3"}, ("truncated-pixels", f"{40 * 40 * 2 * 2} of {40 * 40 * 3 * 2} bytes")),
        ({"space_directions": None}, NO_AXES),
        ({"space_directions": "(1,0,0) (0,1,0)"}, NO_AXES),
        (
            {"space_directions": "(1,0,0) (0,1,0) (0,0,nan)"},
            NO_AXES,
        ),
        ({"space_directions": "(1,0,0) (0,1,0) (0,1,0)"}, ("geometry", "directions are not apart")),
        ({"space_directions": "(1,0,0) (0.5,1,0) (0,0,5)"}, LEANING),
        ({"space_directions": "(99,0,0) (0,1,0) (0,0,5)"}, ("geometry", "pixels of 99 x 1 mm")),
        ({"space": None}, ("geometry", "space or space origin missing or not known")),
        ({"space": "scanner-xyz"}, ("geometry", "space or space origin missing or not known")),
        ({"space_origin": None}, ("geometry", "space or space origin missing or not known")),
        ({"space_origin": "(1e7,0,0)"}, ("geometry", "position or directions not valid")),
        ({"space_units": '"um" "um" "um"'}, ("geometry", "unit of length is not mm")),
        ({"encoding": "bzip2"}, ("encoding", "voxels are neither raw nor packed by gzip")),
        ({"encoding": "gzip"}, ("compressed-pixels", "the packed voxels are damaged")),
        ({"line_skip": "2"}, NOT_PLAIN),
        ({"byte_skip": "-2"}, NOT_PLAIN),
        ({"data_file": "LIST"}, ("encoding", "voxels are in several files")),
        ({"data_file": "x" * 300}, ("path", "no such file")),
        ({"data_file": ""}, ("path", "the header names no file")),
        (
            {"dimension": "4", "sizes": "3 40 40 2", "space_directions": "none (1,0,0) (0,1,0) (0,0,5)",
             "kinds": "RGB-color domain domain domain"},
            ("colour", "3 samples a voxel"),
        ),
        (
            {"dimension": "4", "sizes": "40 40 2 3", "space_directions": "(1,0,0) (0,1,0) (0,0,5) none",
             "kinds": "domain domain domain time"},
            ("multi-frame", "3 frames without a place for each"),
        ),
    ],
)  # fmt: skip
def test_what_an_nrrd_file_cannot_have(
    tmp_path: Path, changed: dict[str, str | None], expected: tuple[str, str]
) -> None:
    assert refused(nrrd(tmp_path / "v.nrrd", **changed)) == expected


def test_spellings_of_nrrd(tmp_path: Path) -> None:
    numbers = np.arange(40 * 40 * 2, dtype=">i2")
    ras = {"space": "RAS", "space_directions": "(-1,0,0) (0,-1,0) (0,0,5)", "space_origin": "(10,20,30)"}
    options = {"type": "signed  short int", "endian": "big", "byte_skip": "-1", "kinds": None}
    path = nrrd(tmp_path / "v.nrrd", b"padding" + numbers.tobytes(), **ras, **options)
    assert np.array_equal(read(path).unpacked(tmp_path).voxels().ravel("F"), numbers)
    assert np.array_equal(read(path).affine, read(nrrd(tmp_path / "w.nrrd")).affine)
    frames = {"dimension": "4", "sizes": "1 40 40 2", "space_directions": "none (1,0,0) (0,1,0) (0,0,5)"}
    assert read(nrrd(tmp_path / "f.nrrd", **frames)).shape == (40, 40, 2)


META = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "-10 -20 30",
    "ElementSpacing": "1 1 5",
    "DimSize": "40 40 2",
    "ElementType": "MET_SHORT",
    "ElementDataFile": "LOCAL",
}


def meta(path: Path, data: bytes = bytes(40 * 40 * 2 * 2), **changed: str | None) -> Path:
    fields = {name: value for name, value in {**META, **changed}.items() if value is not None}
    fields["ElementDataFile"] = fields.pop("ElementDataFile", "")
    text = "".join(f"{name} = {value}\n" for name, value in fields.items())
    path.write_bytes(text.encode() + data)
    return path


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"ObjectType": "Mesh"}, ("not-volume", "no MetaImage file of an image")),
        ({"NDims": "9"}, ("size", "the header's dimensions are not valid")),
        ({"NDims": "2", "DimSize": "40 40"}, ("geometry", "one slice has no place along the head")),
        ({"DimSize": "40 40"}, ("size", "the header's dimensions are not valid")),
        ({"DimSize": "40 40 99999999999"}, ("size", "the header's dimensions are not valid")),
        ({"DimSize": "40 40 3"}, ("truncated-pixels", f"{40 * 40 * 2 * 2} of {40 * 40 * 3 * 2} bytes")),
        ({"ElementNumberOfChannels": "3"}, ("colour", "several samples a voxel")),
        ({"BinaryData": "False"}, ("encoding", "voxels are written as text")),
        ({"CompressedData": "True"}, ("compressed-pixels", "the packed voxels are damaged")),
        ({"ElementType": "MET_LONG"}, ("bits", "the header's type of voxels is not known")),
        ({"ElementSpacing": None}, ("geometry", "spacing, offset or transform missing or invalid")),
        ({"Offset": "1 2"}, ("geometry", "spacing, offset or transform missing or invalid")),
        ({"TransformMatrix": "1 0 0"}, ("geometry", "spacing, offset or transform missing or invalid")),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, ("geometry", "directions are not apart")),
        ({"ElementSpacing": "0 1 5"}, ("geometry", "voxels of 0 x 1 x 5 mm")),
        ({"ElementDataFile": "LIST"}, ("encoding", "voxels are in several files")),
        ({"ElementDataFile": "v.mha", "HeaderSize": "-7"}, NOT_PLAIN),
        (
            {"NDims": "4", "DimSize": "40 40 2 3", "ElementSpacing": "1 1 5 1", "Offset": "1 2 3 4",
             "TransformMatrix": "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"},
            ("multi-frame", "3 frames without a place for each"),
        ),
    ],
)  # fmt: skip
def test_what_a_metaimage_file_cannot_have(
    tmp_path: Path, changed: dict[str, str | None], expected: tuple[str, str]
) -> None:
    assert refused(meta(tmp_path / "v.mha", **changed)) == expected


def test_spellings_of_metaimage(tmp_path: Path) -> None:
    numbers = np.arange(40 * 40 * 2, dtype=">i2")
    (tmp_path / "data.bin").write_bytes(b"padding" + numbers.tobytes())
    changed = {"ElementDataFile": "data.bin", "HeaderSize": "-1", "BinaryDataByteOrderMSB": "True"}
    path = meta(tmp_path / "v.mhd", b"", Offset=None, Position="-10 -20 30", **changed)
    assert np.array_equal(read(path).unpacked(tmp_path).voxels().ravel("F"), numbers)
    assert np.array_equal(read(path).affine, read(meta(tmp_path / "w.mha")).affine)
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))).ravel(), numbers)


def test_headers_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "v.mha").write_bytes(b"Comment = x\n" * 100_000)
    assert refused(tmp_path / "v.mha") == ("not-volume", "no MetaImage file")
    (tmp_path / "v.mha").write_bytes(b"NDims = 3\n" * 100_000)
    assert refused(tmp_path / "v.mha") == ("truncated-header", "the header has no end")
    side = int(MOST_VOXELS ** (1 / 3)) + 1
    assert refused(meta(tmp_path / "v.mha", DimSize=f"{side} {side} {side}"))[0] == "size"
    assert refused(meta(tmp_path / "v.mha", DimSize="32 32 5000"))[0] == "size"


def writers() -> dict[str, Callable[[Path], Path]]:
    image = nib.Nifti1Image(np.zeros((40, 40, 2), np.int16), np.diag([-1.0, -1.0, 5.0, 1.0]))
    return {
        ".nii": lambda path: Path(str(nib.save(image, path) or path)),
        ".nrrd": nrrd,
        ".mha": meta,
    }


@pytest.mark.parametrize("ending", [".nii", ".nrrd", ".mha"])
def test_any_change_of_a_header_is_read_or_refused_and_nothing_else(tmp_path: Path, ending: str) -> None:
    data = writers()[ending](tmp_path / f"good{ending}").read_bytes()
    length = 352 if ending == ".nii" else len(data) - 40 * 40 * 2 * 2
    draw, path, ends = random.Random(7), tmp_path / f"v{ending}", set()
    for _ in range(1500):
        spoilt = bytearray(data)
        for _ in range(draw.choice((1, 1, 2, 4))):
            place = draw.randrange(length)
            kind = draw.randrange(3)
            if kind == 0:
                spoilt[place] = draw.randrange(256)
            elif kind == 1:
                spoilt[place : place + 4] = draw.choice((b"\xff" * 4, b"\0" * 4, b"nan ", b"9999", b"-1  "))
            else:
                del spoilt[place : place + draw.randrange(1, 9)]
        path.write_bytes(spoilt)
        try:
            planes_of(read(path).unpacked(tmp_path))
            ends.add("read")
        except Refused as refusal:
            ends.add(refusal.rule)
    assert {"read", "geometry"} < ends
    assert len(ends) > 4


def test_endings() -> None:
    assert [ending_of(name) for name in ("a.NII.GZ", "a.nii", "a.gz", "nii", "a.nrrd.txt")] == [
        *(".nii.gz", ".nii", None, None, None),
    ]


def test_decimals_of_a_dicom_header_come_back_from_32_bits(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(np.zeros((2, 40, 40), np.int16))
    image.SetSpacing((0.488281, 0.488281, 2.3))
    image.SetOrigin((-124.756, -270.1, 1203.7))
    sitk.WriteImage(image, str(tmp_path / "v.nii.gz"))
    grid = planes_of(read(tmp_path / "v.nii.gz")).grids[0]
    assert grid.spacing == (0.488281, 0.488281)
    assert grid.position == (-124.756, -270.1, 1203.7)
