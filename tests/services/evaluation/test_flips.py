"""Answers that flip between twins: none if the machine changes nothing, more the more it does."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.flips import flips_of


def flips(results):
    analysis = analyse(results)
    (grid,) = analysis.of_task("spheres")
    return flips_of(analysis, grid)


def test_a_machine_that_changes_nothing_flips_nothing(plant):
    found = flips(plant(own=(1.0, 0.5), twins=True, noise=0.0, run_sd=0.3))
    assert [(one.dataset, one.training_set) for one in found] == [
        (task, name) for task in ("easy", "medium") for name in ("", "GE", "Siemens")
    ]
    assert all(one.share.mean == 0 for one in found)


def test_the_more_a_machine_changes_the_more_answers_flip(plant):
    shares = [
        flips(plant(own=(1.0,), twins=True, noise=0.0, machine=machine, exams=100))[0].share.mean
        for machine in (0.0, 0.3, 1.0, 3.0)
    ]
    assert shares == sorted(set(shares))


def test_the_share_is_counted_by_head_and_averaged_over_runs_and_training_sets(plant):
    results = plant(own=(1.0,), twins=True, machine=1.0, runs=3)
    mean, *singles = flips(results)
    for one in singles:
        (cell,) = [
            c for c in results.cells if (c.cell.training_set, c.cell.cohort) == (one.training_set, "study")
        ]
        shares = []
        for rows in cell.predictions.values():
            answers = {}
            for row in rows:
                if row.split == "test":
                    answers.setdefault(row.patient, set()).add(row.score >= 0.5)
            assert len(answers) == 40
            shares.append(np.mean([len(found) > 1 for found in answers.values()]))
        assert one.share.mean == pytest.approx(np.mean(shares))
        assert (one.share.exams, one.share.models) == (80, 3)
    assert mean.share.mean == pytest.approx(np.mean([one.share.mean for one in singles]))
    assert mean.share.low < mean.share.mean < mean.share.high


def test_a_head_with_exams_of_one_level_alone_does_not_count(plant):
    results = plant(own=(1.0,), twins=True, machine=1.0, runs=2)
    cells = tuple(
        replace(
            cell,
            predictions={
                seed: tuple(r for r in rows if r.exam != "e-study-GE-000")
                for seed, rows in cell.predictions.items()
            },
        )
        for cell in results.cells
    )
    found = flips(replace(results, cells=cells))
    assert {one.share.exams for one in found} == {78}


def test_patients_scanned_twice_are_no_twins(plant):
    assert flips(plant(own=(1.0,), twice=20)) == ()


def test_without_a_training_set_of_every_level_there_is_no_mean_over_them(plant):
    results = plant(own=(1.0,), twins=True, training_sets=["mixed", "GE"], arms=[])
    assert [one.training_set for one in flips(results)] == ["", "mixed", "GE"]
    few = tuple(c for c in results.cells if c.cell.training_set == "mixed")
    assert [one.training_set for one in flips(replace(results, cells=few))] == ["mixed"]
