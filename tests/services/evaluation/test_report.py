"""The report: one page and files that say what the analysis found, whatever of a campaign there is."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from nameplate.errors import StoreError
from nameplate_evaluation.limits import limits_of
from nameplate_evaluation.measure import contrast_of
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
def metrics(report):
    return json.loads(report["metrics.json"])


@pytest.fixture(scope="module")
def page(report):
    return words(report["index.html"])


def _named(report, ending):
    (name,) = [name for name in report if name.endswith(f"{ending}.csv")]
    return list(csv.DictReader(io.StringIO(report[name].decode())))


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


# What the page says first.


def test_the_page_leads_with_the_sentence_and_what_it_is_about(complete, ask, page):
    answer = ask(complete).answer
    assert answer.sentence.startswith("In simulated heads, a network does better")
    assert answer.scope
    start = page.index(answer.sentence)
    assert (
        start
        < page.index(answer.scope)
        < page.index("What it rests on")
        < page.index("What else the numbers say")
    )
    for line in answer.warnings:
        assert line in page


def test_what_the_sentence_rests_on_and_what_nothing_shows_stand_below_it(complete, ask, page):
    found = ask(complete)
    assert [word for word, _ in found.answer.rests_on][:1] == ["Null control"]
    for word, line in found.answer.rests_on:
        assert f"{word} {line}" in page
    assert page.index("What it rests on") < page.index("What this does not show")
    for line in limits_of(found.analysis):
        assert line in page


def test_the_controls_have_a_table_with_their_verdicts(complete, ask, report):
    checks = ask(complete).checks
    rows = _named(report, "controls")
    assert [(row["role"], row["experiment"], row["verdict"]) for row in rows] == [
        ("null control", check.controls, check.verdict) for check in checks
    ]
    assert {check.controls for check in checks} == {"naming", "spheres"}


def test_description_is_said_to_be_none_of_the_tests(page, metrics):
    assert "What else the numbers say Description, not tested." in page
    for line in metrics["findings"]:
        assert line in page


def test_nothing_is_read_from_an_interval_in_words(report):
    for name in ("index.html", "metrics.json"):
        text = report[name].decode()
        for claim in ("excludes zero", "contains zero", "the evidence is mixed", "significant"):
            assert claim not in text, (name, claim)


def test_the_papers_plus_minus_is_not_printed(report, page):
    """Read as standard deviations they are too small: the page says so, and prints the means alone."""
    assert "too small to be standard deviations of runs" in page
    for name, data in report.items():
        if name.startswith("tables/") and "paper" in data.decode().splitlines()[0]:
            header = data.decode().splitlines()[0].split(",")
            assert not any("paper" in column and column.endswith("_sd") for column in header), name
    rows = re.findall(r'<td class="num paper">(.*?)</td>', report["index.html"].decode())
    assert len(rows) > 100
    assert not any("±" in cell for cell in rows)


def test_intervals_are_said_to_be_over_runs_and_patients(page):
    assert "95 % interval over runs and patients" in page.replace("\xa0", " ")
    assert "Every interval is over training runs and patients" in page


# Numbers for others.


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
    own = [row for row in _named(report, "own-advantage") if row["role"] == "study"]
    assert [float(row["auroc_paper"]) for row in own[:3]] == pytest.approx([0.031, 0.051, 0.114])


def test_metrics_json_holds_the_answer_and_every_table(complete, ask, report, metrics):
    csvs = {name.removeprefix("tables/") for name in report if name.startswith("tables/")}
    assert {f"{name}.csv" for name in metrics["tables"]} == csvs
    answer = ask(complete).answer
    assert (metrics["answer"], metrics["scope"]) == (answer.sentence, answer.scope)
    assert metrics["warnings"] == list(answer.warnings)
    assert metrics["rests_on"] == dict(answer.rests_on)
    assert metrics["analysis"] == complete.campaign.analysis.model_dump(mode="json")


def test_metrics_json_says_how_much_of_the_variance_is_runs_and_how_much_patients(complete, ask, metrics):
    claim = ask(complete).claim
    for scale, one in (("auroc", claim.advantage), ("probit", claim.probit)):
        for name, estimate in (("advantage", one.overall), ("growth", one.growth)):
            found = metrics["claim"][scale][name]
            for key in ("mean", "low", "high", "p", "detectable", "run_share"):
                assert found[key] == pytest.approx(getattr(estimate, key), rel=1e-8), (scale, name, key)
    contrast = contrast_of(claim.advantage.overall_parts)
    share = metrics["claim"]["auroc"]["advantage"]["run_share"]
    assert share == pytest.approx(contrast.runs / (contrast.runs + contrast.cases))
    runs, patients = re.search(
        r"(\d+) % of the variance is that of runs, (\d+) % that of patients",
        metrics["rests_on"]["Runs and patients"],
    ).groups()
    assert (int(runs), int(patients)) == (round(100 * share), round(100 * (1 - share)))
    assert (metrics["claim"]["kind"], metrics["claim"]["controlled"]) == (claim.kind, claim.controlled)
    assert set(metrics["claim"]["null_controls"]) == {"twins"}


def test_age_and_sex_are_shown_before_and_after_matching(report):
    rows = _named(report, "age-sex")
    assert {row["stage"] for row in rows} == {"before matching", "after matching"}
    assert all(int(row["exams"]) > 0 for row in rows)


# Text from outside.


def test_text_from_outside_is_escaped(complete, quick_report):
    evil = "<img src=x onerror=alert(1)>"
    results = replace(
        complete,
        provenance={evil: evil},
        campaign_text=complete.campaign_text + f"# {evil}",
        examples=tuple(replace(e, title=evil, caption=evil, level=evil) for e in complete.examples),
    )
    page = quick_report(results)["index.html"].decode()
    assert evil not in page
    assert "&lt;img src=x onerror" in page
    assert "&lt;made up &amp; small&gt;" in page


def test_names_of_levels_are_escaped_in_pictures_and_kept_from_formulas(plant):
    factor = {"name": "kernel", "levels": ["K<b>&$x$", "-2"]}
    report = build_report(plant(own=(2.0,), other=(1.0,), runs=2, exams=20, factor=factor))
    page = report["index.html"].decode()
    assert "<b>&$" not in page
    assert "K&lt;b&gt;&amp;$x$" in page
    rows = list(csv.reader(io.StringIO(report["tables/table-1-exams.csv"].decode())))
    assert {row[1] for row in rows[1:]} == {"K<b>&$x$", "'-2"}
    assert not any("paper" in column for column in rows[0])


# Campaigns that are not complete, or of another shape.


def without(results, gone):
    """The campaign with the cells for which ``gone`` holds left without a converged run."""
    cells = []
    for cell in results.cells:
        if gone(cell):
            selection = cell.selection.model_copy(update={"kept": (), "converged": 0, "finished": "limit"})
            cell = replace(cell, rounds=(selection,), predictions={})
        cells.append(cell)
    return replace(results, cells=tuple(cells))


def test_cells_without_kept_runs_are_said_to_have_none(complete, quick_report):
    page = words(quick_report(without(complete, lambda c: c.key[2:4] == ("hard", "Siemens")))["index.html"])
    assert "No run converged in 1 of the cells: hard, trained on Siemens." in page
    assert "hard is not part of the answer" in page
    assert "none of" in page


def test_nothing_converged_is_no_answer(complete, quick_report):
    report = quick_report(without(complete, lambda c: True))
    page = words(report["index.html"])
    assert "No answer yet" in page
    assert "cannot tell (AUROC of naming the manufacturer, group 1: no run was kept)" in page
    assert json.loads(report["metrics.json"])["claim"] is None


@pytest.mark.parametrize("experiment", ["naming", "spheres", "segmentation"])
def test_one_experiment_alone_without_its_controls(complete, quick_report, experiment):
    cells = tuple(cell for cell in complete.cells if cell.key[0] == experiment and cell.key[1] == "main")
    page = words(quick_report(replace(complete, cells=cells, examples=()))["index.html"])
    assert ("No answer yet" in page) == (experiment != "spheres")
    assert ("without a control that could have shown otherwise" in page) == (experiment == "spheres")
    assert "There is no null control" in page
    assert "The campaign has no controls, or they have no results yet." in page


def test_controls_alone_have_no_answer(complete, quick_report):
    cells = tuple(cell for cell in complete.cells if cell.key[1] == "twins")
    report = quick_report(replace(complete, cells=cells, examples=()))
    assert "No answer yet: the campaign has no results of a classification" in words(report["index.html"])
    assert len(_named(report, "controls")) == 3


@pytest.mark.parametrize("place", range(0, 24, 5))
def test_any_single_cell_makes_a_whole_page(complete, quick_report, place):
    cell = complete.cells[place % len(complete.cells)]
    page = quick_report(replace(complete, cells=(cell,), examples=()))["index.html"]
    assert "No answer yet" in words(page)


def test_runs_without_predictions_make_a_whole_page(complete, quick_report):
    """Selected, and not yet predicted."""
    cells = tuple(replace(cell, predictions={}) for cell in complete.cells)
    report = quick_report(replace(complete, cells=cells))
    assert "No answer yet" in words(report["index.html"])
    assert report["predictions.csv"].count(b"\n") == 1


def test_one_run_a_cell_makes_a_whole_page(plant, quick_report):
    report = quick_report(plant(own=(2.0, 1.0), other=(1.0, 0.5), runs=1, twins=True, machine=1.0))
    page = words(report["index.html"])
    assert "a cell has one run, and from one run nothing can be said" in page
    assert json.loads(report["metrics.json"])["claim"]["kind"] == "one run"


def test_perfect_networks_make_a_whole_page(plant, quick_report):
    page = words(quick_report(plant(own=(99, 99), runs=2, twins=True))["index.html"])
    assert "In simulated heads, no answer yet: every task is at the ceiling" in page
    assert "The machine alone changed 0.0 % of the easy answers, 0.0 % of the medium answers." in page
    assert "0.0 to 0.0" not in page
    assert "0.00 to 0.00" not in page


def test_level_without_results_leaves_the_page_whole(complete, quick_report):
    factor = complete.campaign.factor.model_copy(update={"levels": ("GE", "Siemens", "Philips")})
    results = replace(complete, campaign=complete.campaign.model_copy(update={"factor": factor}))
    report = quick_report(results)
    assert "No answer yet" in words(report["index.html"])
    pairs = {row["pair"] for row in _named(report, "gaps")}
    assert pairs == {"GE \u2212 Siemens"}


def test_two_experiments_on_one_cohort_make_one_whole_page(plant):
    """As the shipped campaigns have: their pictures' ids must differ."""
    more = [{"name": "other", "title": "Other network", "cohorts": ["study"]}]
    results = plant(own=(2.0,), other=(1.0,), runs=2, exams=20, val=4, twins=True, machine=0.5, more=more)
    ids = read(build_report(results)["index.html"]).ids
    assert len(set(ids)) == len(ids)


def test_a_campaign_of_many_tasks_has_its_curve_on_the_page(plant, quick_report):
    report = quick_report(plant(own=(3,) * 6, other=(3, 2.9, 2.5, 2, 1.5, 1), runs=2, exams=20, val=4))
    assert len(_named(report, "curve")) == 6
    assert "Advantage by difficulty, of manufacturer" in words(report["index.html"])


def test_empty_campaign(complete, quick_report):
    report = quick_report(replace(complete, cells=(), cohorts=(), examples=(), provenance={}))
    page = words(report["index.html"])
    assert "No answer yet" in page
    assert "Nothing yet." in page
    assert "What this does not show" in page


def test_runs_that_predicted_other_exams_are_refused(complete, quick_report):
    cell = next(cell for cell in complete.cells if len(cell.selection.kept) > 1)
    seed = cell.selection.kept[1]
    fewer = {**cell.predictions, seed: cell.predictions[seed][1:]}
    with pytest.raises(StoreError, match="different exams"):
        quick_report(replace(complete, cells=(replace(cell, predictions=fewer),)))
