"""The sentence and what is said with it: every kind of claim in its words, and every reason for doubt."""

import re
from dataclasses import replace

import pytest

from nameplate.campaign.sources import FolderSource
from nameplate_evaluation.table import interval, printed

SIMULATED = "In simulated heads, "
GOLDEN = {
    "bias and growth": (
        {"own": (6, 4, 3.4), "other": (5.6, 2.4, 0.8)},
        "a network does better on the manufacturer it was trained on (# AUROC points, # to #), and more so on"
        " a harder task (# from easy to hard, # to #, also on a scale without a ceiling).",
    ),
    "bias and growth in points": (
        {"own": (3.4, 3.2, 3.0), "other": (2.2, 2.0, 1.8)},
        "a network does better on the manufacturer it was trained on (# AUROC points, # to #), and loses more"
        " points on a harder task (# from easy to hard, # to #), as an equal effect would when a task leaves"
        " the ceiling: that it relies more on the manufacturer there is not shown.",
    ),
    "bias": (
        {"own": (3.4, 2.8, 2.2), "other": (1.6, 1.5, 1.4)},
        "a network does better on the manufacturer it was trained on (# AUROC points, # to #). That this"
        " changes with difficulty is not shown (# from easy to hard, # to #; a change of # points would have"
        " been found in four campaigns of five).",
    ),
    "small": (
        {"own": (3, 2.5, 2), "exams": 100, "noise": 0.1, "run_sd": 0.02},
        "trained on one manufacturer, a network does as well on the others: the difference is within"
        " ±2.0 AUROC points (# AUROC points, # to #).",
    ),
    "none": (
        {"own": (3, 2.5, 2), "run_sd": 0.5, "noise": 1},
        "it is not shown that the manufacturer of the training exams matters (# AUROC points, # to #). With"
        " 4 runs a cell and 80 test exams, an advantage of # points would have been found in four campaigns"
        " of five; the paper's is 6.5.",
    ),
    "negative": (
        {"own": (2, 2, 2), "other": (3, 3, 3)},
        "networks do worse on the manufacturer they were trained on (# AUROC points, # to #): look for an"
        " error before you believe it.",
    ),
    "at the ceiling": (
        {"own": (4, 4, 4), "other": (4, 4, 4)},
        "no answer yet: every task is at the ceiling, too easy for the manufacturer of the training exams to"
        " make a difference (# AUROC points, # to #).",
    ),
    "one run": (
        {"own": (3, 2.5, 2), "other": (2, 1.5, 0.5), "runs": 1},
        "no answer yet: the advantage of the manufacturer that was trained on is # AUROC points here, but a"
        " cell has one run, and from one run nothing can be said of networks that are trained again.",
    ),
}


def pattern(golden):
    """The golden sentence with any number for each #."""
    return re.escape(golden).replace(r"\#", r"[+\u2212]?\d+\.\d")


@pytest.fixture(scope="module")
def bias(plant, ask):
    """A campaign with a positive control, and what it says."""
    controls = {"null-control": 0.0, "positive-control": 1.0}
    return ask(plant(**GOLDEN["bias and growth"][0], controls=controls))


def lines_of(found):
    return dict(found.answer.rests_on)


@pytest.mark.parametrize("kind", list(GOLDEN))
def test_each_kind_of_claim_has_its_sentence(plant, ask, kind):
    settings, golden = GOLDEN[kind]
    found = ask(plant(**settings))
    assert found.claim.kind == kind
    assert re.fullmatch(SIMULATED + pattern(golden), found.answer.sentence), found.answer.sentence
    scope = "This is about networks trained by this protocol, and about patients like these."
    assert found.answer.scope == (scope if kind not in ("one run", "at the ceiling") else "")


