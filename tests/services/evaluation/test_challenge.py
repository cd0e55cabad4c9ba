"""What the report shows of models that were challenged: two tables, a sentence and a page a model."""

from pathlib import Path

from nameplate.job.inputs import Committed
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result
from nameplate.steps.detection import DETECTION, SHOWN, Compared, Detected, Detection
from nameplate.store import open_store
from nameplate_evaluation.challenge import (
    detection_tables,
    links_of,
    load_detections,
    load_pages,
    sentences_of,
)


def _detection(model: str, version: str) -> Detection:
    row = Detected(
        level="GE", contrast="+30 HU", radius="5.8 mm (5.0 to 6.2)", found="66.4 % (61.6 to 71.0)",
        alarms="3.3 % (0.5 to 18.3)", failed="0 of 450",
    )  # fmt: skip
    more = row.model_copy(update={"contrast": "+15 HU", "alarms": "", "failed": ""})
    gap = Compared(figure="false alarms", between="Siemens - GE", value="-3.3 points (-18 to +9)", p="p 0.5")
    return Detection(
        model=model, version=version, cohort="study", asked="60 exams by manufacturer, 900 cases",
        sensitivity=0.8, rows=(row, more), gaps=(gap,), caveats=("Intervals are rough.", "One model."),
    )  # fmt: skip


def test_what_the_step_has_made_is_loaded_with_its_pages(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    outputs = Outputs("detection", store, tmp_path, lambda: False)
    made = [_detection("acme", "2.1"), _detection("ours", "")]
    for one in made:
        names = {"cohort": one.cohort, "model": one.model}
        DETECTION.write(outputs, one, **names)
        outputs.write(SHOWN.key(file="index.html", **names), one.model.encode())
        outputs.write(SHOWN.key(file="detection.csv", **names), b"rows")
    done = Result(job="detection", digest="d", code="0", outputs=outputs.written)
    committed = Committed(store, {"detection": done})
    assert load_detections(committed) == tuple(made)
    pages = load_pages(committed)
    assert pages["challenge/study/acme/index.html"] == b"acme"
    assert len(pages) == 4
    assert {address for address, _ in links_of(tuple(made))} <= set(pages)


def test_the_tables_have_a_row_a_level_and_contrast_and_a_row_a_gap() -> None:
    figures, gaps = detection_tables((_detection("acme", "2.1"), _detection("ours", "")), "manufacturer")
    assert [row[:4] for row in figures.rows] == [
        ("acme 2.1", "study", "GE", "+30 HU"),
        ("acme 2.1", "study", "GE", "+15 HU"),
        ("ours", "study", "GE", "+30 HU"),
        ("ours", "study", "GE", "+15 HU"),
    ]
    assert "Found in 80 % from" in [column.label for column in figures.columns]
    assert [row[0] for row in gaps.rows] == ["acme 2.1", "ours"]


def test_nothing_was_challenged() -> None:
    assert not any(table.rows for table in detection_tables((), "manufacturer"))
    assert sentences_of(()) == []
    assert links_of(()) == []


def test_a_sentence_a_model_with_all_that_has_to_be_known() -> None:
    (said,) = sentences_of((_detection("acme", "2.1"),))
    assert said == "acme 2.1 on study: 60 exams by manufacturer, 900 cases. Intervals are rough. One model."
