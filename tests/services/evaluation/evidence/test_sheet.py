"""The evidence sheet: every link leads somewhere, and nothing is called answered without a place."""

import re

from nameplate_evaluation.evidence.criteria import Criterion, Size
from nameplate_evaluation.evidence.guidelines import Places, answers, guidelines
from nameplate_evaluation.evidence.sheet import PAGE, evidence_page, guideline_table
from nameplate_evaluation.measure import Estimate


def test_every_link_of_the_sheet_leads_into_the_report(report):
    sheet, page = report[PAGE].decode(), report["index.html"].decode()
    links = re.findall(r'href="([^"]+)"', sheet)
    assert len(links) > 100
    for link in links:
        if link.startswith("../index.html#"):
            assert f'id="{link.partition("#")[2]}"' in page, link
        elif link.startswith("https://"):
            assert link in {guideline.source for guideline in guidelines()}
        else:
            path = link.removeprefix("../") if link.startswith("../") else f"evidence/{link}"
            assert path in report, link


def test_the_counts_are_those_of_the_items(report):
    nothing = Places(sections=(), tables=(), files=())
    rows = guideline_table(nothing).rows
    assert [row[2] for row in rows] == [0] * len(guidelines())
    sheet = report[PAGE].decode()
    for guideline in guidelines():
        assert f"of {len(guideline.items)} answered" in sheet
        assert all(not one.answered and one.why_not for one in answers(guideline, nothing))


def test_texts_are_escaped():
    estimate = Estimate(mean=0.01, low=-0.01, high=0.03, models=4, exams=40)
    criterion = Criterion("<b>", "a&b", "auroc", 0.02, estimate, "not met", "because <i>")
    page = evidence_page(
        "x", "<digest>", "2026-01-02", [criterion], [Size("runs <u>", 4, 3, "not met")],
        Places(sections=(), tables=(), files=()),
    ).decode()  # fmt: skip
    assert "<b>" not in page
    assert "<u>" not in page
    assert "&lt;digest&gt;" in page
    assert "on 2026-01-02" in page
    assert "at least 4" in page
    assert "names no comparison" not in page


def test_a_default_comparison_is_not_passed_off_as_a_named_one():
    criterion = Criterion("spheres", "main", "auroc", 0.02, None, "no result", "none", named=False)
    nothing = Places(sections=(), tables=(), files=())
    assert b"names no comparison" in evidence_page("x", "y", None, [criterion], [], nothing)
