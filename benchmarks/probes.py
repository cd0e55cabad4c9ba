"""How often a probe finds what is not there, how often what is there, and how long probes take.

    python benchmarks/probes.py [--tries 300]

Null: three numbers of 60 exams that say nothing about the level, by how exams belong to patients. Inside: the
AUROC lies in the band of 95 % of the permuted labels'. Named: one-sided p of at most 0.05.

Power: one or eight numbers of normal exams, the levels so many standard deviations apart, and numbers that no
threshold separates. Beside the mean AUROC, the largest that any rule can reach.

Time: 45 groups of one to eight numbers with 2,000 permutations, on one core, for 480 and 782 exams; and 100
networks with 500 features each for 157 exams.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from nameplate.streams import stream
from nameplate_evaluation.fingerprint.design import Numbers
from nameplate_evaluation.fingerprint.draws import Labels, Subject, labels_of
from nameplate_evaluation.fingerprint.probe import Probe, probe, probe_features

Codes = NDArray[np.int_]
Draw = Callable[[np.random.Generator], tuple[Codes, Codes]]
"""Levels and patients of the exams."""
KINDS: dict[str, Draw] = {
    "one exam a patient": lambda random: (random.permutation([0, 1] * 30), np.arange(60)),
    "three alike of each patient": lambda random: (
        np.repeat(random.permutation([0, 1] * 10), 3),
        np.repeat(np.arange(20), 3),
    ),
    "twins": lambda random: (np.tile([0, 1], 30), np.repeat(np.arange(30), 2)),  # noqa: ARG005
    "one or two, of any levels": lambda random: (
        random.integers(0, 2, 60),
        np.concatenate([np.arange(30), 30 + np.repeat(np.arange(15), 2)]),
    ),
    "three levels": lambda random: (random.permutation([0, 1, 2] * 20), np.arange(60)),
}


def labelled(codes: Codes, patients: Codes, seed: int, draws: int) -> Labels:
    subjects = [
        Subject(f"e{n:04d}", f"p{patient:04d}", f"level {code}")
        for n, (code, patient) in enumerate(zip(codes, patients, strict=True))
    ]
    made = labels_of(subjects, sorted({s.level for s in subjects}), seed, ("benchmark",), draws)
    assert isinstance(made, Labels)
    return made


def probed(labels: Labels, rows: NDArray[np.float64], random: np.random.Generator) -> Probe:
    columns = [Numbers(f"n{n}", row, random.random(len(row))) for n, row in enumerate(rows)]
    made = probe(labels, columns)
    assert made is not None
    return made


def null(kind: str, tries: int) -> str:
    inside = named = 0
    for n in range(tries):
        random = stream(n, kind)
        codes, patients = KINDS[kind](random)
        labels = labelled(codes, patients, n, 999)
        own = 0.1 if kind.startswith("three alike") else 0.7
        rows = random.normal(size=(3, patients.max() + 1))[:, patients] + own * random.normal(size=(3, 60))
        made = probed(labels, rows, random)
        low, high = np.quantile(made.null, [0.025, 0.975])
        inside += bool(low <= made.auroc <= high)
        named += bool((1 + (made.null >= made.auroc).sum()) / 1000 <= 0.05)
    return f"{kind:30} inside {100 * inside / tries:5.1f} %   named {100 * named / tries:4.1f} %"


def power(name: str, exams: int, rows_of: Callable[[np.random.Generator, Codes], NDArray[np.float64]]) -> str:
    tries, found, areas = 60, 0, []
    for n in range(tries):
        random = stream(n, name)
        codes = random.permutation([0, 1] * (exams // 2))
        made = probed(labelled(codes, np.arange(exams), n, 199), rows_of(random, codes), random)
        areas.append(made.auroc)
        found += bool((1 + (made.null >= made.auroc).sum()) / 200 <= 0.05)
    return f"{name:52} AUROC {np.mean(areas):.2f}   named {100 * found / tries:3.0f} %"


def powers() -> Iterator[str]:
    for exams, numbers, apart in ((40, 1, 1.0), (100, 1, 1.0), (100, 8, 0.5), (400, 1, 0.4), (400, 8, 0.25)):
        best = norm.cdf(apart * np.sqrt(numbers / 2))
        yield power(
            f"{exams} exams, numbers: {numbers}, {apart:g} SD apart (at best {best:.2f})",
            exams,
            lambda random, codes, numbers=numbers, apart=apart: (  # type: ignore[misc]
                random.normal(size=(numbers, len(codes))) + apart * codes
            ),
        )
    yield power(
        "60 exams, -2000 against -3024 or -1024 (at best 1.00)",
        60,
        lambda random, codes: np.where(codes == 1, -2000.0, random.choice([-3024.0, -1024.0], 60))[None],
    )
    yield power(
        "100 exams, SD 0.5 against 1.5 (at best 0.80)",
        100,
        lambda random, codes: (random.normal(size=100) * np.where(codes == 1, 0.5, 1.5))[None],
    )


def seconds(exams: int) -> float:
    random = stream(0, "time", exams)
    began = time.perf_counter()
    labels = labelled(np.tile([0, 1], exams // 2), np.arange(exams), 0, 2000)
    for n in range(45):
        probed(labels, random.normal(size=((1, 3, 4, 8, 2, 1, 5)[n % 7], exams)), random)
    return time.perf_counter() - began


def seconds_of_networks(networks: int, exams: int, features: int) -> float:
    random = stream(0, "networks")
    labels = labelled(np.arange(exams) % 2, np.arange(exams), 0, 2000)
    began = time.perf_counter()
    for _ in range(networks):
        probe_features(labels, random.normal(size=(exams, features)).astype(np.float32))
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tries", type=int, default=300, help="simulated cohorts of each null row")
    tries = parser.parse_args().tries
    print(f"null, {tries} cohorts each:")
    for kind in KINDS:
        print(" ", null(kind, tries))
    print("power, 60 cohorts each:")
    for line in powers():
        print(" ", line)
    print("time, one core:")
    for exams in (480, 782):
        print(f"  45 groups, {exams} exams, 2000 permutations: {seconds(exams):.1f} s")
    print(f"  100 networks, 157 exams, 500 features: {seconds_of_networks(100, 157, 500):.1f} s")


if __name__ == "__main__":
    main()
