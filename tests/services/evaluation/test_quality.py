"""Quality pages of the report, and exams lost by manufacturer as a table and as warnings."""

import json
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from nameplate.image.png import png_bytes
from nameplate.steps.cohort import Refusal
from nameplate.steps.ingest import LedgerRow
from nameplate.steps.skullstrip import MaskReport
from nameplate_evaluation.flow import flow_table
from nameplate_evaluation.quality import loss_warnings, losses_table, quality_files, quality_links
from nameplate_evaluation.report import build_report
from nameplate_evaluation.results import CohortResult

PICTURE = png_bytes(np.zeros((140, 476), np.uint8), [(0, 0, 0)])


def series(exam: str, rule: str, maker: str, **other) -> LedgerRow:
    verdict = "chosen" if rule == "chosen" else "refused"
    given = {"item": "series", "id": f"s{exam}{rule}", "seen": "seen", "files": 30, **other}
    return LedgerRow(exam=exam, rule=rule, verdict=verdict, manufacturer=maker, **given)


@pytest.fixture
def cohort(complete) -> CohortResult:
    """40 exams of each manufacturer; of GE, 10 more have a slice missing and 9 have no usable mask."""
    exams = [exam for exam in complete.cohorts[0].exams if exam.manufacturer == "GE"][:40]
    exams += [exam for exam in complete.cohorts[0].exams if exam.manufacturer == "Siemens"][:40]
    ledger = [series(exam.exam, "chosen", exam.manufacturer) for exam in exams]
    ledger += [series(f"elost{number}", "missing-slice", "GE") for number in range(10)]
    masks = [
        MaskReport(
            exam=exam.exam,
            volume_ml=1400.0,
            flags=() if number >= 9 else ("cut <top>",),
            usable=number >= 9,
            brain_hu=34.0,
        )
        for number, exam in enumerate(exams)
    ]
    return CohortResult(
        name="main",
        exams=tuple(exams),
        ledger=tuple(ledger),
        masks=tuple(masks),
        pictures={exam.exam: PICTURE for exam in exams[1:]},
        refused_pictures={"selost3missing-slice": PICTURE},
        refusals=(
            Refusal(exam=exams[50].exam, step="synthesis", reason="no room"),
            Refusal(exam=exams[51].exam, step="cohort", reason="alone"),
        ),
    )


def test_each_cohort_has_its_pages_and_pictures(cohort) -> None:
    files = quality_files([cohort, CohortResult(name="derived")])
    assert all(name.startswith("quality/main/") for name in files)
    assert sum("/images/" in name for name in files) == 79
    assert [name for name in files if "/refused/" in name] == [
        "quality/main/refused/selost3missing-slice.png"
    ]
    page = files["quality/main/index.html"].decode()
    assert page.count("<img ") == 79
    assert page.count("1400 ml · 34 HU") == 80
    assert "80 exams: 9 not used, 9 with flags" in page
    assert page.index("cut &lt;top&gt;") < page.index("<h2>GE (31)</h2>")
    assert '<a href="../../index.html">Report</a>' in page


def test_links_are_to_pages_that_are_there(cohort) -> None:
    assert {address for address, _ in quality_links(cohort)} <= set(quality_files([cohort]))
    assert quality_links(CohortResult(name="derived")) == ()


def test_what_is_lost_by_the_masks_counts_and_what_matching_leaves_out_does_not(cohort) -> None:
    table = losses_table([cohort])
    keys = [column.key for column in table.columns]
    rows = {row[1]: dict(zip(keys, row, strict=True)) for row in table.rows}
    assert list(rows) == ["any reason", "missing-slice", "skullstrip: cut <top>", "synthesis: no room"]
    assert {(row["GE_exams"], row["Siemens_exams"]) for row in rows.values()} == {(50, 40)}
    assert [row["GE_lost"] for row in rows.values()] == [19, 10, 9, 0]
    assert [row["Siemens_lost"] for row in rows.values()] == [1, 0, 0, 1]
    assert rows["any reason"]["p_lost"] < 0.01 < 0.4 < rows["synthesis: no room"]["p_lost"]
    first, *others = loss_warnings(cohort)
    assert first.startswith("Exams of GE were lost more often than of Siemens: 19 of 50 against 1 of 40 (p ")
    assert len(others) == 2


def test_cohorts_with_other_manufacturers_share_a_table(cohort) -> None:
    other = CohortResult(name="other", ledger=(series("e1", "chosen", "Canon"),))
    table = losses_table([cohort, other, CohortResult(name="derived")])
    row = dict(zip([column.key for column in table.columns], table.rows[-1], strict=True))
    assert (row["cohort"], row["GE_exams"], row["GE_lost"], row["Canon_exams"]) == ("other", None, None, 1)
    assert losses_table([]).rows == ()


def test_the_report_links_to_the_pages_and_warns(complete, cohort) -> None:
    report = build_report(replace(complete, cohorts=(cohort, *complete.cohorts[1:])))
    page = unescape(report["index.html"].decode())
    for address, text in quality_links(cohort):
        assert f'<a href="{address}">{text}</a>' in page
        assert address in report
    assert loss_warnings(cohort)[0] in page
    # At the top too: who was lost decides whom the answer is about.
    assert loss_warnings(cohort)[0] in json.loads(report["metrics.json"])["warnings"]
    (name,) = (name for name in report if name.endswith("losses-by-manufacturer.csv"))
    assert report[name].decode().count("\n") >= 5
    assert b"missing-slice" in report["tables/cohort-flow.csv"]
    assert flow_table((cohort,)).rows


def test_a_page_takes_less_than_a_kilobyte_an_exam(cohort) -> None:
    assert len(quality_files([cohort])["quality/main/index.html"]) < 1_000 * len(cohort.exams)
