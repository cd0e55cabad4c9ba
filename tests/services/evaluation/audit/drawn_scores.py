"""Tables of scores as people have them, with known gaps between manufacturers."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

Rows = list[dict[str, Any]]


def drawn_rows(
    exams: int = 600, *, gap: float = 0.0, seed: int = 1, runs: int = 0, dice: bool = False
) -> Rows:
    """A row an exam (and run): of Siemens exams, positives score ``gap`` standard deviations lower."""
    random = np.random.default_rng(seed)
    rows = []
    for exam in range(exams):
        maker = str(random.choice(["GE", "Siemens", "Philips"], p=[0.4, 0.4, 0.2]))
        kernels = {"GE": ["soft"], "Siemens": ["soft", "sharp"], "Philips": ["soft", "sharp"]}[maker]
        label = int(random.random() < 0.4)
        level = (1.6 - gap * (maker == "Siemens")) * label - 0.8
        known = {
            "exam": f"e{exam:04d}",
            "patient": f"p{exam // 2:04d}",
            "manufacturer": maker,
            "kernel_class": str(random.choice(kernels)),
            "age": int(random.normal(60, 15)),
            "site": int(random.integers(1, 4)),
        }
        for run in range(max(1, runs)):
            row = dict(known)
            if dice:
                row["dice"] = round(
                    float(np.clip(random.normal(0.9 - 0.1 * gap * (maker == "Siemens"), 0.03), 0, 1)), 4
                )
            else:
                row |= {"label": label, "score": round(float(norm.cdf(level + random.normal())), 5)}
            rows.append(row | ({"run": run} if runs else {}))
    return rows


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], delimiter: str = ",") -> Path:
    """Write rows as a CSV file."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path
