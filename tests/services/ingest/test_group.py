import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from nameplate_ingest.group import facts_of, group_slices
from nameplate_ingest.header import read_elements
from nameplate_ingest.slice import WANTED, Slice, slice_of

Read = Callable[[list[Dataset]], list[Slice]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(datasets: list[Dataset]) -> list[Slice]:
        slices = []
        for number, dataset in enumerate(datasets):
            path = tmp_path / str(number)
            dataset.save_as(path, enforce_file_format=True)
            elements = read_elements(path, WANTED)
            assert elements is not None
            slices.append(slice_of(path, elements))
        return slices

    return write_and_read


def test_a_localizer_inside_a_series_stands_apart(
    read: Read, make_series: Callable[..., list[Dataset]], make_slice: Callable[..., Dataset]
) -> None:
    localizer = make_slice(number=90, orientation=(0, 1, 0, 0, 0, -1), size=(64, 48))
    groups, copies = group_slices(read([*make_series(), localizer]))
    assert sorted(len(group.slices) for group in groups) == [1, 30]
    assert copies == []
    assert facts_of(max(groups, key=lambda group: len(group.slices))).hole is None


def test_the_same_file_twice_is_one_slice(read: Read, make_series: Callable[..., list[Dataset]]) -> None:
    series = make_series()
    groups, copies = group_slices(read([*series, copy.deepcopy(series[3]), copy.deepcopy(series[3])]))
    assert [len(group.slices) for group in groups] == [30]
    assert [(one.rule, one.files) for one in copies] == [("duplicate-file", 2)]


def test_a_slice_sent_again_under_another_uid_is_dropped(
    read: Read, make_series: Callable[..., list[Dataset]]
) -> None:
    series = make_series()
    again = copy.deepcopy(series[3])
    again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = "1.2.3.1.1.999"
    groups, copies = group_slices(read([*series, again]))
    assert [len(group.slices) for group in groups] == [30]
    assert [one.rule for one in copies] == ["duplicate-slice"]


def test_two_different_slices_at_one_place_are_left_to_the_rules(
    read: Read, make_series: Callable[..., list[Dataset]], make_slice: Callable[..., Dataset]
) -> None:
    series = make_series()
    place = tuple(float(value) for value in series[3].ImagePositionPatient)
    other = make_slice(number=99, position=place, PixelData=bytes(8192))
    groups, copies = group_slices(read([*series, other]))
    assert copies == []
    assert [facts_of(group).duplicates for group in groups] == [1]


@pytest.mark.parametrize(
    "difference",
    [
        {"ConvolutionKernel": "H60s"},
        {"SeriesNumber": 7},
        {"AcquisitionNumber": 2},
        {"SeriesDescription": "x"},
    ],
)
def test_two_series_with_one_uid_are_told_apart(
    read: Read, make_series: Callable[..., list[Dataset]], difference: dict[str, Any]
) -> None:
    one, other = make_series(), make_series(**difference)
    for dataset in other:
        dataset.SOPInstanceUID += ".77"
        dataset.PixelData = bytes(8192)
    groups, _ = group_slices(read([*one, *other]))
    assert [len(group.slices) for group in groups] == [30, 30]
    assert [group.part for group in groups] == [0, 1]
    assert [facts_of(group).duplicates for group in groups] == [0, 0]


def test_facts_of_a_mixed_series(read: Read, make_series: Callable[..., list[Dataset]]) -> None:
    thin = make_series(count=10, gap=4.0, low=-75, SliceThickness=4.0)
    thick = make_series(count=12, gap=7.0, low=-33.5, SliceThickness=7.0)
    for dataset in thick:
        dataset.SOPInstanceUID += ".5"
    facts = facts_of(group_slices(read([*thin, *thick]))[0][0])
    assert facts.slices == 22
    assert facts.thickness_mm == 7
    assert facts.coverage_mm == pytest.approx(41.5 + 77)
    assert facts.hole is None
