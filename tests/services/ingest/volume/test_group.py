"""Which images become one volume: passes, energies and people apart, blocks of one head together."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from nameplate_ingest.choice.facts import facts_of
from nameplate_ingest.dicom.header import read_elements
from nameplate_ingest.dicom.slice import Slice, slice_of
from nameplate_ingest.dicom.tags import WANTED
from nameplate_ingest.volume.group import Group, group_slices, joined

Read = Callable[[list[Dataset]], list[Slice]]
Series = Callable[..., list[Dataset]]


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


def renamed(datasets: list[Dataset], ending: str) -> list[Dataset]:
    """The images under other instance UIDs, each a little different from what it was."""
    for dataset in datasets:
        dataset.SOPInstanceUID += ending
        pixels = np.frombuffer(dataset.PixelData, "<i2").copy()
        pixels[0] += 3 + int(ending[1:])
        dataset.PixelData = pixels.tobytes()
    return datasets


def numbered(datasets: list[Dataset], first: int = 1) -> list[Dataset]:
    for number, dataset in enumerate(datasets, start=first):
        dataset.InstanceNumber = number
    return datasets


def heights(group: Group) -> list[float]:
    assert group.stack is not None
    return [float(group.stack.origin[2] + along) for along in group.stack.along]


def test_a_localizer_inside_a_series_stands_apart(
    read: Read, make_series: Series, make_slice: Callable[..., Dataset]
) -> None:
    localizer = make_slice(number=90, orientation=(0, 1, 0, 0, 0, -1), size=(64, 48))
    groups, copies = group_slices(read([*make_series(), localizer]))
    assert sorted(len(group.slices) for group in groups) == [1, 30]
    assert copies == []
    assert facts_of(max(groups, key=lambda group: len(group.slices))).hole is None


def test_two_different_slices_at_one_place_are_left_to_the_rules(
    read: Read, make_series: Series, make_slice: Callable[..., Dataset]
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
        {"AcquisitionTime": "101900"},
        {"RescaleType": "Z_EFF"},
        {"TemporalPositionIdentifier": 2},
        {"FrameOfReferenceUID": "1.2.3.9"},
        {"KVP": 80},
        {"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "MIXED"]},
    ],
)
@pytest.mark.parametrize("shift", [0.0, 2.5, 1.0])
def test_two_series_with_one_uid_are_told_apart(
    read: Read, make_series: Series, difference: dict[str, Any], shift: float
) -> None:
    """Wherever the slices of the second one lie: at the places of the first, or between them."""
    other = renamed(make_series(low=-75.0 + shift, **difference), ".77")
    groups, _ = group_slices(read([*make_series(), *other]))
    assert [len(group.slices) for group in groups] == [30, 30]
    assert [group.part for group in groups] == [0, 1]
    assert [set(np.round(np.diff(heights(group)), 3)) for group in groups] == [{5.0}, {5.0}]


def test_passes_that_only_instance_numbers_tell_apart(read: Read, make_series: Series) -> None:
    first = numbered(make_series())
    second = numbered(renamed(make_series(count=20, low=-36.0), ".2"), first=31)
    groups, _ = group_slices(read([*second, *first]))
    assert sorted(len(group.slices) for group in groups) == [20, 30]


def test_passes_that_nothing_tells_apart_are_left_to_the_rules(read: Read, make_series: Series) -> None:
    """Gaps alternate between 2 and 3 mm: never one stack that looks whole."""
    groups, _ = group_slices(read([*make_series(), *renamed(make_series(low=-73.0), ".2")]))
    assert [facts_of(group).stray_gaps > 0 for group in groups] == [True]


def test_a_second_pass_over_the_upper_half_makes_no_thick_and_thin_head(
    read: Read, make_series: Series
) -> None:
    groups, _ = group_slices(read([*make_series(), *renamed(make_series(count=14, low=2.5), ".2")]))
    assert [facts_of(group).stray_gaps > 0 for group in groups] == [True]


@pytest.mark.parametrize("numbers", [range(1, 31), range(30, 0, -1)])
@pytest.mark.parametrize("slices_each", [1, 2, 4])
def test_rotations_that_are_acquisitions_are_one_head(
    read: Read, make_series: Series, slices_each: int, numbers: range
) -> None:
    series = make_series()
    for place, dataset in enumerate(series):
        dataset.AcquisitionNumber = numbers[place // slices_each]
    groups, copies = group_slices(read(series))
    assert [len(group.slices) for group in groups] == [30]
    assert copies == []


def test_rotations_counted_anew_for_each_block_are_ordered_by_time(read: Read, make_series: Series) -> None:
    series = make_series()
    for place, dataset in enumerate(series):
        dataset.AcquisitionNumber = place // 2 % 8 + 1
        dataset.AcquisitionTime = f"1015{place // 2:02d}"
    groups, copies = group_slices(read(series))
    assert [len(group.slices) for group in groups] == [30]
    assert copies == []


def test_two_passes_of_many_rotations_are_two(read: Read, make_series: Series) -> None:
    first, second = make_series(), renamed(make_series(low=-73.0), ".2")
    for number, dataset in enumerate([*first, *second]):
        dataset.AcquisitionNumber = number + 1
    groups, _ = group_slices(read([*first, *second]))
    assert [len(group.slices) for group in groups] == [30, 30]
    assert [heights(group)[0] for group in groups] == [-75.0, -73.0]


@pytest.mark.parametrize("gap", [0.0, 1.0, 2.5, 5.0])
def test_base_and_vertex_in_two_blocks_are_one_head(read: Read, make_series: Series, gap: float) -> None:
    """With a gap of 0 the slice at the junction is there twice; the thinner one stays."""
    base = make_series(count=25, gap=2.5, low=-75.0, SliceThickness=2.5, AcquisitionNumber=1)
    vertex = make_series(count=18, low=-15.0 + gap, SliceThickness=5.0, AcquisitionNumber=2, KVP=140)
    groups, copies = group_slices(read([*renamed(vertex, ".5"), *base]))
    assert [len(group.slices) for group in groups] == [43 if gap else 42]
    assert [one.rule for one in copies] == ([] if gap else ["junction-slice"])
    assert np.diff(heights(groups[0])).min() > 0.5
    if not gap:
        (group,) = groups
        assert [s.thickness for s, z in zip(group.slices, heights(group), strict=True) if z == -15.0] == [2.5]


def test_a_series_uid_for_every_slice_is_one_series(read: Read, make_series: Series) -> None:
    series = make_series(SeriesNumber=4)
    for number, dataset in enumerate(series):
        dataset.SeriesInstanceUID = f"1.2.3.77.{number}"
        dataset.FrameOfReferenceUID = f"1.2.3.78.{number}"
    groups, _ = group_slices(read(series))
    assert [len(group.slices) for group in groups] == [30]


def test_series_of_few_slices_that_differ_stay_apart(read: Read, make_series: Series) -> None:
    series = [
        make_series(series=f"1.2.3.77.{number}", count=3, SeriesNumber=number, low=-75.0 + 15 * number)
        for number in range(5)
    ]
    groups, _ = group_slices(read([one for part in series for one in part]))
    assert [len(group.slices) for group in groups] == [3] * 5


def two_series(make_series: Series, **other: Any) -> list[Dataset]:
    base = make_series(count=20, gap=2.5, low=-75.0, SliceThickness=2.5, FrameOfReferenceUID="1.2.9")
    options = {"series": "1.2.3.1.2", "low": -25.0, "FrameOfReferenceUID": "1.2.9", "SeriesNumber": 3} | other
    return [*base, *make_series(count=20, SliceThickness=5.0, **options)]


def test_base_and_vertex_in_two_series_may_be_joined(read: Read, make_series: Series) -> None:
    groups, _ = group_slices(read(two_series(make_series)))
    assert [len(group.slices) for group in groups] == [20, 20]
    whole = joined(*groups)
    assert whole is not None
    assert len(whole.slices) == 40
    assert heights(whole) == sorted(heights(whole))
    again = joined(*reversed(groups))
    assert again is not None
    assert heights(again) == heights(whole)


def test_a_slice_that_both_halves_have_is_left_out_with_a_word(read: Read, make_series: Series) -> None:
    groups, _ = group_slices(read(two_series(make_series, low=-27.5)))
    whole = joined(*groups)
    assert whole is not None
    assert [(one.rule, one.files) for one in whole.left_out] == [("junction-slice", 1)]
    paths = {slice_.path for slice_ in whole.slices}
    assert len(paths) == 39
    assert not paths & whole.left_out[0].paths


@pytest.mark.parametrize(
    "other",
    [
        {"low": -60.0},
        {"low": -10.0},
        {"FrameOfReferenceUID": "1.2.8"},
        {"ConvolutionKernel": "H60s"},
        {"spacing": (3.0, 3.0)},
        {"PatientSex": "M"},
        {"RescaleType": "MGML"},
    ],
)
def test_series_that_are_not_base_and_vertex_are_not_joined(
    read: Read, make_series: Series, other: dict[str, Any]
) -> None:
    groups, _ = group_slices(read(two_series(make_series, **other)))
    assert joined(*groups) is None


def test_people_who_share_a_series_uid_are_never_stacked(read: Read, make_series: Series) -> None:
    other = renamed(make_series(low=75.0, PatientID="ANOTHER-ONE-5"), ".8")
    groups, _ = group_slices(read([*make_series(), *other]))
    assert [len({slice_.person for slice_ in group.slices}) for group in groups] == [1, 1]


def test_facts_of_a_mixed_series(read: Read, make_series: Series) -> None:
    thin = make_series(count=10, gap=4.0, low=-75, SliceThickness=4.0)
    thick = renamed(make_series(count=12, gap=7.0, low=-33.5, SliceThickness=7.0), ".5")
    facts = facts_of(group_slices(read([*thin, *thick]))[0][0])
    assert facts.slices == 22
    assert facts.thickness_mm == 7
    assert facts.coverage_mm == pytest.approx(41.5 + 77)
    assert facts.hole is None
    assert facts.stray_gaps == 0
    assert (facts.field_mm, facts.wide_mm) == (200.0, 200.0)


def test_facts_count_passes_and_energies(read: Read, make_series: Series) -> None:
    times = [renamed(make_series(AcquisitionNumber=n), f".{n}") for n in range(1, 5)]
    groups, _ = group_slices(read([one for part in times for one in part]))
    assert [facts_of(group, groups).passes for group in groups] == [4, 4, 4, 4]
    energies = [make_series(KVP=80), renamed(make_series(KVP=140), ".2")]
    groups, _ = group_slices(read([one for part in energies for one in part]))
    assert [facts_of(group, groups).energies for group in groups] == [2, 2]


@pytest.mark.parametrize(("seconds", "passes"), [(2, 4), (0, 1), (600, 1)])
def test_time_points_with_a_series_each_are_passes(
    read: Read, make_series: Series, seconds: int, passes: int
) -> None:
    """Recons of one exposure share its time; a head scanned anew comes minutes later."""
    points = []
    for n in range(4):
        minutes, rest = divmod(n * seconds, 60)
        time = f"10{minutes:02d}{rest:02d}"
        part = renamed(make_series(AcquisitionTime=time, AcquisitionNumber=n + 1), f".{n}")
        for one in part:
            one.SeriesInstanceUID += f".{n}"
        points += part
    groups, _ = group_slices(read(points))
    assert [facts_of(group, groups).passes for group in groups] == [passes] * 4


@pytest.mark.parametrize(("thickness", "stray"), [(4.5, False), (9.0, True)])
def test_positions_rounded_to_millimetres_are_one_pass(
    read: Read, make_series: Series, thickness: float, stray: bool
) -> None:
    """Gaps of 4 and 5 mm in turn are two passes only if the slices overlap."""
    series = make_series(gap=4.5, low=-67.3, SliceThickness=thickness)
    for one in series:
        one.ImagePositionPatient = [round(float(value)) for value in one.ImagePositionPatient]
    groups, _ = group_slices(read(series))
    assert [facts_of(group).stray_gaps > 0 for group in groups] == [stray]


def test_the_order_of_the_files_changes_nothing(read: Read, make_series: Series) -> None:
    slices = read([*make_series(), *renamed(make_series(low=-73.0, AcquisitionNumber=2), ".2")])
    wanted = [[slice_.path for slice_ in group.slices] for group in group_slices(slices)[0]]
    for seed in range(5):
        mixed = [slices[index] for index in np.random.default_rng(seed).permutation(len(slices))]
        assert [[s.path for s in group.slices] for group in group_slices(mixed)[0]] == wanted


def test_overlapping_slices_of_one_pass_are_one_stack(read: Read, make_series: Series) -> None:
    """A helical scan may be reconstructed at every half of the thickness."""
    groups, _ = group_slices(read(make_series(count=60, gap=2.5, SliceThickness=5.0)))
    assert [(len(group.slices), facts_of(group).stray_gaps) for group in groups] == [(60, 0)]


def test_copies_of_a_series_leave_one(read: Read, make_series: Series) -> None:
    series = make_series()
    groups, copies = group_slices(read([*series, *copy.deepcopy(series)]))
    assert [len(group.slices) for group in groups] == [30]
    assert sum(one.files for one in copies) == 30
