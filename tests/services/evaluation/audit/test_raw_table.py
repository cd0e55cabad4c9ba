"""Tables as people have them, and files that are none."""

import pytest

from nameplate.errors import UserError
from nameplate_evaluation.audit.raw_table import read_table


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_first_line(tmp_path, delimiter):
    path = tmp_path / "t.csv"
    rows = [["", "exam", "score"], ["0", "a ", '"1"'], ["1", "b", "2"], ["2", "c"], [" ", "", ""]]
    path.write_text("\ufeff" + "\r\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
    table = read_table(path)
    assert dict(table.columns) == {"exam": ["a", "b"], "score": ["1", "2"]}
    assert (table.rows, table.ragged, table.header) == (2, 1, ("exam", "score"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"exam,score\n", "a table without rows"),
        (b"", "a table without rows"),
        (b"exam,exam \n1,2\n", "two columns are called 'exam'"),
        (b",\n1,2\n", "a table without rows"),
        (b"exam,score\n1\n2\n", "no row has as many cells as the first, 2"),
        (b"\xff\xfe\x00", "not a text in UTF-8"),
        (b"exam,score\na\0,1\n", "not a text"),
        (b'exam,score\n"a,1\n', "not a table"),
        (b"exam,score\n" + b"a" * 20_000 + b",1\n", "not a table"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, data, message):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(UserError, match=message) as error:
        read_table(path)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_and_rows_of_something_else(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_table(tmp_path / "absent.csv")
    (tmp_path / "exams.jsonl").write_text('{"exam": 1}\n')
    with pytest.raises(UserError, match="not a file of Exam rows"):
        read_table(tmp_path / "exams.jsonl")
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(UserError, match="without rows"):
        read_table(tmp_path / "none.jsonl")


def test_decimal_commas_where_semicolons_separate_cells(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("exam;score;place\n1;0,25;a,b\n2;NaN;1,5\n3;1;n/a\n")
    assert dict(read_table(path).columns) == {
        "exam": ["1", "2", "3"],
        "score": ["0.25", "", "1"],
        "place": ["a,b", "1,5", ""],
    }