def test_networks_that_say_the_same_of_every_exam_give_no_answer(plant, ask):
    results = plant(own=(1.0,), runs=2)
    cells = tuple(
        replace(
            cell,
            predictions={
                seed: tuple(row.model_copy(update={"score": 0.5}) for row in rows)
                for seed, rows in cell.predictions.items()
            },
        )
        for cell in results.cells
    )
    found = ask(replace(results, cells=cells))
    assert (
        found.answer.sentence == "In simulated heads, no answer yet: every run says the same of every exam."
    )
    assert [check.verdict for check in found.checks] == ["cannot tell"]


def test_the_numbers_of_the_sentence_are_those_of_the_claim(bias):
    overall, growth = bias.claim.advantage.overall, bias.claim.advantage.growth
    for estimate in (overall, growth):
        assert f"{printed(estimate.mean, 'points')} " in bias.answer.sentence
        assert interval(estimate, "points") in bias.answer.sentence


def test_without_a_task_to_grow_to_nothing_is_said_on_growth(plant, ask):
    found = ask(plant(own=(2.5,), other=(1.0,)))
    assert found.claim.kind == "bias"
    assert found.answer.sentence.endswith("Nothing can be said on how this changes with difficulty.")


def test_the_margin_of_the_campaign_is_in_the_sentence(plant, ask):
    found = ask(plant(**GOLDEN["small"][0], analysis={"margin": {"auroc": 0.035}}))
    assert "the difference is within ±3.5 AUROC points" in found.answer.sentence


def test_another_factor_is_named_and_not_compared_with_the_paper(plant, ask):
    factor = {"name": "kernel", "levels": ["H30s", "SOFT"]}
    found = ask(plant(**GOLDEN["none"][0], factor=factor))
    assert "it is not shown that the kernel of the training exams matters" in found.answer.sentence
    assert "paper" not in found.answer.sentence


def test_clinical_exams_are_not_called_simulated(bias, ask):
    results = bias.analysis.results
    cohorts = {
        name: cohort.model_copy(update={"source": FolderSource(path="exams")})
        for name, cohort in results.campaign.cohorts.items()
    }
    found = ask(replace(results, campaign=results.campaign.model_copy(update={"cohorts": cohorts})))
    assert found.answer.sentence.startswith("A network does better")
    assert not any("simulated" in line for line in (*found.answer.warnings, *lines_of(found)))
    assert "Differences" not in lines_of(found)


def test_simulated_exams_are_said_to_show_nothing_about_real_scanners(bias):
    assert bias.answer.warnings[0].startswith("The exams are simulated: ")
    assert "nothing about real scanners" in bias.answer.warnings[0]


# Controls.


def test_with_a_control_that_could_have_shown_otherwise_the_claim_stands_alone(bias):
    assert bias.answer.sentence.startswith("In simulated heads, a network does better")
    assert not any("control" in line for line in bias.answer.warnings)


@pytest.mark.parametrize("kind", ["bias and growth", "bias and growth in points", "bias"])
def test_a_claim_without_a_null_control_says_so_first(plant, ask, kind):
    found = ask(plant(**GOLDEN[kind][0], controls={}))
    prefix = "In simulated heads, without a control that could have shown otherwise: a network does better"
    assert found.answer.sentence.startswith(prefix)
    assert any(line.startswith("There is no null control") for line in found.answer.warnings)


@pytest.mark.parametrize("kind", ["small", "none", "negative", "one run"])
def test_what_is_no_claim_needs_no_control(plant, ask, kind):
    found = ask(plant(**GOLDEN[kind][0], controls={}))
    assert "could have shown otherwise" not in found.answer.sentence


def test_a_failing_null_control_stands_in_the_sentence(plant, ask):
    found = ask(plant(**GOLDEN["bias and growth"][0], controls={"null-control": 1.0}))
    prefix = "In simulated heads, not to be relied on, as the null control fails: a network does better"
    assert found.answer.sentence.startswith(prefix)
    (warning,) = [line for line in found.answer.warnings if "null control" in line]
    assert warning.startswith("The null control fails (own-manufacturer advantage in AUROC): an effect was")


