from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from nameplate.image.fingerprint.slices import Missing
from nameplate.steps.training import Prediction
from nameplate.streams import stream
from nameplate_evaluation.analysis import Analysis, ResultGrid
from nameplate_evaluation.fingerprint.draws import Labels, Subject, labels_of
from nameplate_evaluation.fingerprint.features import NOT_KEPT, Features
from nameplate_evaluation.fingerprint.networks import RunsProbe, network_probes, pooled
from nameplate_evaluation.fingerprint.probe import probe_features
from nameplate_evaluation.results import CellResult

DRAWS = 200


def with_rows(
    analysis: Analysis,
    change: Callable[[Sequence[Prediction]], Sequence[Prediction]],
    features: Callable[[Features], Features] = lambda found: found,
) -> Analysis:
    """The study's analysis with changed predictions and features in every run."""

    def changed(cell: CellResult) -> CellResult:
        return replace(
            cell,
            predictions={seed: tuple(change(rows)) for seed, rows in cell.predictions.items()},
            features={seed: features(found) for seed, found in cell.features.items()},
        )

    def in_grid(grid: ResultGrid) -> ResultGrid:
        return replace(
            grid, cells=tuple(replace(figures, cell=changed(figures.cell)) for figures in grid.cells)
        )

    return replace(analysis, grids=tuple(in_grid(grid) for grid in analysis.grids if grid.cohort == "study"))


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
    analysis = with_measures(0.0).analysis  # type: ignore[attr-defined]
    kept = {
        member.exam
        for n, member in enumerate(analysis.results.cohorts[0].members)
        if member.split == "test" and not (member.level == "GE" and member.positive and n % 3)
    }
    fewer = with_rows(analysis, lambda rows: [row for row in rows if row.exam in kept])
    cells = network_probes(fewer, "study", DRAWS)
    overall = cells[0].overall
    assert isinstance(overall, RunsProbe)
    assert overall.aurocs.mean() > np.quantile(overall.null, 0.975)
    # Seven or eight positives of one level are too few to be probed apart, and it says so.
    assert isinstance(cells[0].within, Missing)
    assert "GE" in cells[0].within.reason


def test_a_patients_exams_of_both_classes_do_not_count_twice(with_measures: Callable[..., object]) -> None:
    made = with_measures(0.0)
    analysis = made.analysis  # type: ignore[attr-defined]
    # Every patient gets a positive and a negative exam of the same level, with the same features.
    patients: dict[str, str] = {}
    seen: Counter[tuple[str, bool]] = Counter()
    test = [member for member in analysis.results.cohorts[0].members if member.split == "test"]
    for member in test:
        seen[member.level, member.positive] += 1
        patients[member.exam] = f"{member.level} {seen[member.level, member.positive]}"
    own = {patient: stream(8, patient).normal(size=6) for patient in patients.values()}
    paired = with_rows(
        analysis,
        lambda rows: [
            row.model_copy(update={"patient": patients.get(row.exam, row.patient)}) for row in rows
        ],
        lambda found: Features(
            found.exams, np.array([own[patients[exam]] for exam in found.exams], dtype=np.float32)
        ),
    )
    positives = [m for m in test if m.positive]
    labels = labels_of(
        [Subject(m.exam, patients[m.exam], m.level) for m in positives], analysis.levels, 5, ("alone",), 1000
    )
    assert isinstance(labels, Labels)
    alone = probe_features(
        labels, np.array([own[patients[exam]] for exam in labels.exams], dtype=np.float32)
    ).null
    for cell in network_probes(paired, "study", 1000):
        assert isinstance(cell.within, RunsProbe)
        # Two classes that say the same are one: were they permuted apart, this would be 0.71 times as wide.
        assert cell.within.null.std() == pytest.approx(alone.std(), rel=0.1)


def test_all_cells_have_the_same_draws(with_measures: Callable[..., object]) -> None:
    made = with_measures(0.0)
    analysis = made.analysis  # type: ignore[attr-defined]
    exams = [member.exam for member in analysis.results.cohorts[0].members if member.split == "test"]
    values = stream(9, "features").normal(size=(len(exams), 6)).astype(np.float32)
    same = with_rows(analysis, list, lambda _: Features(tuple(exams), values))
    cells = list(network_probes(same, "study", DRAWS))
    # One cell lacks some exams: the draws of the others stay, and its own are a part of them.
    (grid,) = same.grids
    first, *others = grid.cells
    cut = {
        seed: tuple(row for row in rows if row.exam not in exams[:3])
        for seed, rows in first.cell.predictions.items()
    }
    less = replace(first, cell=replace(first.cell, predictions=cut))
    fewer = replace(same, grids=(replace(grid, cells=(less, *others)),))
    cells += network_probes(fewer, "study", DRAWS)
    for found in ("overall", "within"):
        one, two, part, other = (getattr(cell, found) for cell in cells)
        assert (one.null == two.null).all()
        assert (other.null == two.null).all()
        assert 0.4 < np.corrcoef(part.null, two.null)[0, 1] < 1


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
