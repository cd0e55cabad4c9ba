"""How often the verdict on a field is right, on simulated cohorts of which the truth is known.

    python benchmarks/separability.py [--tables 300] [--seed 29]

Each table is a cohort of 40 to 800 exams of two or three levels, with one, or up to three, exams a patient,
or with an exam of each level of every patient. It has six columns: a number and a text each that is

* identical: every value belongs to one level (a constant of its own, its own names, or ranges far apart);
* independent: drawn from one distribution for all levels;
* partly overlapping: 25 to 75 % of the exams have values of all levels, the others of their own level, or
  (numbers) normal distributions of which the outer means are 1.2 to 2.5 standard deviations apart.

Up to 30 % of each column's values are missing. In half of the tables a value belongs to the exam, in the
other half all exams of a patient and level have the same. The verdicts go through ``separability_of``.

Then what is said of a true difference of 0.8 standard deviations by the number of exams, and in how many
cohorts of 15 fields that say nothing any field is called different.

"No difference found" and "not known" are no verdicts: they are counted as withheld, neither right nor wrong.
The tables of the default seed were not looked at when the rules were made; those of seed 12 were.
"""

import argparse
from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign import parse_campaign
from nameplate.campaign.field import Field
from nameplate.steps.cohort import Member
from nameplate.steps.ingest import Exam
from nameplate.streams import stream
from nameplate_evaluation.results import CohortResult
from nameplate_evaluation.separability import separability_of
from nameplate_evaluation.separability.confound import Confound, confound_of, corrected, draws_for
from nameplate_evaluation.separability.labels import Labels
from nameplate_evaluation.separability.power import WORTH_FINDING

EXPECTED = {"identical": "cannot be told", "independent": "told apart", "partly overlapping": "partly"}
WITHHELD = ("no difference found", "not known")
LEVELS = ("GE", "Siemens", "Philips")
SEED = 29
COHORTS = 100
FIELDS = 15
SMALL = 100
"""Tables with fewer exams are counted apart."""
CAMPAIGN = """
name: separability
seed: {seed}
factor: {{levels: [{levels}]}}
cohorts: {{study: {{phantom: {{exams: 400}}}}}}
datasets:
  slices: 16
  spheres: {{difficulties: [{{name: easy, radius_mm: [21, 26], hu_mean: 50, hu_sd: 2}}]}}
experiments:
  - name: spheres
    title: Find the sphere
    task: spheres
    cohorts: [study]
    input: {{window: {{width: 100, level: 50}}, slices: 16}}
    network: {{kind: resnet3d, channels: [8]}}
    training: {{rate: 0.001, epochs: 1}}
    convergence: {{default: {{}}}}
    rounds: {{first: 6, target: 6, limit: 6}}
"""

Draw = Callable[[np.random.Generator, NDArray[np.int64]], list[str]]
"""The values of a column from the level of each exam, or of each patient."""


def own_numbers(rng: np.random.Generator, level: NDArray[np.int64]) -> list[str]:
    """Constants, few values, or normal distributions 8 standard deviations apart."""
    width = (0.0, 1.0, 1.0)[int(rng.integers(3))]
    values = 8.0 * rng.permutation(3)[level] + width * rng.normal(size=level.size).clip(-3.5, 3.5)
    return [f"{value:.3g}" for value in values + 100]


def own_texts(rng: np.random.Generator, level: NDArray[np.int64]) -> list[str]:
    """One to six names of each level."""
    most = int(rng.integers(1, 7))
    return [f"{n}-{rng.integers(most)}" for n in level]


def same_numbers(rng: np.random.Generator, level: NDArray[np.int64]) -> list[str]:
    """Two to five values, a normal or a skewed distribution."""
    kind = rng.integers(3)
    if kind == 0:
        shares = rng.dirichlet(np.full(int(rng.integers(2, 6)), 2.0))
        return [f"{n}" for n in rng.choice(shares.size, p=shares, size=level.size)]
    values = rng.normal(size=level.size)
    return [f"{value:.4g}" for value in (values if kind == 1 else np.exp(values))]


def same_texts(rng: np.random.Generator, level: NDArray[np.int64]) -> list[str]:
    """Two to twelve names with unequal shares."""
    shares = rng.dirichlet(np.full(int(rng.integers(2, 13)), 1.5))
    return [f"any-{n}" for n in rng.choice(shares.size, p=shares, size=level.size)]


