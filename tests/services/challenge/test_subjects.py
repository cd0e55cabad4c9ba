"""Tables of exams, the ingest's and others: read, or refused in one line."""

from pathlib import Path

import pytest

from nameplate.errors import UserError
from nameplate.records import to_jsonl
from nameplate.steps.ingest import Exam
from nameplate_challenge.subjects import read_subjects

EXAM = Exam(
    exam="e1", patient="p1", image="", manufacturer="GE", model="Optima", software="", kernel="STANDARD",
    institution="", age=61.0, sex=None, kvp=None, exposure_mas=None, thickness_mm=5.0, gaps_mm=(5.0, 10.0),
    pixel_mm=0.5, tilt_degrees=-12.0, source_slices=30, slices=30, fields={"site": "north"},
)  # fmt: skip


def test_the_table_of_an_ingest_with_any_of_its_fields(tmp_path: Path) -> None:
    table = tmp_path / "exams.jsonl"
    table.write_bytes(to_jsonl([EXAM]))
    for factor, level in (("manufacturer", "GE"), ("site", "north"), ("absolute_tilt_degrees", "12")):
        subject = read_subjects(table, factor)["e1"]
        assert (subject.patient, subject.level) == ("p1", level)
    assert subject.columns["age"] == "61"
    with pytest.raises(UserError, match=r"no column nonsense; there are .*manufacturer"):
        read_subjects(table, "nonsense")


def test_csv_and_json_lines_of_ones_own(tmp_path: Path) -> None:
    csv, lines = tmp_path / "t.csv", tmp_path / "t.jsonl"
    csv.write_text("\ufeffexam, patient,vendor,kernel\na,p,GE,H30\nb,,Siemens,H40\n", encoding="utf-8")
    found = read_subjects(csv, "vendor")
    assert [(one.patient, one.level, one.columns["kernel"]) for one in found.values()] == [
        ("p", "GE", "H30"),
        ("b", "Siemens", "H40"),
    ]
    lines.write_text('{"exam": "a", "patient": "p", "vendor": "GE", "age": 61}\n\n')
    assert read_subjects(lines, "vendor")["a"].columns["age"] == "61"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exam,patient\na,p\n", "no column manufacturer; there are exam, patient"),
        ("exam,patient,manufacturer\na,p,GE\na,p,GE\n", "1 rows have an exam that is there before"),
        ("exam,patient,manufacturer\na,p,\n", "no exam has a value of manufacturer"),
        ("exam,patient,manufacturer\n,p,GE\n", "row 1 names no exam"),
        ("exam,patient,manufacturer\n", "no exams"),
        (
            "exam,patient,manufacturer\n" + "".join(f"e{n},p,m{n}\n" for n in range(13)),
            "13 values, at most 12",
        ),
    ],
)
def test_a_table_that_says_too_little_is_an_error(tmp_path: Path, text: str, expected: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text(text)
    with pytest.raises(UserError, match=expected):
        read_subjects(table, "manufacturer")


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("[1, 2]\n")
    (tmp_path / "u.jsonl").write_text("{\n")
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("t.jsonl", "u.jsonl", "t.csv", "missing.csv"):
        with pytest.raises(UserError, match=name):
            read_subjects(tmp_path / name, "manufacturer")
