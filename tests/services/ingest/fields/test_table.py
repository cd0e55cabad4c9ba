"""The user's own tables: only the columns asked for, one value a study, and no value in any error."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.errors import UserError
from nameplate.steps.ingest import Exam
from nameplate_ingest.fields.table import LONGEST, read_table, statements_of, with_fields

SECRET = "DOE"


def written(folder: Path, text: str) -> Path:
    path = folder / "fields.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffname, site ,study,dose\nDOE,A,1.2,3\nROE,,1.3, 4 \nX,B,1.4,\n")
    assert read_table(path, ("site", "dose"), gaps=True) == {
        "1.2": {"site": "A", "dose": "3"},
        "1.3": {"dose": "4"},
        "1.4": {"site": "B"},
    }


def test_rows_of_one_study_add_up(tmp_path: Path) -> None:
    path = written(tmp_path, "study,site,dose\n1,A,\n1,,2\n1,A,2\n")
    assert read_table(path, ("site", "dose"), gaps=True) == {"1": {"site": "A", "dose": "2"}}


def test_a_table_without_rows_says_nothing(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, "study,site\n"), ("site",), gaps=True) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected the columns study and site, each once"),
        ("study,place\nDOE,DOE\n", "expected the columns study and site, each once"),
        ("site\nDOE\n", "expected the columns study and site, each once"),
        ("study,site,site\nDOE,DOE,DOE\n", "expected the columns study and site, each once"),
        ("study,site\n1,A\n,DOE\n", "line 3: study must not be empty"),
        ('study,site\n"1\n2",A\n,DOE\n', "line 4: study must not be empty"),
        (f"study,site\n1,DOE{'x' * LONGEST}\n", "line 2: site: expected at most 64 printable characters"),
        ("study,site\n1,DOE\a\n", "line 2: site: expected at most 64 printable characters"),
        ('study,site\n1,"DOE\nB"\n', "line 3: site: expected at most 64 printable characters"),
        ("study,site\nDOE,A\nDOE,B\n", "line 3: this study already has another site"),
    ],
)
def test_a_mistake_has_its_line_and_no_value(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        read_table(written(tmp_path, text), ("site",), gaps=True)
    assert expected in str(caught.value)
    assert SECRET not in str(caught.value)


def test_what_is_no_csv(tmp_path: Path) -> None:
    path = tmp_path / "fields.csv"
    path.write_bytes(b"study,site\n1,\xff\xfe\n")
    for place in (path, tmp_path / "nowhere.csv"):
        with pytest.raises(UserError, match="cannot be read as a CSV file"):
            read_table(place, ("site",), gaps=True)


values = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=LONGEST)
tables = st.dictionaries(
    values, st.fixed_dictionaries({}, optional={"site": values, "dose class": values}), max_size=8
)


@given(table=tables)
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, table: Any) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, ("study", "site", "dose class"))
    writer.writeheader()
    writer.writerows({"study": study, **told} for study, told in table.items())
    path = written(tmp_path_factory.mktemp("table"), text.getvalue())
    assert read_table(path, ("site", "dose class"), gaps=True) == table


def exam(**changes: Any) -> Exam:
    known: dict[str, Any] = {
        **{"exam": "e1", "patient": "p1", "image": "i", "manufacturer": "GE", "model": "", "software": ""},
        **{"kernel": "", "institution": "", "age": None, "sex": None, "kvp": None, "exposure_mas": None},
        **{"thickness_mm": 5.0, "gaps_mm": (5.0,), "pixel_mm": 0.5, "tilt_degrees": 0.0},
        **{"source_slices": 30, "slices": 30, "flags": ("noted",)},
    }
    return Exam(**{**known, **changes})


def test_columns_go_into_the_record_unless_they_say_two_things() -> None:
    assert with_fields(None, frozenset({("site", "A")})) is None
    assert with_fields(exam(), frozenset()) == exam()
    told = statements_of({"1": {"site": "B", "dose": "2"}, "CT1": {"site": "A"}, "x": {"site": "C"}}, ["1"])
    assert with_fields(exam(), told) == exam(fields={"dose": "2", "site": "B"})
    both = statements_of({"1": {"site": "B", "dose": "2"}, "CT1": {"site": "A"}}, ["CT1", "1"])
    assert with_fields(exam(), both) == exam(fields={"dose": "2"}, flags=("noted", "fields-disagree"))
