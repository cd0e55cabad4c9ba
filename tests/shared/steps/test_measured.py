"""Numbers of an exam as its record."""

import math

from hypothesis import given
from hypothesis import strategies as st

from nameplate.image.fingerprint.slices import Missing
from nameplate.records import from_jsonl, to_jsonl
from nameplate.steps.measured import MeasuredExam, as_record, rounded


def test_a_number_is_kept_and_what_is_missing_says_why() -> None:
    record = as_record("e1", "nifti", {"noise_sd": 4.123456789, "mtf50": Missing("no edge"), "x": math.nan})
    assert record.numbers == {"noise_sd": 4.12346, "mtf50": None, "x": None}
    assert record.missing == {"mtf50": "no edge", "x": "not a finite number"}
    assert from_jsonl(MeasuredExam, to_jsonl([record])) == [record]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_rounding_keeps_six_digits_and_is_done_once(number: float) -> None:
    once = rounded(number)
    assert rounded(once) == once
    assert math.isclose(once, number, rel_tol=5.1e-6, abs_tol=1e-300)
    assert math.copysign(1.0, rounded(-0.0)) == 1.0
