"""All measures together: one name each, every name at every stage, and what a part of a head cannot give."""

import dataclasses
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.image.fingerprint.catalogue import Group
from nameplate.image.fingerprint.measure import MEASURES, PICTURE_MEASURES, RECORD_MEASURES, measured
from nameplate.image.fingerprint.slices import Missing, Slices
from nameplate.steps.ingest import Exam
from nameplate.streams import stream

NAMES = {measure.name for measure in PICTURE_MEASURES}
DOCUMENT = Path(__file__).parents[4] / "docs" / "fingerprint.md"


def _head(sd: float = 4.0, matrix: int = 64) -> Slices:
    mm = 220.0 / matrix
    axes = [(np.arange(n) - (n - 1) / 2) * step for n, step in ((12, 5.0), (matrix, mm), (matrix, mm))]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    far = np.sqrt((i / 72) ** 2 + (j / 86) ** 2 + (k / 90) ** 2)
    hu = np.select([far < 0.2, far < 0.9, far < 1.0, far < 1.06], [8.0, 34.0, 1100.0, 20.0], -1000.0)
    hu += stream(3, "head").normal(0.0, 1.0, hu.shape) * sd
    return Slices(hu.astype(np.float32), far < 0.9, (mm, mm), 5.0)


def test_every_measure_has_one_name_and_every_group_a_measure() -> None:
    assert len({measure.name for measure in MEASURES}) == len(MEASURES)
    assert {measure.group for measure in MEASURES} == set(get_args(Group))
    for measure in MEASURES:
        assert measure.title
        assert measure.formula.endswith(".")
        assert re.fullmatch(r"[a-z][a-z0-9_]*", measure.name)


def test_what_the_record_holds_can_be_asked_of_an_exam() -> None:
    exam = Exam(
        exam="e", patient="p", image="", manufacturer="GE", model="m", software="s", kernel="k",
        institution="i", age=None, sex=None, kvp=120.0, exposure_mas=200.0, thickness_mm=5.0,
        gaps_mm=(2.5, 5.0), pixel_mm=0.5, tilt_degrees=1.0, source_slices=30, slices=30,
    )  # fmt: skip
    values = [exam.value_of(measure.name) for measure in RECORD_MEASURES]
    assert values == [120.0, 200.0, 5.0, 5.0, 1.0, 30.0, "m", "s", "k", "i"]


def test_a_head_has_every_number_or_a_reason() -> None:
    numbers = measured(_head(matrix=192))
    assert set(numbers) == NAMES
    assert sum(not isinstance(number, Missing) for number in numbers.values()) > len(NAMES) / 2
    part = measured(_head(matrix=192), whole=False)
    of_head = {measure.name for measure in PICTURE_MEASURES if measure.group == "head"}
    assert {name for name in NAMES if part[name] != numbers[name]} <= of_head
    assert all(isinstance(part[name], Missing) for name in of_head)


def test_noise_is_that_of_a_slice_of_five_millimetres() -> None:
    thick, thin = _head(), dataclasses.replace(_head(), thickness_mm=1.25)
    noise = measured(thick)["noise_sd"]
    assert isinstance(noise, float)
    assert measured(thin)["noise_sd"] == pytest.approx(noise / 2)
    with pytest.raises(ValueError, match="positive"):
        dataclasses.replace(thick, thickness_mm=0.0)


def test_no_noise_and_no_brain_are_no_crash() -> None:
    for slices in (_head(sd=0.0), _head(sd=0.0, matrix=24)):
        nothing = Slices(slices.hu, np.zeros_like(slices.brain), slices.pixel_mm, slices.slice_mm)
        for each in (slices, nothing):
            assert all(isinstance(n, Missing) or np.isfinite(n) for n in measured(each).values())


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 40), st.integers(1, 40)),
    pixel=st.tuples(st.floats(0.1, 8.0), st.floats(0.1, 8.0)),
    low=st.sampled_from([-3024.0, 0.0, 30.0]),
    high=st.sampled_from([30.0, 80.0, 3000.0]),
    nan=st.sampled_from([0.0, 0.1, 1.0]),
    brain=st.sampled_from([0.0, 0.3, 1.0]),
    adjacent=st.booleans(),
)
def test_whatever_the_pixels_hold_each_number_is_finite_or_missing(
    seed: int,
    shape: tuple[int, int, int],
    pixel: tuple[float, float],
    low: float,
    high: float,
    nan: float,
    brain: float,
    adjacent: bool,
) -> None:
    random = stream(seed, "pixels")
    hu = random.uniform(low, high, shape) if low < high else np.full(shape, low)
    hu[random.random(shape) < nan] = np.nan
    slices = Slices(hu.astype(np.float32), random.random(shape) < brain, pixel, 5.0, adjacent)
    numbers = measured(slices)
    assert set(numbers) == NAMES
    assert all(isinstance(number, Missing) or np.isfinite(number) for number in numbers.values())


def test_the_document_has_every_measure() -> None:
    text = DOCUMENT.read_text()
    assert [measure.name for measure in MEASURES if f"`{measure.name}`" not in text] == []
