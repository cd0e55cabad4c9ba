"""Passes, stacks and temporal positions in one file."""

import random
from pathlib import Path

import pytest
from enhanced_maker import (
    Make,
    enhanced_dataset,
    values_of,
)
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.dicom import tags
from nameplate_ingest.dicom.frame_order import successive
from nameplate_ingest.dicom.values import number, text


def test_two_temporal_positions_are_told(tmp_path: Path, make_series: Make) -> None:
    slices = make_series(10) + make_series(10)
    for place, dataset in enumerate(slices):
        dataset.TemporalPositionIdentifier = place // 10 + 1
    random.Random(1).shuffle(slices)
    for values, slice_ in zip(values_of(enhanced_dataset(slices), tmp_path / "e"), slices, strict=True):
        assert text(values[tags.TEMPORAL_POSITION]) == str(slice_.TemporalPositionIdentifier)
        assert text(values[tags.TEMPORAL_POSITIONS]) == "2"


def test_numbers_may_count_from_zero(tmp_path: Path, make_series: Make) -> None:
    slices = make_series(4, AcquisitionNumber=5) + make_series(4, AcquisitionNumber=5)
    dataset = enhanced_dataset(slices, shared=False)
    dataset.AcquisitionNumber = 9
    for place, item in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        item.FrameContentSequence[0].TemporalPositionIndex = place // 4
        item.FrameContentSequence[0].FrameAcquisitionNumber = place // 4
    values = values_of(dataset, tmp_path / "e")
    assert [text(frame[tags.TEMPORAL_POSITION]) for frame in values] == ["0"] * 4 + ["1"] * 4
    assert [text(frame[tags.ACQUISITION]) for frame in values] == ["0"] * 4 + ["1"] * 4


def test_one_place_at_many_times_is_dynamic(tmp_path: Path, make_series: Make) -> None:
    slices = [dataset for _ in range(8) for dataset in make_series(1)]
    for place, dataset in enumerate(slices):
        dataset.TemporalPositionIdentifier = place + 1
    values = values_of(enhanced_dataset(slices), tmp_path / "e")
    assert {text(frame[tags.TEMPORAL_POSITIONS]) for frame in values} == {"8"}


@pytest.mark.parametrize("slices_each", [1, 4])
def test_temporal_positions_that_count_rotations_leave_one_pass(
    tmp_path: Path, make_series: Make, slices_each: int
) -> None:
    slices = make_series(12)
    for place, dataset in enumerate(slices):
        dataset.TemporalPositionIdentifier = place // slices_each + 1
    for values in values_of(enhanced_dataset(slices), tmp_path / "e"):
        assert tags.TEMPORAL_POSITION not in values
        assert tags.TEMPORAL_POSITIONS not in values


def test_a_file_for_each_temporal_position_keeps_its_number(tmp_path: Path, make_series: Make) -> None:
    slices = make_series(5, TemporalPositionIdentifier=3)
    values = values_of(enhanced_dataset(slices), tmp_path / "e")
    assert [text(frame[tags.TEMPORAL_POSITION]) for frame in values] == ["3"] * 5


def test_stacks_over_the_same_places_become_acquisitions(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(8) + make_series(8), shared=False)
    for place, item in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        stack = place // 8 + 1
        item.FrameContentSequence[0].StackID = f"{stack}"
        item.FrameContentSequence[0].DimensionIndexValues = [stack, place % 8 + 1]
    values = values_of(dataset, tmp_path / "e")
    assert [text(frame[tags.ACQUISITION]) for frame in values] == ["1.0000"] * 8 + ["1.0001"] * 8


def test_another_dimension_over_the_same_places_becomes_acquisitions(
    tmp_path: Path, make_series: Make
) -> None:
    dataset = enhanced_dataset(make_series(8) + make_series(8), shared=False)
    dataset.DimensionIndexSequence[0].DimensionIndexPointer = 0x00209241  # percentage of the cardiac phase
    for place, item in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        item.FrameContentSequence[0].DimensionIndexValues = [place // 8 + 1, place % 8 + 1]
    values = values_of(dataset, tmp_path / "e")
    assert [text(frame[tags.ACQUISITION]) for frame in values] == ["1.0000"] * 8 + ["1.0001"] * 8


def test_stacks_at_different_places_stay_one_acquisition(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(8), shared=False)
    for place, item in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        item.FrameContentSequence[0].StackID = "base" if place < 4 else "vertex"
    values = values_of(dataset, tmp_path / "e")
    assert {text(frame[tags.ACQUISITION]) for frame in values} == {"1"}


def test_energies_and_kernels_of_one_file_stay_apart(tmp_path: Path, make_series: Make) -> None:
    slices = [*make_series(4), *make_series(4, KVP=80), *make_series(4, ConvolutionKernel="H70h")]
    values = values_of(enhanced_dataset(slices), tmp_path / "e")
    assert [number(frame[tags.KVP]) for frame in values] == [120] * 4 + [80] * 4 + [120] * 4
    assert [text(frame[tags.KERNEL]) for frame in values] == ["H31s"] * 8 + ["H70h"] * 4


PLANE = b"1\\0\\0\\0\\1\\0"


@given(
    blocks=st.lists(st.integers(1, 5), min_size=2, max_size=6),
    flipped=st.booleans(),
    shift=st.floats(-500, 500),
    seed=st.integers(0, 99),
)
def test_blocks_one_after_the_other_are_successive_in_any_order_of_frames(
    blocks: list[int], flipped: bool, shift: float, seed: int
) -> None:
    names = [str(block) for block, size in enumerate(blocks) for _ in range(size)]
    pairs = [
        (name, {tags.ORIENTATION: PLANE, tags.THICKNESS: b"5", tags.POSITION: b"0\\0\\%.6f" % height})
        for name, height in zip(names, height_of(len(names), shift, flipped), strict=True)
    ]
    random.Random(seed).shuffle(pairs)
    described = [values for _, values in pairs]
    assert successive(described, [name for name, _ in pairs])
    again = [*described, *described]
    later = [name + " again" for name, _ in pairs]
    assert not successive(again, [*(name for name, _ in pairs), *later])


def height_of(count: int, shift: float, flipped: bool) -> list[float]:
    return [shift + (-5.0 if flipped else 5.0) * place for place in range(count)]


def test_blocks_that_share_more_than_a_slice_are_not_successive() -> None:
    heights = [0, 5, 10, 15, 10, 15, 20, 25]
    described = [
        {tags.ORIENTATION: PLANE, tags.THICKNESS: b"5", tags.POSITION: b"0\\0\\%d" % height}
        for height in heights
    ]
    assert not successive(described, [*"aaaabbbb"])


def test_frames_without_a_place_are_not_successive() -> None:
    assert not successive([{}, {}], ["1", "2"])


def test_a_pass_between_the_slices_of_another_is_no_successor(tmp_path: Path, make_series: Make) -> None:
    slices = make_series(8) + make_series(8, 5.0, -72.5)
    for place, dataset in enumerate(slices):
        dataset.TemporalPositionIdentifier = place // 8 + 1
    values = values_of(enhanced_dataset(slices), tmp_path / "e")
    assert {text(frame[tags.TEMPORAL_POSITIONS]) for frame in values} == {"2"}