def test_a_failing_null_control_of_another_experiment_is_a_warning_only(make, ask):
    found = ask(make(null_signal=2.0))
    assert {c.verdict for c in found.checks if c.metric == "naming"} == {"fails"}
    assert "not to be relied on" not in found.answer.sentence
    assert any(line.startswith("The null control fails (AUROC of naming") for line in found.answer.warnings)


def test_an_experiment_without_a_null_control_of_its_own_is_named(complete, ask):
    cells = tuple(c for c in complete.cells if c.key[:2] != ("spheres", "twins"))
    found = ask(replace(complete, cells=cells))
    assert any(
        line.startswith("The experiment spheres has no null control of its own")
        for line in found.answer.warnings
    )


def test_a_positive_control_that_is_not_found_is_said_to_be_unseen(plant, ask):
    controls = {"null-control": 0.0, "positive-control": 0.0}
    found = ask(plant(**GOLDEN["none"][0], controls=controls))
    (warning,) = [line for line in found.answer.warnings if "positive control" in line]
    assert "was not found (own-manufacturer advantage in AUROC): the method cannot see" in warning
    assert lines_of(found)["Positive control"].startswith(("fails (", "cannot tell ("))


# Reasons for doubt.


def test_patients_in_two_splits_are_reported(complete, ask):
    cohort = complete.cohorts[0]
    first = next(m for m in cohort.members if m.split == "train")
    double = first.model_copy(update={"exam": "e-again", "split": "test"})
    leaking = replace(cohort, members=(*cohort.members, double))
    found = ask(replace(complete, cohorts=(leaking, *complete.cohorts[1:])))
    assert any("1 patients of cohort main are in more than one split" in x for x in found.answer.warnings)


def test_a_task_that_is_missing_is_not_part_of_the_answer(plant, ask):
    results = plant(**GOLDEN["bias and growth"][0])
    gone = ("study", "medium", "Siemens")
    cells = tuple(
        cell
        for cell in results.cells
        if (cell.cell.cohort, cell.cell.dataset, cell.cell.training_set) != gone
    )
    found = ask(replace(results, cells=cells))
    assert (
        "Without kept runs of every training set, medium is not part of the answer." in found.answer.warnings
    )
    assert found.answer.sentence.endswith("Nothing can be said on how this changes with difficulty.")


def test_cells_in_which_no_run_converged_are_named(plant, ask):
    results = plant(**GOLDEN["bias and growth"][0])
    first, *others = results.cells
    none = first.selection.model_copy(update={"kept": (), "converged": 0})
    found = ask(replace(results, cells=(replace(first, rounds=(none,), predictions={}), *others)))
    assert "No run converged in 1 of the cells: easy, trained on GE." in found.answer.warnings


def test_the_papers_way_of_choosing_runs_is_said_to_make_an_advantage_out_of_nothing(plant, ask):
    found = ask(plant(**GOLDEN["bias"][0], choose_on="own"))
    (warning,) = [line for line in found.answer.warnings if "own manufacturer" in line]
    assert "makes an advantage out of nothing" in warning
    assert not any("out of nothing" in line for line in ask(plant(**GOLDEN["bias"][0])).answer.warnings)


def test_keeping_the_best_runs_is_said(plant, ask):
    rounds = {"first": 4, "target": 3, "keep": 2, "limit": 9}
    found = ask(plant(**GOLDEN["bias"][0], rounds=rounds))
    assert "Of the runs that converged, only the best 2 count." in found.answer.warnings


@pytest.mark.parametrize("sets", [("mixed",), ("mixed", "GE")])
def test_without_every_single_level_there_is_no_answer(complete, ask, sets):
    cells = tuple(c for c in complete.cells if c.key[0] == "spheres" and c.key[3] in sets)
    found = ask(replace(complete, cells=cells)).answer
    assert found.sentence == (
        "No answer yet: without kept runs of training on each manufacturer alone, the effect of the training"
        " set cannot be told from that of the test exams."
    )
    assert found.scope == ""


