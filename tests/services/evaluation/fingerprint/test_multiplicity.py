import numpy as np
import pytest

from nameplate_evaluation.fingerprint.multiplicity import step_down


def slow(observed: np.ndarray, null: np.ndarray) -> list[float]:  # type: ignore[type-arg]
    """Step by step, as in the book: the largest first, against the maximum of those that are left."""
    every = np.column_stack([observed, null])
    scaled = (observed - every.mean(1)) / every.std(1)
    drawn = (null - every.mean(1)[:, None]) / every.std(1)[:, None]
    left, adjusted, before = list(range(len(observed))), {}, 0.0
    while left:
        best = max(left, key=lambda n: scaled[n])
        maximum = [max(drawn[n, d] for n in left) for d in range(null.shape[1])]
        p = (1 + sum(m >= scaled[best] for m in maximum)) / (1 + null.shape[1])
        adjusted[best] = before = max(before, p)
        left.remove(best)
    return [adjusted[n] for n in range(len(observed))]


def test_it_is_the_procedure_of_the_book() -> None:
    random = np.random.default_rng(2)
    null = random.normal(0.5, [[0.03], [0.05], [0.02], [0.03]], (4, 99))
    observed = np.array([0.58, 0.59, 0.51, 0.55])
    found = step_down(observed, null)
    assert found.family.tolist() == pytest.approx(slow(observed, null))
    single = [(1 + (row >= value).sum()) / 100 for row, value in zip(null, observed, strict=True)]
    assert found.single.tolist() == pytest.approx(single)
    assert (found.family >= found.single).all()


def test_one_probe_alone_needs_no_correction_and_copies_cost_nothing() -> None:
    null = np.random.default_rng(2).normal(0.5, 0.04, (1, 999))
    observed = np.array([0.58])
    one = step_down(observed, null)
    assert one.family == pytest.approx(one.single)
    many = step_down(np.repeat(observed, 7), np.repeat(null, 7, axis=0))
    assert many.family == pytest.approx(np.repeat(one.single, 7))


def test_the_family_is_right_in_nineteen_of_twenty() -> None:
    random = np.random.default_rng(3)
    wrong = 0
    for _ in range(400):
        values = random.normal(size=(12, 200)) + random.normal(size=(1, 200))
        wrong += bool((step_down(values[:, 0], values[:, 1:]).family <= 0.05).any())
    assert wrong <= 400 * 0.05 + 3 * np.sqrt(400 * 0.05 * 0.95)


def test_a_probe_without_spread_is_never_found() -> None:
    found = step_down(np.array([0.5, 0.9]), np.stack([np.full(99, 0.5), np.linspace(0.4, 0.6, 99)]))
    assert found.family.tolist() == [1.0, 0.01]
    assert found.single.tolist() == [1.0, 0.01]
    assert step_down(np.zeros(0), np.zeros((0, 9))).family.size == 0