def some_numbers(rng: np.random.Generator, level: NDArray[np.int64]) -> list[str]:
    """A mixture, or means that are apart."""
    if rng.random() < 0.5:
        return _mixed(rng, level, same_numbers, own_numbers)
    shift = rng.uniform(1.2, 2.5) / max(1, int(level.max(initial=0)))
    return [f"{value:.4g}" for value in shift * level + rng.normal(size=level.size)]


def some_texts(rng: np.random.Generator, level: NDArray[np.int64]) -> list[str]:
    """A mixture."""
    return _mixed(rng, level, same_texts, own_texts)


def _mixed(rng: np.random.Generator, level: NDArray[np.int64], common: Draw, own: Draw) -> list[str]:
    is_common = rng.random(level.size) < rng.uniform(0.25, 0.75)
    pairs = zip(is_common, common(rng, level), own(rng, level), strict=True)
    return [theirs if chosen else mine for chosen, theirs, mine in pairs]


COLUMNS: dict[tuple[str, str], Draw] = {
    ("identical", "number"): own_numbers,
    ("identical", "text"): own_texts,
    ("independent", "number"): same_numbers,
    ("independent", "text"): same_texts,
    ("partly overlapping", "number"): some_numbers,
    ("partly overlapping", "text"): some_texts,
}


