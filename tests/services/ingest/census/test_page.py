import csv
import io
import re

from nameplate_ingest.census.counts import Row, Table
from nameplate_ingest.census.page import PAGE, TABLE, census_files
from nameplate_ingest.census.screen import plain_lines
from nameplate_ingest.census.section import Section

SECTIONS = (
    Section(
        "cohort study",
        (("studies", "1,234"), ("  a sentence <of> the plan", "")),
        (
            Table("age", (Row("0 to 9", "<5", None), Row("10 to 19", "withheld", None), Row("20", "40", 40))),
            Table("sex", (), hidden=True),
            Table("refused, by rule", (), unit="series"),
        ),
        ("How to read it.",),
    ),
    Section("cohort planted", (("simulated: there is nothing to count", ""),)),
)


def test_the_same_sections_give_the_same_files() -> None:
    files = census_files("Census", SECTIONS)
    assert files == census_files("Census", SECTIONS)
    assert set(files) == {PAGE, TABLE}


def test_the_page_needs_no_other_and_is_escaped() -> None:
    text = census_files("Census of a < b", SECTIONS)[PAGE].decode()
    assert "Census of a &lt; b" in text
    assert "a sentence &lt;of&gt; the plan" in text
    assert '<td class="hidden">&lt;5</td>' in text
    assert not re.search(r"(src|href)=|<script|@import|url\(", text)
    assert text.count("How to read it.") == 1


def test_only_what_is_shown_has_a_bar() -> None:
    text = census_files("Census", SECTIONS)[PAGE].decode()
    assert re.findall(r'<div style="width:([\d.]+)%"', text) == ["100.0"]


def test_the_table_has_what_the_page_has() -> None:
    rows = list(csv.reader(io.StringIO(census_files("Census", SECTIONS)[TABLE].decode())))
    assert rows == [
        ["cohort", "table", "value", "unit", "count"],
        ["cohort study", "summary", "studies", "", "1,234"],
        ["cohort study", "summary", "a sentence <of> the plan", "", ""],
        ["cohort study", "age", "0 to 9", "studies", "<5"],
        ["cohort study", "age", "10 to 19", "studies", "withheld"],
        ["cohort study", "age", "20", "studies", "40"],
        ["cohort planted", "summary", "simulated: there is nothing to count", "", ""],
    ]


def test_a_spreadsheet_reads_no_formula() -> None:
    section = Section("=1+1", (("@SUM(A1)", "-1"),))
    assert b"\n'=1+1,summary,'@SUM(A1),,'-1\n" in census_files("Census", [section])[TABLE]


def test_plain_lines() -> None:
    assert list(plain_lines(SECTIONS)) == [
        "cohort study",
        "  studies  1,234",
        "    a sentence <of> the plan",
        "",
        "  age        studies",
        "  0 to 9          <5",
        "  10 to 19  withheld",
        "  20              40",
        "",
        "  sex",
        "    too few to show any",
        "",
        "  refused, by rule",
        "    none",
        "",
        "  How to read it.",
        "",
        "cohort planted",
        "  simulated: there is nothing to count",
    ]
