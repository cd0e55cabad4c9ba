from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from nameplate.image.fingerprint.slices import Missing
from nameplate_evaluation.fingerprint.features import NOT_KEPT, Features
from nameplate_evaluation.fingerprint.networks import RunsProbe, network_probes, pooled

DRAWS = 200


def test_features_that_hold_the_level_name_it_over_all_and_within_class(
    with_measures: Callable[..., object],
) -> None:
    made = with_measures(2.0)
    cells = network_probes(made.analysis, "study", DRAWS)  # type: ignore[attr-defined]
    assert [(cell.training_set, cell.exams) for cell in cells] == [("GE", 80), ("Siemens", 80)]
    for cell in cells:
        for found in (cell.overall, cell.within):
            assert isinstance(found, RunsProbe)
            assert len(found.aurocs) == 2
            assert found.aurocs.min() > 0.85
            assert np.quantile(found.null, 0.975) < 0.7


def test_features_that_hold_only_the_answer_do_not(with_measures: Callable[..., object]) -> None:
    made = with_measures(0.0)
    for cell in network_probes(made.analysis, "study", DRAWS):  # type: ignore[attr-defined]
        for found in (cell.overall, cell.within):
            assert isinstance(found, RunsProbe)
            assert found.aurocs.mean() < np.quantile(found.null, 0.99)


def test_a_level_with_more_positives_is_named_by_the_answer_but_not_within_class(
    with_measures: Callable[..., object],
) -> None:
    made = with_measures(0.0)
    analysis, kept = made.analysis, []  # type: ignore[attr-defined]
    for n, member in enumerate(analysis.results.cohorts[0].members):
        if member.split == "test" and not (member.level == "GE" and member.positive and n % 3):
            kept.append(member.exam)
    grids = tuple(
        replace(
            grid,
            cells=tuple(
                replace(
                    figures,
                    cell=replace(
                        figures.cell,
                        predictions={
                            seed: tuple(row for row in rows if row.exam in kept)
                            for seed, rows in figures.cell.predictions.items()
                        },
                    ),
                )
                for figures in grid.cells
            ),
        )
        for grid in analysis.grids
    )
    cells = network_probes(replace(analysis, grids=grids), "study", DRAWS)  # type: ignore[attr-defined]
    overall = cells[0].overall
    assert isinstance(overall, RunsProbe)
    assert overall.aurocs.mean() > np.quantile(overall.null, 0.975)
    # Seven or eight positives of one level are too few to be probed apart, and it says so.
    assert isinstance(cells[0].within, Missing)
    assert "GE" in cells[0].within.reason


def test_runs_without_features_are_left_out_and_cells_without_any_say_so(
    with_measures: Callable[..., object],
) -> None:
    made = with_measures()
    some = made.with_features(lambda run, found: found if run.endswith("GE/g0/s001") else None)  # type: ignore
    first, second = network_probes(some.analysis, "study", DRAWS)
    assert isinstance(first.overall, RunsProbe)
    assert len(first.overall.aurocs) == 1
    assert (second.overall, second.within, second.exams) == (NOT_KEPT, NOT_KEPT, 0)
    for cell in network_probes(made.older().analysis, "study", DRAWS):  # type: ignore[attr-defined]
        assert cell.overall == NOT_KEPT


def test_the_order_of_the_features_exams_does_not_matter(with_measures: Callable[..., object]) -> None:
    made = with_measures()
    turned = made.with_features(  # type: ignore[attr-defined]
        lambda _, found: Features(found.exams[::-1], found.values[::-1])
    )
    one, other = (network_probes(of.analysis, "study", 50)[0].overall for of in (made, turned))  # type: ignore
    assert isinstance(one, RunsProbe)
    assert isinstance(other, RunsProbe)
    assert (one.aurocs == other.aurocs).all()
    assert (one.null == other.null).all()


def test_runs_of_several_cells_count_alike() -> None:
    parts = [
        RunsProbe(np.array([0.6, 0.8]), np.array([0.5, 0.7]), np.array([0.4, 0.5])),
        RunsProbe(np.array([0.9]), np.array([0.8]), np.array([0.7, 0.2])),
    ]
    whole = pooled(parts)
    assert whole.aurocs.tolist() == [0.6, 0.8, 0.9]
    assert whole.null == pytest.approx([0.5, 0.4])