def test_without_sphere_classification_there_is_no_answer(complete, ask):
    cells = tuple(c for c in complete.cells if c.key[0] != "spheres")
    found = ask(replace(complete, cells=cells)).answer
    assert found.sentence == "No answer yet: the campaign has no results of a classification."
    assert (found.scope, "Power" in dict(found.rests_on)) == ("", False)


# What the sentence rests on.


def test_the_sentence_rests_on_controls_power_runs_and_patients(bias):
    lines = lines_of(bias)
    assert list(lines) == [
        "Null control",
        "Positive control",
        "Power",
        "Runs and patients",
        "Runs kept",
        "Differences",
    ]
    assert re.fullmatch(
        r"holds \(own-manufacturer advantage in AUROC [+\u2212]?\d\.\d, \S+ to \S+\)\.", lines["Null control"]
    )
    overall, growth = bias.claim.advantage.overall, bias.claim.advantage.growth
    assert lines["Power"] == (
        f"An advantage of {printed(overall.detectable, 'spread')} AUROC points, and a growth of"
        f" {printed(growth.detectable, 'spread')}, would have been found in four campaigns of five."
    )
    assert lines["Runs kept"] == "24 of 30 that were trained, 4 runs a cell."
    assert lines["Differences"] == "The manufacturers' simulated differences are of published size."


def test_where_the_scales_do_not_say_the_same_of_growth_both_are_told(plant, ask, bias):
    found = ask(plant(**GOLDEN["bias and growth in points"][0]))
    probit = found.claim.probit.growth
    line = lines_of(found)["Growth"]
    assert f"{printed(probit.mean, 'signed')} on the probit scale ({interval(probit, 'signed')})" in line
    assert "Growth" not in lines_of(bias)


def test_the_advice_is_on_the_larger_part_of_the_variance(plant, ask):
    by_runs = lines_of(ask(plant(own=(3, 2.5, 2), noise=2.0)))["Runs and patients"]
    by_patients = lines_of(ask(plant(own=(3, 2.5, 2), other=(2, 1.5, 0.5), noise=0.1, run_sd=0.0, runs=8)))[
        "Runs and patients"
    ]
    assert "four more runs a cell would help more than 40 more test exams" in by_runs
    assert "four more runs a cell would help less than 40 more test exams" in by_patients
    for line in (by_runs, by_patients):
        runs, patients = map(int, re.search(r"(\d+) % .* runs, (\d+) % .* patients", line).groups())
        assert runs + patients == 100
        assert (runs > 50) == (line is by_runs)


def test_different_numbers_of_runs_are_said(bias, ask):
    results = bias.analysis.results
    first, *others = results.cells
    kept = first.selection.model_copy(update={"kept": (0, 1)})
    found = ask(replace(results, cells=(replace(first, rounds=(kept,)), *others)))
    assert lines_of(found)["Runs kept"] == "22 of 30 that were trained, 2 to 4 runs a cell."


@pytest.mark.parametrize(
    ("study", "twins", "words"),
    [
        ({"signature": 0.0}, False, "none: one machine under several names."),
        ({"signature": 2.5}, False, "2.5 times published size."),
        (
            {"signature": 0.0, "effects": {"noise": 2.0, "field_of_view": 1.0}},
            False,
            "noise 2 times, field of view 1 times published size, and no other.",
        ),
        ({"effects": {"bias": 6.0}}, False, "of published size, but for bias 6 times."),
        ({}, True, "of published size. Every head was scanned by every manufacturer."),
    ],
)
def test_the_dial_of_simulated_differences_is_said(plant, ask, study, twins, words):
    found = ask(plant(own=(2.5,), other=(1.5,), runs=2, study=study, twins=twins))
    assert lines_of(found)["Differences"] == f"The manufacturers' simulated differences are {words}"
