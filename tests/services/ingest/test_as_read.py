"""The scanner's own pixels: which slices are measured, which way they lie, and what is left as it was."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nameplate_ingest.as_read as as_read
from nameplate.campaign.ingest import IngestSettings
from nameplate.image.fingerprint.measure import PICTURE_MEASURES
from nameplate.image.fingerprint.slices import Numbers, Slices
from nameplate.image.volume import Volume
from nameplate.records import from_jsonl
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam
from nameplate_ingest.as_read import best_run
from nameplate_ingest.choice import examine, picture
from nameplate_ingest.ingest import ingest_folder
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.volume.series import Stack

KEY = b"a key for these tests"
SMALL = IngestSettings(matrix=64)
LAST = -100.0 + 63 * 3.125
"""Place of the last pixel of a slice, along x and y."""
_REAL = as_read.measured


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Slices]:
    """The slices that were measured."""
    seen: list[Slices] = []

    def measured(slices: Slices, **how: Any) -> Numbers:
        seen.append(slices)
        assert how == {"whole": False}
        return _REAL(slices, **how)

    monkeypatch.setattr(as_read, "measured", measured)
    return seen


def _run(folder: Any, out: Path) -> MeasuredExam:
    assert ingest_folder(folder.path, out, SMALL, key=KEY).exams == 1
    (exam,) = from_jsonl(Exam, (out / "exams.jsonl").read_bytes())
    (row,) = from_jsonl(MeasuredExam, (out / "as-read.jsonl").read_bytes())
    assert (row.exam, row.stage) == (exam.exam, "as read")
    return row


def _expected(head: Any, place: Slices, low: float) -> np.ndarray[Any, Any]:
    """HU of the simulated head, axes (k, j, i): foot to head, back to front, left to right."""
    k, j, i = np.indices(place.hu.shape)
    return np.rint(head(LAST - 3.125 * i, LAST - 3.125 * j, low + 5.0 * k))


WAYS = {
    "as usual": ((1, 0, 0, 0, 1, 0), (-100.0, -100.0)),
    "half a turn": ((-1, 0, 0, 0, -1, 0), (LAST, LAST)),
    "rows along x": ((0, 1, 0, 1, 0, 0), (-100.0, -100.0)),
    "a quarter": ((0, -1, 0, 1, 0, 0), (-100.0, LAST)),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_pixels_are_those_of_the_source_upright_and_in_order(
    folder: Any, tmp_path: Path, make_slice: Any, head: Any, taken: list[Slices], way: str
) -> None:
    orientation, corner = WAYS[way]
    for number in range(30):
        position = (*corner, -75.0 + 5.0 * number)
        folder.add(make_slice(number=number, position=position, orientation=orientation))
    _run(folder, tmp_path / "out")
    (slices,) = taken
    assert slices.hu.shape == (12, 64, 64)
    assert (slices.pixel_mm, slices.slice_mm, slices.adjacent) == ((3.125, 3.125), 5.0, True)
    lows = [
        low for low in np.arange(-75.0, 75.0, 5.0) if np.array_equal(slices.hu, _expected(head, slices, low))
    ]
    assert len(lows) == 1, "the slices are not the head's"
    # The largest slices of the head, and the brain in them to within a cell of 5 mm.
    assert -40.0 <= lows[0] <= -20.0
    inside = (slices.hu > 0) & (slices.hu < 100)
    assert (slices.brain & ~inside).sum() < 0.1 * inside.sum()
    assert (slices.brain & inside).sum() > 0.8 * inside.sum()


def test_a_tilted_head_keeps_its_mask_in_place(
    folder: Any, tmp_path: Path, make_slice: Any, taken: list[Slices]
) -> None:
    angle = math.radians(18)
    for number in range(30):
        height = -75.0 + 5.0 * number
        across, down = (1.0, 0.0, 0.0), (0.0, math.cos(angle), -math.sin(angle))
        position = (-100.0, -100.0 * math.cos(angle), height + 100.0 * math.sin(angle))
        folder.add(make_slice(number=number, position=position, orientation=(*across, *down)))
    _run(folder, tmp_path / "out")
    (slices,) = taken
    inside = (slices.hu > 0) & (slices.hu < 100)
    assert (slices.brain & ~inside).sum() < 0.1 * inside.sum()
    assert (slices.brain & inside).sum() > 0.8 * inside.sum()


def test_what_is_stored_outside_the_circle_is_not_clamped(
    folder: Any, tmp_path: Path, make_series: Any, taken: list[Slices]
) -> None:
    series = make_series()
    row, column = np.indices((64, 64))
    outside = np.hypot(row - 31.5, column - 31.5) > 32
    for slice_ in series:
        words = np.frombuffer(slice_.PixelData, "<i2").reshape(64, 64).copy()
        words[outside] = -2000
        slice_.PixelData = words.tobytes()
    folder.add(*series)
    _run(folder, tmp_path / "out")
    assert taken[0].hu.min() == -3024.0
    assert (taken[0].hu == -3024.0).sum() == 12 * outside.sum()


def test_slices_of_one_distance_are_taken_from_a_series_of_two(
    folder: Any, tmp_path: Path, make_slice: Any, taken: list[Slices]
) -> None:
    heights = [*np.arange(-75.0, -30.0, 2.5), *np.arange(-30.0, 75.0, 5.0)]
    for number, height in enumerate(heights):
        thickness = 2.5 if height < -30.0 else 5.0
        folder.add(make_slice(number=number, position=(-100.0, -100.0, height), SliceThickness=thickness))
    _run(folder, tmp_path / "out")
    assert taken[0].slice_mm == 5.0


def test_what_the_whole_head_is_needed_for_is_missing(folder: Any, tmp_path: Path, make_series: Any) -> None:
    folder.add(*make_series())
    row = _run(folder, tmp_path / "out")
    of_head = {measure.name for measure in PICTURE_MEASURES if measure.group == "head"}
    assert set(row.numbers) == {measure.name for measure in PICTURE_MEASURES}
    assert {row.missing[name] for name in of_head} <= {"only some slices of the head"}


def test_a_picture_without_a_brain_has_reasons_for_numbers(
    folder: Any, tmp_path: Path, make_series: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(volume: Volume) -> picture.Look:
        seen = picture.look(volume)
        return dataclasses.replace(seen, brain=np.zeros_like(seen.brain))

    monkeypatch.setattr(examine, "look", blind)
    folder.add(*make_series())
    row = _run(folder, tmp_path / "out")
    assert set(row.numbers) == {measure.name for measure in PICTURE_MEASURES}
    assert set(row.missing.values()) <= {"no brain was found"}
    assert all(number is None for number in row.numbers.values())


def test_only_what_is_kept_is_measured(folder: Any, tmp_path: Path, make_series: Any) -> None:
    from nameplate_ingest.explain import explain

    folder.add(*make_series())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(as_read, "measured", lambda *_, **__: pytest.fail("an explanation measures nothing"))
        assert any(
            "chosen" in line for line in explain(Folder(folder.path), SMALL, key=KEY, manufacturers={})
        )


def test_a_volume_that_is_not_cut_along_the_slices_is_not_measured() -> None:
    stack = Stack(
        order=(0, 1), axes=np.eye(3), along=np.array([0.0, 5.0]), drift=np.zeros((2, 2)),
        origin=np.zeros(3), tilt_degrees=0.0,
    )  # fmt: skip
    straight = Volume(np.zeros((4, 4, 2)), np.diag([-1.0, -1.0, 5.0, 1.0]))
    assert as_read.Places.of(stack, straight) is not None
    other = Volume(np.zeros((4, 4, 2)), np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]))
    assert as_read.Places.of(stack, other) is None


@st.composite
def stacks(draw: st.DrawFn) -> tuple[list[int], list[float], list[float], int]:
    count = draw(st.integers(1, 14))
    areas = draw(st.lists(st.integers(0, 5), min_size=count, max_size=count))
    gaps = draw(st.lists(st.sampled_from([2.5, 5.0]), min_size=count - 1, max_size=count - 1))
    thickness = draw(st.lists(st.sampled_from([2.5, 5.0]), min_size=count, max_size=count))
    return areas, gaps, thickness, draw(st.integers(1, 6))


@given(stacks())
def test_the_run_is_the_best_of_all_even_ones(stack: tuple[list[int], list[float], list[float], int]) -> None:
    areas, gaps, thickness, most = stack
    even = [
        sum(areas[start:stop])
        for start in range(len(areas))
        for stop in range(start + 1, min(start + most, len(areas)) + 1)
        if len(set(gaps[start : stop - 1])) <= 1 and len(set(thickness[start:stop])) == 1
    ]
    run = best_run(np.array(areas), np.array(gaps), thickness, most)
    if run is None:
        assert not any(areas)
        return
    assert 1 <= len(run) <= most
    assert len(set(gaps[run.start : run.stop - 1])) <= 1
    assert len({thickness[number] for number in run}) == 1
    assert sum(areas[number] for number in run) == max(even)
