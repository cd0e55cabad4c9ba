import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from nameplate.errors import StoreError
from nameplate_evaluation.report import build_report

VOID = {"meta", "br", "img", "link", "image", "path", "use", "ellipse"}


class Balanced(HTMLParser):
    """Checks that every element is closed, and keeps the ids, links and visible text."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if tag == "a" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


def read(page: bytes) -> Balanced:
    parser = Balanced()
    parser.feed(page.decode())
    assert parser.open == []
    return parser


def words(page: bytes) -> str:
    return re.sub(r"[ \n]+", " ", " ".join(read(page).text))


@pytest.fixture(scope="module")
def report(complete):
    return build_report(complete)


def test_same_results_give_the_same_bytes(complete, report):
    assert build_report(complete) == report


def test_page_is_one_safe_file(report):
    page = report["index.html"]
    found = read(page)
    assert len(page) < 5_000_000
    assert b"<script" not in page
    assert b"http://" not in page.replace(b"http://www.w3.org/", b"")
    assert len(set(found.ids)) == len(found.ids)
    for link in found.links:
        if link.startswith("#"):
            assert link[1:] in found.ids
        else:
            assert link in report


def test_every_reference_inside_a_picture_is_to_an_id_of_the_page(report):
    page = report["index.html"].decode()
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    used = set(re.findall(r'xlink:href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    assert used
    assert used <= ids


def test_tables_of_the_paper_carry_its_numbers(report):
    names = {name for name in report if name.startswith("tables/")}
    assert {f"tables/table-{n}" for n in ("1-exams", "2-factor", "3-spheres-mixed", "4-spheres-ge")} <= {
        name.removesuffix(".csv") for name in names
    }
    rows = list(csv.DictReader(io.StringIO(report["tables/table-4-spheres-ge.csv"].decode())))
    hard = next(row for row in rows if (row["task"], row["metric"]) == ("hard", "Accuracy"))
    assert (hard["ge_paper"], hard["siemens_paper"]) == ("0.881", "0.679")
    assert 0.5 < float(hard["ge_mean"]) < 1
    assert float(hard["ge_low"]) <= float(hard["ge_mean"]) <= float(hard["ge_high"])
    own = list(csv.DictReader(io.StringIO(report["tables/table-a-own-advantage.csv"].decode())))
    paper = [float(row["advantage_paper"]) for row in own if row["metric"] == "AUROC"]
    assert paper == pytest.approx([0.031, 0.051, 0.114])


def test_metrics_json_holds_the_answer_and_every_table(report):
    metrics = json.loads(report["metrics.json"])
    csvs = {name.removeprefix("tables/").removesuffix(".csv") for name in report if name.endswith(".csv")}
    assert set(metrics["tables"]) == csvs
    assert metrics["answer"].startswith("In simulated heads, a network does better")
    assert metrics["answer"] in words(report["index.html"])


def test_text_from_outside_is_escaped(make):
    evil = "<img src=x onerror=alert(1)>"
    results = make(levels=("GE", "Siemens"), resamples=100)
    results = replace(
        results,
        provenance={evil: evil},
        campaign_text=results.campaign_text + f"# {evil}",
        examples=tuple(replace(e, title=evil, caption=evil, level=evil) for e in results.examples),
    )
    page = build_report(results)["index.html"].decode()
    assert evil not in page
    assert "&lt;img src=x onerror" in page
    assert "&lt;made up &amp; small&gt;" in page


def test_names_of_levels_are_escaped_in_pictures_and_kept_from_formulas(make):
    report = build_report(make(factor="kernel", levels=("K<b>&$x$", "-2"), resamples=100))
    page = report["index.html"].decode()
    assert "<b>&$" not in page
    assert "K&lt;b&gt;&amp;$x$" in page
    rows = list(csv.reader(io.StringIO(report["tables/table-1-exams.csv"].decode())))
    assert {row[1] for row in rows[1:]} == {"K<b>&$x$", "'-2"}
    assert not any("paper" in column for column in rows[0])


def without(results, gone):
    """The campaign with the cells for which ``gone`` holds left without a converged run."""
    cells = []
    for cell in results.cells:
        if gone(cell):
            selection = cell.selection.model_copy(update={"kept": (), "converged": 0, "finished": "limit"})
            cell = replace(cell, rounds=(selection,), predictions={})
        cells.append(cell)
    return replace(results, cells=tuple(cells))


def test_cells_without_kept_models_are_said_to_have_none(complete):
    page = build_report(without(complete, lambda c: c.key[2:4] == ("hard", "Siemens")))["index.html"]
    assert "hard, trained on Siemens: no run converged, 0 of" in words(page)
    assert "none of" in words(page)
    assert "on medium ones" in words(page)


def test_nothing_converged_is_no_answer(complete):
    report = build_report(without(complete, lambda c: True))
    assert "No answer yet" in words(report["index.html"])
    assert "The null control is not measured" in words(report["index.html"])


@pytest.mark.parametrize("experiment", ["naming", "spheres", "segmentation"])
def test_one_experiment_alone(complete, experiment):
    cells = tuple(cell for cell in complete.cells if cell.key[0] == experiment and cell.key[1] == "main")
    page = build_report(replace(complete, cells=cells, examples=()))["index.html"]
    assert ("No answer yet" in words(page)) == (experiment != "spheres")
    assert "There is no null control" in words(page)


def test_level_without_results_leaves_the_page_whole(complete):
    factor = complete.campaign.factor.model_copy(update={"levels": ("GE", "Siemens", "Philips")})
    results = replace(complete, campaign=complete.campaign.model_copy(update={"factor": factor}))
    report = build_report(results)
    assert "No answer yet" in words(report["index.html"])
    assert b"GE \xe2\x88\x92 Siemens" in report["tables/table-a-gaps.csv"]
    assert b"Philips" not in report["tables/table-a-gaps.csv"]


def test_empty_campaign(complete):
    report = build_report(replace(complete, cells=(), cohorts=(), examples=(), provenance={}))
    assert "No answer yet" in words(report["index.html"])


def test_models_that_predicted_other_exams_are_refused(complete):
    cell = next(cell for cell in complete.cells if len(cell.selection.kept) > 1)
    seed = cell.selection.kept[1]
    fewer = {**cell.predictions, seed: cell.predictions[seed][1:]}
    with pytest.raises(StoreError, match="different exams"):
        build_report(replace(complete, cells=(replace(cell, predictions=fewer),)))


def test_age_and_sex_are_shown_before_and_after_matching(report):
    rows = list(csv.DictReader(io.StringIO(report[_named(report, "age-sex")].decode())))
    assert {row["stage"] for row in rows} == {"before matching", "after matching"}
    assert all(int(row["exams"]) > 0 for row in rows)


def _named(report, ending):
    (name,) = [name for name in report if name.endswith(f"{ending}.csv")]
    return name
