"""Files that are there twice: whole, broken, compressed, or sent again under another UID."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless
from tests.services.ingest.enhanced_maker import enhanced_dataset

from nameplate_ingest.dicom import pixels
from nameplate_ingest.dicom.content import DiskFile
from nameplate_ingest.dicom.header import read_elements
from nameplate_ingest.dicom.slice import Slice, slice_of
from nameplate_ingest.dicom.tags import WANTED
from nameplate_ingest.sources.scan import images_of
from nameplate_ingest.volume.copies import sort_key, without_copies, without_equal_neighbours

Series = Callable[..., list[Dataset]]


def read(folder: Path) -> list[Slice]:
    slices = []
    for path in sorted(folder.iterdir()):
        elements = read_elements(path, WANTED)
        assert elements is not None
        slices.append(slice_of(path, elements))
    return slices


def test_the_same_file_twice_is_one_slice(folder: Any, make_series: Series) -> None:
    series = make_series()
    folder.add(*series, copy.deepcopy(series[3]), copy.deepcopy(series[3]))
    kept, copies = without_copies(read(folder.path))
    assert len(kept) == 30
    assert [(one.rule, one.files) for one in copies] == [("duplicate-file", 2)]


@pytest.mark.parametrize("cut", [1, 5000, 8300])
def test_a_cut_off_copy_gives_way_to_the_whole_one(folder: Any, make_series: Series, cut: int) -> None:
    """However much is missing: a byte of the pixels, most of them, or the end of the header too."""
    folder.add(*make_series())
    whole = (folder.path / "00007").read_bytes()
    folder.add_bytes(whole[:-cut], "00000-copy").add_bytes(whole[:-cut], "zz-copy")
    kept, copies = without_copies(read(folder.path))
    assert len(kept) == 30
    assert [(one.rule, one.files) for one in copies] == [("broken-copy", 2)]
    assert {slice_.path.name for slice_ in kept} == {f"{n:05d}" for n in range(1, 31)}


def test_of_broken_copies_alone_one_stays_to_be_refused(folder: Any, make_series: Series) -> None:
    folder.add(*make_series())
    path = folder.path / "00007"
    path.write_bytes(path.read_bytes()[:-5000])
    folder.add_bytes(path.read_bytes(), "again")
    kept, copies = without_copies(read(folder.path))
    assert len(kept) == 30
    assert [(one.rule, one.files) for one in copies] == [("duplicate-file", 1)]


def test_a_compressed_copy_is_the_same_image(folder: Any, make_series: Series) -> None:
    series = make_series()
    packed = copy.deepcopy(series[3])
    packed.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
    folder.add(*series, packed)
    kept, copies = without_copies(read(folder.path))
    assert len(kept) == 30
    assert [one.rule for one in copies] == ["duplicate-file"]


def test_different_images_under_one_uid_all_stay(folder: Any, make_series: Series) -> None:
    folder.add(*make_series(SOPInstanceUID="1.2.3"))
    kept, copies = without_copies(read(folder.path))
    assert (len(kept), copies) == (30, [])


def test_a_slice_sent_again_under_another_uid_is_dropped(folder: Any, make_series: Series) -> None:
    series = make_series()
    again = copy.deepcopy(series[3])
    again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = "1.2.3.1.1.999"
    folder.add(*series, again)
    kept, copies = without_equal_neighbours(read(folder.path))
    assert len(kept) == 30
    assert [one.rule for one in copies] == ["duplicate-slice"]


def test_the_order_does_not_depend_on_the_names_of_files(folder: Any, make_series: Series) -> None:
    folder.add(*make_series())
    ordered = [slice_.instance for slice_ in sorted(read(folder.path), key=sort_key)]
    for number, path in enumerate(sorted(folder.path.iterdir(), reverse=True)):
        path.rename(folder.path / f"x{number:03d}")
    assert [slice_.instance for slice_ in without_copies(read(folder.path))[0]] == ordered


@pytest.mark.parametrize(("function", "broken"), [("inflated_file", False), ("frames_of", True)])
def test_files_of_many_frames_are_unpacked_once_each(
    tmp_path: Path, make_series: Series, monkeypatch: pytest.MonkeyPatch, function: str, broken: bool
) -> None:
    """Also where they cannot be: each of thousands of frames would be tried again."""
    dataset = enhanced_dataset(make_series(20))
    if broken:
        dataset.PixelData = encapsulate([b"no frame"] * 7)
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = RLELossless if broken else DeflatedExplicitVRLittleEndian
    calls: list[object] = []
    real = getattr(pixels, function)

    def counted(*arguments: object) -> object:
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(pixels, function, counted)
    slices: list[Slice] = []
    for name in "abc":
        path = tmp_path / name
        dataset.save_as(path, enforce_file_format=True)
        elements = read_elements(path, WANTED)
        assert elements is not None
        slices += images_of(DiskFile(path), elements)
    assert len(slices) == 60
    without_copies(slices)
    assert 1 <= len(calls) <= 3
