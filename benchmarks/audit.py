"""Whether an audit's intervals, verdicts and power hold what they promise, and what it costs.

    python benchmarks/audit.py [--tables 500] [--rows 100000]

Score tables are drawn from two levels with known AUROC (binormal), sensitivity and specificity; patients have
one to three exams whose scores are correlated. For each condition: the share of intervals of 95 % that hold
the true gap, the share of tables in which a gap is claimed, and how often a gap is found that is as large as
the audit says it would find in four of five. Then one table of many rows: seconds of the command, and memory.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from nameplate.campaign.field import FIELDS
from nameplate_evaluation.audit.audit import audited
from nameplate_evaluation.audit.score_table import ExamColumn, Network, ScoreTable
from nameplate_evaluation.audit.settings import AuditSettings

CORRELATION = 0.4
"""Of two exams of one patient, of one class."""
LEVELS = ("GE", "Siemens")


@dataclass(frozen=True)
class Condition:
    """Exams of each level, share of positives, AUROC of each level; runs of a network, and their SD."""

    name: str
    exams: tuple[int, int]
    positive: float
    auroc: tuple[float, float]
    runs: int = 1
    run_sd: float = 0.0


CONDITIONS = (
    Condition("balanced", (200, 200), 0.5, (0.85, 0.85)),
    Condition("few positives", (250, 150), 0.2, (0.85, 0.85)),
    Condition("small", (60, 60), 0.4, (0.80, 0.80)),
    Condition("near the ceiling", (200, 200), 0.4, (0.97, 0.97)),
    Condition("few, near the ceiling", (60, 60), 0.4, (0.97, 0.97)),
    Condition("a gap of 0.10", (200, 200), 0.4, (0.90, 0.80)),
    Condition("a gap, few exams", (120, 80), 0.4, (0.92, 0.80)),
    Condition("five runs", (200, 200), 0.4, (0.85, 0.85), runs=5, run_sd=0.15),
)


def drawn(condition: Condition, random: np.random.Generator) -> ScoreTable:
    """One table: thresholds cut the negatives of both levels at the same place."""
    level, patient, label, value = [], [], [], []
    runs = condition.run_sd * random.normal(size=(condition.runs, 2))
    for number, (exams, area) in enumerate(zip(condition.exams, condition.auroc, strict=True)):
        count = 0
        while count < exams:
            one = len(set(patient))
            of_patient = min(int(random.integers(1, 4)), exams - count)
            shared = random.normal()
            for _ in range(of_patient):
                positive = random.random() < condition.positive
                own = random.normal(size=condition.runs if condition.runs > 1 else 1)
                noise = np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own
                apart = np.sqrt(2) * norm.ppf(area) + runs[:, number]
                level.append(LEVELS[number])
                patient.append(one)
                label.append(positive)
                value.append(noise + positive * apart - 1)
            count += of_patient
    values = norm.cdf(np.array(value).T)
    names = tuple(f"e{place:05d}" for place in range(len(level)))
    return ScoreTable(
        exams=names,
        patient=np.array(patient),
        patients_known=True,
        labels=np.array(label),
        networks=(Network(name="", runs=tuple(map(str, range(len(values)))), values=values),),
        columns=(ExamColumn(field=FIELDS["manufacturer"], values=level),),
    )


def truths(condition: Condition) -> dict[str, tuple[float, float]]:
    """True figures of both levels at the threshold of one half; means over runs."""
    apart = [np.sqrt(2) * norm.ppf(area) for area in condition.auroc]
    spread = np.sqrt(1 + condition.run_sd**2)
    areas = [float(norm.cdf(d / np.sqrt(2 + condition.run_sd**2))) for d in apart]
    found = [float(norm.cdf((d - 1) / spread)) for d in apart]
    return {
        "auroc": (areas[0], areas[1]),
        "sensitivity": (found[0], found[1]),
        "specificity": (float(norm.cdf(1.0)),) * 2,
    }


def looked_at(condition: Condition, tables: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """By metric, of each table: whether the gap's and the levels' intervals hold, claimed, detectable."""
    true = truths(condition)
    rows: dict[str, list[tuple[float, float, float, float, float]]] = defaultdict(list)
    for number in range(tables):
        table = drawn(condition, np.random.default_rng([seed, number]))
        found = audited(table, AuditSettings(threshold=0.5)).networks[0].main
        for gap in found.gaps:
            if gap.metric not in true:
                continue
            first, second = true[gap.metric]
            sign = 1 if gap.first == LEVELS[0] else -1
            levels = [
                one.values[gap.metric].holds(true[gap.metric][LEVELS.index(one.level)])
                for one in found.of_level
            ]
            estimate = gap.estimate
            rows[gap.metric].append(
                (
                    float(estimate.holds(sign * (first - second)) or False),
                    float(np.mean(levels)),
                    float((estimate.p or 1) <= 0.05),
                    estimate.detectable or np.nan,
                    float((gap.p_holm or 1) <= 0.05),
                )
            )
    return {metric: np.array(found) for metric, found in rows.items()}


def statistics(tables: int) -> None:
    """Coverage and false claims of every condition, and the power that was stated."""
    print(
        f"{tables} tables a condition, intervals of 95 %; standard error of a share near 95 %: "
        f"{100 * np.sqrt(0.05 * 0.95 / tables):.1f}"
    )
    print(f"{'condition':<23}{'metric':<13}{'gap held':>9}{'level held':>11}{'claimed':>9}")
    for place, condition in enumerate(CONDITIONS):
        for metric, rows in looked_at(condition, tables, place).items():
            held, level, claimed = (100 * rows[:, column].mean() for column in (0, 1, 2))
            gap = truths(condition)[metric]
            word = "" if gap[0] == gap[1] else " (a gap)"
            print(f"{condition.name:<23}{metric:<13}{held:>8.1f}%{level:>10.1f}%{claimed:>8.1f}%{word}")
    print("power: a gap as large as the audit says it would find in four of five")
    for place, condition in enumerate(CONDITIONS[:5]):
        middle = condition.auroc[0]
        gap, largest = 0.0, 2 * (1 - middle)
        for _ in range(2):  # the variance changes with the gap
            pilot = Condition("", condition.exams, condition.positive, (middle + gap / 2, middle - gap / 2))
            stated = float(np.nanmean(looked_at(pilot, 100, 100 + place)["auroc"][:, 3]))
            gap = min(stated, 0.95 * largest)
        if stated > largest:
            print(f"  {condition.name:<23} gap {stated:.3f}: AUROCs around {middle} cannot be so far apart")
            continue
        pilot = Condition("", condition.exams, condition.positive, (middle + gap / 2, middle - gap / 2))
        rows = looked_at(pilot, tables, 200 + place)["auroc"]
        print(f"  {condition.name:<23} gap {gap:.3f}, stated 80 %, found {100 * rows[:, 2].mean():.1f} %")


def cost(count: int) -> None:
    """Seconds and memory of the command on one table of so many rows."""
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "scores.csv"
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(
                (
                    "exam",
                    "patient",
                    "label",
                    "score",
                    "manufacturer",
                    "kernel",
                    "thickness_mm",
                    "age",
                    "sex",
                    "site",
                )
            )
            for exam in range(count):
                label = int(random.random() < 0.3)
                rows.writerow(
                    (
                        f"e{exam}",
                        f"p{exam // 2}",
                        label,
                        f"{norm.cdf(random.normal() + label):.6f}",
                        random.choice(["GE", "Siemens", "Philips", "Canon"]),
                        random.choice(["soft", "sharp"]),
                        random.choice([1.25, 2.5, 5.0]),
                        int(random.normal(60, 15)),
                        random.choice(["F", "M"]),
                        f"site {random.integers(1, 9)}",
                    )
                )
        command = "import sys; from nameplate_local.cli import main; sys.exit(main())"
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", command, "audit", str(path), "--out", str(Path(name) / "out")],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        wall = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{count} rows, six columns, report included: {wall:.1f} s, {peak:.0f} MB")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=int, default=500)
    parser.add_argument("--rows", type=int, default=100_000)
    arguments = parser.parse_args()
    statistics(arguments.tables)
    cost(arguments.rows)


if __name__ == "__main__":
    main()