def level_and_patient(
    rng: np.random.Generator, exams: int, levels: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each exam; patients have one exam, one to three of their level, or one of each level."""
    kind = rng.integers(3)
    if kind == 2:
        return np.arange(exams) % levels, np.arange(exams) // levels
    sizes = np.ones(exams, dtype=np.int64) if kind == 0 else rng.integers(1, 4, size=exams)
    patient = np.repeat(np.arange(exams), sizes)[:exams]
    shares = rng.dirichlet(np.full(levels, 30.0))
    # At least ten patients a level would be a promise that 40 exams of three levels cannot keep.
    of_patient = rng.permutation(np.resize(rng.permutation(levels), exams))
    chosen = rng.random(exams) < 0.5
    of_patient[chosen] = rng.choice(levels, p=shares, size=int(chosen.sum()))
    return of_patient[patient], patient


def table(number: int, seed: int = SEED) -> tuple[CohortResult, int]:
    """One simulated cohort, all of whose exams are members, and how many levels it has."""
    rng = stream(seed, "table", number)
    exams = round(float(np.exp(rng.uniform(np.log(40), np.log(800)))))
    levels = int(rng.integers(2, 4))
    level, patient = level_and_patient(rng, exams, levels)
    fields: list[dict[str, str]] = [{} for _ in range(exams)]
    by_patient = rng.random() < 0.5
    for (kind, form), draw in COLUMNS.items():
        # Values of all exams of a patient and level are drawn once, or for each exam.
        keys, place = np.unique(patient * levels + level, return_inverse=True)
        values = draw(rng, keys % levels) if by_patient else draw(rng, level)
        missing = rng.random(exams) < rng.choice([0.0, 0.1, 0.3])
        for exam in np.flatnonzero(~missing):
            fields[exam][f"{kind} {form}"] = values[place[exam] if by_patient else exam]
    rows = [
        Exam(
            exam=f"e{n:04d}", patient=f"p{patient[n]:04d}", image="", manufacturer=LEVELS[level[n]],
            model="", software="", kernel="", institution="", age=None, sex=None, kvp=120.0,
            exposure_mas=None, thickness_mm=5.0, gaps_mm=(5.0,), pixel_mm=0.5, tilt_degrees=0.0,
            source_slices=30, slices=30, fields=fields[n],
        )
        for n in range(exams)
    ]  # fmt: skip
    members = [
        Member(
            exam=row.exam, patient=row.patient, level=row.manufacturer, split="test", age=None, sex=None,
            positive=False, rank=0.0,
        )
        for row in rows
    ]  # fmt: skip
    return CohortResult(name="study", exams=tuple(rows), members=tuple(members)), levels


def verdicts_of(cohort: CohortResult, levels: int, seed: int) -> dict[tuple[str, str], str]:
    """The verdict on each column of a table."""
    text = CAMPAIGN.format(seed=seed, levels=", ".join(LEVELS[:levels]))
    found = separability_of(cohort, parse_campaign(text, "benchmark"))
    assert found is not None
    rows = {row.field.name: row for row in found.rows}
    return {(kind, form): rows[f"{kind} {form}"].kind for kind, form in COLUMNS}


def verdicts(number: int, seed: int = SEED) -> dict[tuple[str, str], str]:
    """The verdict on each column of one simulated table."""
    return verdicts_of(*table(number, seed), number)


def main() -> None:
    """Print how often each verdict was given, by kind of column and by size of table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tables", type=int, default=300)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    counts = {(column, small): Counter[str]() for column in COLUMNS for small in (True, False)}
    for number in range(chosen.tables):
        cohort, levels = table(number, chosen.seed)
        small = len(cohort.exams) < SMALL
        for column, verdict in verdicts_of(cohort, levels, number).items():
            counts[column, small][verdict] += 1
    print(f"right of the verdicts given, and withheld of all; {chosen.tables} tables of seed {chosen.seed}")
    sizes = {"all": (True, False), f"n < {SMALL}": (True,), f"n >= {SMALL}": (False,)}
    print(f"{'column':20}{'form':8}" + "".join(f"{name:>20}" for name in sizes))
    for columns, name, form in (
        *(([column], *column) for column in COLUMNS),
        *(([(kind, "number"), (kind, "text")], kind, "both") for kind in EXPECTED),
        ([*COLUMNS], "all", ""),
    ):
        shares = (shares_of(counts, columns, which) for which in sizes.values())
        print(f"{name:20}{form:8}" + "".join(f"{right:>13}{withheld:>7}" for right, withheld in shares))
    for column in COLUMNS:
        given = (counts[column, True] + counts[column, False]).most_common()
        print(f"{' '.join(column)}: " + ", ".join(f"{verdict} {n}" for verdict, n in given))

    print(f"a difference of {WORTH_FINDING['number']:g} standard deviations, {COHORTS} cohorts each")
    for exams in (8, 15, 30, 60, 120):
        words = ", ".join(f"{kind} {n}" for kind, n in on_a_difference(exams, COHORTS).most_common())
        print(f"{exams:4} exams a level: {words}")
    alone, together = false_alarms(COHORTS)
    print(
        f"of {COHORTS} cohorts with {FIELDS} fields that say nothing, {alone} have one that is called"
        f" different by itself, and with Holm's correction in {together}"
    )


def on_a_difference(exams: int, cohorts: int) -> Counter[str]:
    """Verdicts on one number of which two levels' means differ by what is worth finding; exams of each."""
    found = Counter[str]()
    for number in range(cohorts):
        rng = stream(SEED, "difference", exams, number)
        level = np.repeat([0, 1], exams)
        values = rng.normal(size=2 * exams) + WORTH_FINDING["number"] * level
        found[_alone(values, level, rng).kind] += 1
    return found


def false_alarms(cohorts: int) -> tuple[int, int]:
    """Cohorts of 60 exams a level with a field that is called different: each by itself, and corrected."""
    alone = together = 0
    for number in range(cohorts):
        rng = stream(SEED, "nothing", number)
        level = np.repeat([0, 1], 60)
        found = [_alone(rng.normal(size=120), level, rng) for _ in range(FIELDS)]
        alone += any(one.kind == "partly" for one in found)
        together += any(one.kind == "partly" for one in corrected(found))
    return alone, together


def _alone(values: NDArray[np.float64], level: NDArray[np.int64], rng: np.random.Generator) -> Confound:
    """One number by itself, of exams of two levels, a patient each."""
    labels = Labels.of(LEVELS[:2], [(LEVELS[n], str(place)) for place, n in enumerate(level)])
    field = Field("number", "number", "", "number")
    return confound_of([float(value) for value in values], field, labels, rng, draws_for(FIELDS))


def shares_of(
    counts: dict[tuple[tuple[str, str], bool], Counter[str]],
    columns: list[tuple[str, str]],
    sizes: tuple[bool, ...],
) -> tuple[str, str]:
    """Percent right of the verdicts given, and percent withheld of all."""
    right = given = total = 0
    for column in columns:
        for size in sizes:
            of = counts[column, size]
            total += of.total()
            given += of.total() - sum(of[verdict] for verdict in WITHHELD)
            right += of[EXPECTED[column[0]]]
    return (
        f"{100 * right / given:.1f}%" if given else "-",
        f"{100 * (total - given) / total:.1f}%" if total else "-",
    )


if __name__ == "__main__":
    main()
