from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from nameplate.image.fingerprint.catalogue import Measure, Stage
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam
from nameplate_evaluation.fingerprint.design import Numbers, Texts
from nameplate_evaluation.fingerprint.draws import Labels
from nameplate_evaluation.fingerprint.measures import Measurements, level_values, shown

MEASURES = (
    Measure("noise_sd", "noise amount", "HU", "noise", ""),
    Measure("kvp", "protocol", "kV", "tube voltage", ""),
    Measure("kernel", "header", "", "kernel", ""),
    Measure("model", "header", "", "model", ""),
)


def measurements(factor: str = "manufacturer", exams: Mapping[str, Exam] | None = None) -> Measurements:
    rows: dict[tuple[str, Stage], MeasuredExam] = {}
    for n in range(20):
        number = None if n == 3 else float(n)
        row = MeasuredExam(exam=f"e{n:03d}", stage="nifti", numbers={"noise_sd": number})
        rows[row.exam, row.stage] = row
    return Measurements(measures=MEASURES, rows=rows, exams=exams or {}, factor=factor)


def test_numbers_stand_in_the_order_of_the_labels(labels: Callable[..., Labels]) -> None:
    of = labels([0, 1] * 12)
    (column,) = measurements().columns(of, MEASURES, "nifti")
    assert isinstance(column, Numbers)
    expected = [np.nan if n == 3 or n >= 20 else n for n in range(24)]  # four exams have no row
    np.testing.assert_array_equal(column.values, expected)
    assert measurements().columns(of, MEASURES, "windowed") == []


def test_the_record_is_there_as_read_and_unknown_values_are_marked(
    labels: Callable[..., Labels], with_measures: Callable[..., object]
) -> None:
    exam = with_measures().analysis.results.cohorts[0].exams[0]  # type: ignore[attr-defined]
    exams = {f"e{n:03d}": exam for n in range(23)}
    exams["e000"] = exam.model_copy(update={"kernel": "", "kvp": None})
    of = labels([0, 1] * 12)
    found = measurements(exams=exams).columns(of, MEASURES, "as read")
    kvp, kernel, model = found
    assert isinstance(kvp, Numbers)
    assert isinstance(kernel, Texts)
    assert np.isnan(kvp.values[[0, 23]]).all()
    assert kvp.values[1] == 120
    assert kernel.values[0] == kernel.values[23] == ""
    assert kernel.values[1] != ""
    for factor, left in (("model", ["kvp", "kernel"]), ("kernel_class", ["kvp", "model"])):
        columns = measurements(factor, exams).columns(of, MEASURES, "as read")
        assert [column.name for column in columns] == left
    assert model.name == "model"


def test_groups_begin_with_what_is_written_beside_the_picture() -> None:
    assert measurements().groups == ("header", "protocol", "noise amount")
    assert [measure.name for measure in measurements().of("header")] == ["kernel", "model"]
    assert [measure.name for measure in measurements().of()] == ["noise_sd"]


def test_values_by_level(labels: Callable[..., Labels], number: Callable[..., Numbers]) -> None:
    of = replace(labels([0] * 12 + [1] * 12))
    values = np.concatenate([np.arange(12) / 100 + 0.30, np.full(12, np.nan)])
    assert level_values(number(values), of) == ("0.355 (0.327 to 0.383)", "–")
    values = np.array([-3024.0] * 8 + [-1024.0] * 4 + [-2000.0] * 11 + [np.nan])
    assert level_values(number(values), of) == ("−3024 (8), −1024 (4)", "−2000 (11), – (1)")
    words = ("b",) * 5 + ("a",) * 5 + ("c", "d") + ("",) * 12
    assert level_values(Texts("t", words), of) == ("a (5), b (5), 2 more", "not given (12)")
    assert level_values(number([4.0] * 24), of) == ("4", "4")


def test_numbers_have_three_digits() -> None:
    expected = {0.31249: "0.312", 12.345: "12.3", 12.0: "12", 1432.6: "1433", -3024.0: "−3024", 0.0: "0"}
    assert {value: shown(value) for value in expected} == expected
