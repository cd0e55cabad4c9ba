"""Tables of volumes: spellings that are understood, and mistakes that are told."""

from pathlib import Path

import pytest

from nameplate.campaign.sources.volumes import ColumnSettings
from nameplate.errors import UserError
from nameplate_ingest.sources.volume_table import Row, read_rows

COLUMNS = ColumnSettings(exam="image_id", manufacturer="maker", age="age")


def read(
    path: Path, data: bytes, columns: ColumnSettings = COLUMNS, fields: tuple[str, ...] = ()
) -> list[Row]:
    table = path / "t.csv"
    table.write_bytes(data)
    return read_rows(table, columns, fields)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spellings_of_one_table(tmp_path: Path, delimiter: str, start: str, end: str) -> None:
    inner = "," if delimiter == "\t" else delimiter  # a tab in a cell cannot be printed
    rows = (
        ("image_id", " maker", "age", "note"),
        ("a", "GE", "63", "x"),
        ("", "", "", ""),
        ("b", " Siemens ", "", f'"y{inner}z"'),
    )
    text = start + end.join(delimiter.join(row) for row in rows) + end
    assert read(tmp_path, text.encode(), fields=("note",)) == [
        Row("a", {"manufacturer": "GE", "age": "63"}, frozenset({("note", "x")})),
        Row("b", {"manufacturer": "Siemens"}, frozenset({("note", f"y{inner}z")})),
    ]


def test_a_column_that_is_called_as_what_it_holds_needs_no_setting(tmp_path: Path) -> None:
    columns = ColumnSettings(exam="id", age="years")
    text = (
        b"id,Manufacturer,years,age,sex,institution,kernel,Kernel,model,file\na,GE,63,9,M,X,b,s,HiSpeed,p\n"
    )
    assert read(tmp_path, text, columns, fields=("model",)) == [
        Row("a", {"manufacturer": "GE", "age": "63", "sex": "M"}, frozenset({("model", "HiSpeed")}))
    ]


def test_a_short_line_lacks_its_last_cells(tmp_path: Path) -> None:
    assert read(tmp_path, b"image_id,maker,age\na\n") == [Row("a", {}, frozenset())]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the table is empty"),
        (b" \n\n", "the table is empty"),
        (b"image_id,maker,age\n\n", "the table has no rows"),
        (b"image_id,maker,age\na,GE,63\na,GE,64\n", "line 3: image_id is that of an earlier line"),
        (b"image_id,maker,age\n ,GE,63\n", "line 2: image_id must not be empty"),
        (b"image_id,maker,age\na,GE,63,more\n", "line 2: has more cells"),
        (b"image_id,maker,age\na,G\x07E,63\n", "line 2: maker: expected at most 64 printable"),
        (b"image_id,maker,age\na," + b"G" * 65 + b",63\n", "line 2: maker: expected at most 64 printable"),
        (b"image_id,maker,age,age\na,GE,63,1\n", "column 'age' .columns.age. is there 2 times"),
        ("image_id,maker,age\nä,GE,63\n".encode("latin-1"), "not a table in UTF-8"),
        ("image_id,maker,age\na,GE,63\n".encode("utf-16"), "not a table in UTF-8"),
        (b'image_id,maker,age\n"a"b,GE,63\n', "cannot be read as a CSV"),
        (b"image_id,maker,age\n" + b"a" * 200_000 + b",GE,63\n", "cannot be read as a CSV"),
    ],
)
def test_mistakes_are_told_without_values(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words) as told:
        read(tmp_path, data)
    assert "\n" not in str(told.value)
    assert "GGGG" not in str(told.value)


def test_a_missing_column_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        read(tmp_path, b"Image_ID;maker;age\na;GE;63\n")
    assert str(told.value) == (
        f"{tmp_path}/t.csv: no column 'image_id' (columns.exam); did you mean 'Image_ID'?"
        " (there are: Image_ID, maker, age)"
    )
    with pytest.raises(UserError, match=r"no column 'site' \(fields\) \(there are: image_id, maker, age\)"):
        read(tmp_path, b"image_id;maker;age\na;GE;63\n", fields=("site",))


def test_a_table_without_a_header_shows_no_value(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        read(tmp_path, b"p0001,Zebulonius Quax,1957-03-04\np0002,Roe,1960-01-01\n")
    assert "does not look like names of columns" in str(told.value)
    assert "Quax" not in str(told.value)


@pytest.mark.parametrize("name", ["exam", "patient", "file"])
def test_what_tells_who_somebody_is_cannot_be_a_field(tmp_path: Path, name: str) -> None:
    columns = ColumnSettings.model_validate({"exam": "e", name: "id"})
    with pytest.raises(UserError, match=f"fields: 'id' is the column of columns.{name}, which may not leave"):
        read(tmp_path, b"e,id\na,1\n", columns, ("id",))


def test_a_path_may_be_longer_than_a_value(tmp_path: Path) -> None:
    columns = ColumnSettings(exam="e", file="f")
    assert len(read(tmp_path, b"e,f\na," + b"x" * 1000 + b"\n", columns)[0].values["file"]) == 1000
    with pytest.raises(UserError, match="at most 1024 printable"):
        read(tmp_path, b"e,f\na," + b"x" * 1025 + b"\n", columns)


def test_a_table_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    with table.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(UserError, match="larger than a table of exams can be"):
        read_rows(table, COLUMNS, ())
