"""The paper's numbers as data, all as fractions of 1 (Biondetti et al. 2020, Tables 1 to 6)."""

from dataclasses import dataclass
from statistics import NormalDist

LEVELS = ("GE", "Siemens")
METRICS = ("accuracy", "specificity", "sensitivity", "auroc")

# Table 1: exams of each manufacturer by split: all, positives, negatives.
COUNTS = {"train": (276, 138, 138), "val": (34, 17, 17), "test": (81, 40, 41)}


@dataclass(frozen=True, slots=True)
class Printed:
    """A published mean with the number that the paper prints after "+-".

    The paper does not say what that number is. Read as a standard deviation it cannot be right (six
    accuracies out of 81 exams with mean 86.6 % differ by 0.46 points at least; the paper prints 0.1).
    Read as a variance of fractions, in percent, all of them fit: runs of one cell then differ by 3 to 10
    points of accuracy. It is kept here and printed nowhere.
    """

    mean: float
    after: float | None


# Table 2: by group; the mean of the best two models.
FACTOR: dict[int, dict[str, Printed]] = {
    0: {
        "accuracy": Printed(0.9811, 0.0065),
        "auroc": Printed(0.99, 0.01),
        "accuracy GE": Printed(0.9621, 0.0131),
        "accuracy Siemens": Printed(1.0, None),
    },
    1: {
        "accuracy": Printed(0.9886, 0.0125),
        "auroc": Printed(0.99, 0.01),
        "accuracy GE": Printed(0.9772, 0.0221),
        "accuracy Siemens": Printed(1.0, None),
    },
}

_Four = tuple[float, float, float, float]
# Tables 3 to 5 in percent: training set, task -> exams -> accuracy, specificity, sensitivity, AUROC.
_SPHERES: dict[tuple[str, str], dict[str, _Four]] = {
    ("mixed", "easy"): {
        "val": (98.8, 98.5, 99.0, 99.9),
        "mixed": (99.0, 98.1, 99.8, 99.6),
        "GE": (99.6, 99.6, 99.6, 100.0),
        "Siemens": (98.4, 96.6, 100.0, 99.2),
    },
    ("mixed", "medium"): {
        "val": (85.3, 89.7, 80.9, 90.0),
        "mixed": (84.1, 88.1, 80.8, 88.7),
        "GE": (86.6, 90.8, 82.5, 91.4),
        "Siemens": (81.5, 85.4, 77.6, 85.8),
    },
    ("mixed", "hard"): {
        "val": (70.6, 77.4, 73.7, 76.3),
        "mixed": (68.2, 76.5, 60.2, 77.9),
        "GE": (69.1, 77.5, 61.0, 80.1),
        "Siemens": (67.1, 75.4, 59.4, 75.8),
    },
    ("GE", "easy"): {
        "val": (99.5, 100.0, 99.1, 99.8),
        "GE": (98.6, 97.9, 99.2, 98.7),
        "Siemens": (83.3, 66.3, 100.0, 91.9),
    },
    ("GE", "medium"): {
        "val": (95.7, 98.0, 93.5, 98.2),
        "GE": (92.5, 92.1, 93.1, 97.4),
        "Siemens": (70.0, 47.9, 91.5, 82.6),
    },
    ("GE", "hard"): {
        "val": (92.9, 91.2, 94.4, 96.1),
        "GE": (88.1, 83.3, 92.7, 95.7),
        "Siemens": (67.9, 45.8, 89.4, 78.4),
    },
    ("Siemens", "easy"): {
        "val": (97.5, 97.1, 97.9, 99.1),
        "GE": (95.7, 98.3, 93.1, 97.5),
        "Siemens": (95.9, 97.1, 94.7, 96.9),
    },
    ("Siemens", "medium"): {
        "val": (84.3, 88.2, 80.2, 90.1),
        "GE": (84.0, 95.0, 73.2, 89.0),
        "Siemens": (78.0, 88.3, 67.9, 84.4),
    },
    ("Siemens", "hard"): {
        "val": (65.6, 73.5, 57.3, 73.1),
        "GE": (58.2, 90.0, 27.2, 71.7),
        "Siemens": (65.2, 88.3, 42.7, 77.2),
    },
}

# Table 6: Dice by training set and exams.
DICE: dict[str, dict[str, float]] = {
    "mixed": {"val": 0.9848, "GE": 0.9859, "Siemens": 0.9704, "mixed": 0.9784},
    "GE": {"val": 0.9712, "GE": 0.9689, "Siemens": 0.9664},
    "Siemens": {"val": 0.9702, "GE": 0.9564, "Siemens": 0.9715},
}


def spheres(training_set: str, dataset: str, exams: str, metric: str) -> float | None:
    """A number from Tables 3 to 5, or None if the paper has none."""
    row = _SPHERES.get((training_set, dataset), {}).get(exams)
    return None if row is None or metric not in METRICS else round(row[METRICS.index(metric)] / 100, 6)


def own_advantage(dataset: str, metric: str) -> float | None:
    """The paper's own-manufacturer advantage, computed from its Tables 4 and 5.

    Mean over the two single-manufacturer training sets of the result on their own test exams, minus
    the mean of the results on the other manufacturer's. ``metric`` may be 'probit', the AUROC's.
    """
    pairs = [(trained, tested) for trained in LEVELS for tested in LEVELS]
    values = {pair: spheres(pair[0], dataset, pair[1], _NAMES.get(metric, metric)) for pair in pairs}
    if metric == "probit":
        quantile = NormalDist().inv_cdf
        values = {pair: None if value is None else quantile(value) for pair, value in values.items()}
    own = [value for pair, value in values.items() if pair[0] == pair[1] and value is not None]
    other = [value for pair, value in values.items() if pair[0] != pair[1] and value is not None]
    if len(own) + len(other) < len(pairs):
        return None
    return sum(own) / len(own) - sum(other) / len(other)


TASKS = ("easy", "medium", "hard")
_NAMES = {"probit": "auroc"}
_WEIGHTS = (-1.0405, 0.0946, 0.9459)
"""Of the growth from easy to hard: a line through 0, 20 and 35 % of changed spheres."""


def mean_advantage(metric: str) -> float:
    """The paper's own-manufacturer advantage, averaged over its three tasks."""
    values = _advantages(metric)
    return sum(values) / len(values)


def growth(metric: str) -> float:
    """The growth of the paper's advantage from easy to hard."""
    return sum(weight * value for weight, value in zip(_WEIGHTS, _advantages(metric), strict=True))


def _advantages(metric: str) -> list[float]:
    found = [own_advantage(task, metric) for task in TASKS]
    return [value for value in found if value is not None]
