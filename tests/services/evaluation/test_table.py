import csv
import io

import pytest

from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.table import Column, Table, csv_bytes, interval, labelled, printed


def test_estimates_become_columns_and_formulas_are_disarmed():
    one = Estimate(mean=0.5, low=0.25, high=0.75, models=3, exams=10)
    easy = Estimate(mean=1.0, sd=0.0, models=3, exams=10, note="at the ceiling")
    table = Table(
        "t",
        "T",
        (Column("name", "Name"), Column("value", "Value", "percent")),
        (("=cmd", one), ("a,b\nc", None), ("+1", easy)),
    )
    rows = list(csv.reader(io.StringIO(csv_bytes(table).decode())))
    assert rows == [
        ["name", "value_mean", "value_sd", "value_low", "value_high", "value_runs", "value_note"],
        ["'=cmd", "0.5", "", "0.25", "0.75", "3", ""],
        ["a,b\nc", "", "", "", "", "", ""],
        ["'+1", "1", "0", "", "", "3", "at the ceiling"],
    ]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.98765, "percent", "98.8"),
        (-0.0123, "points", "\u22121.2"),
        (0.0123, "points", "+1.2"),
        (-0.0001, "points", "0.0"),
        (0.98765, "dice", "0.988"),
        (0.0004, "p", "< 0.001"),
        (0.04, "p", "0.040"),
        (None, "percent", "\u2013"),
        (12, "count", "12"),
        (0.0123, "spread", "1.2"),
        (0.0004, "dice points", "0.000"),
        (-0.0016, "dice points", "\u22120.002"),
        (0.5, "signed", "+0.50"),
        (0.0, "points", "0.0"),
    ],
)
def test_numbers_as_printed(value, kind, text):
    assert printed(value, kind) == text


def test_an_interval_is_printed_or_why_there_is_none():
    known = Estimate(mean=0.1, low=-0.012, high=0.2, models=3, exams=10)
    assert interval(known, "points") == "\u22121.2 to +20.0"
    assert interval(Estimate(mean=0.1, models=1, exams=10, note="one run"), "points") == "one run"


def test_neighbouring_columns_of_one_group_share_a_heading():
    columns = (Column("a", "A"), Column("b", "B", group="G"), Column("c", "C", group="G"), Column("d", "D"))
    assert Table("t", "T", columns, ()).spanned() == (("", 1), ("G", 2), ("", 1))
    assert Table("t", "T", columns[:1], ()).spanned() == ()


def test_rows_of_the_wrong_length_are_refused():
    with pytest.raises(ValueError, match="2 values for 1 columns"):
        Table("t", "T", (Column("a", "A"),), (("x", "y"),))


def test_empty_columns_of_the_paper_go():
    columns = (Column("a", "A"), Column("p", "P", "percent", published=True))
    assert Table("t", "T", columns, (("x", None),)).without_empty_published().rows == (("x",),)
    assert Table("t", "T", columns, (("x", 0.5),)).without_empty_published().rows == (("x", 0.5),)


def test_tables_of_the_paper_are_numbered_and_others_lettered():
    def table(name, paper):
        return Table(name, name, (Column("a", "A"),), (("x",), ("x",)), paper=paper)

    found = labelled([table("one", True), table("own", False), table("two", True)])
    assert [(label, t.name) for label, t in found] == [
        ("1", "table-1-one"),
        ("A", "table-a-own"),
        ("2", "table-2-two"),
    ]
    assert (found[0][1].repeated(0), found[0][1].repeated(1)) == (0, 1)


def test_letters_follow_the_sections_of_the_page_and_numbers_the_paper():
    def table(name, section, paper=False):
        return Table(name, name, (Column("a", "A"),), (("x",),), section=section, paper=paper)

    given = [table("end", "last"), table("two", "last", True), table("start", "first"), table("file", "")]
    found = labelled(given, sections=("first", "last"))
    assert [(label, one.name) for label, one in found] == [
        ("B", "table-b-end"),
        ("1", "table-1-two"),
        ("A", "table-a-start"),
        ("C", "table-c-file"),
    ]


def test_what_has_no_sign_is_printed_without():
    assert printed(0.0423, "points") == "+4.2"
    assert printed(0.0423, "points", signed=False) == "4.2"
    assert printed(25.07, "signed", signed=False) == "25.07"
