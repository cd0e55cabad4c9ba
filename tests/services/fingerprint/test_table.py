"""Measured exams as CSV files."""

import csv
import io

from nameplate.steps.measured import MeasuredExam
from nameplate_fingerprint.table import NAMES, Scanner, measures_csv, scanners_csv


def test_what_a_spreadsheet_would_run_is_text_and_numbers_stay_numbers() -> None:
    numbers = dict.fromkeys(NAMES) | {"cupping_hu": -1.5}
    row = MeasuredExam(exam="=cmd()", stage="as read", numbers=numbers, missing={})
    (measured,) = csv.DictReader(io.StringIO(measures_csv([row])))
    assert (measured["exam"], measured["cupping_hu"], measured["noise_sd"]) == ("'=cmd()", "-1.5", "")

    scanner = Scanner("@GE", "+1", "-soft", "as read", 1, numbers)
    (scanned,) = csv.DictReader(io.StringIO(scanners_csv([scanner])))
    assert [scanned[name] for name in ("manufacturer", "model", "kernel")] == ["'@GE", "'+1", "'-soft"]
    assert scanned["cupping_hu"] == "-1.5"
