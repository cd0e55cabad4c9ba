"""How often the report's own sentence is wrong, on simulated campaigns of which the truth is known.

    python benchmarks/validity.py [--campaigns 500] [--size demo|paper] [--only NAME]

Each campaign has a study cohort and a null control, three tasks, networks trained on each level, and as
many runs and test exams as the demo or the paper. Scores of an exam share a part between all runs,
between the runs of one training set, and between tasks; runs differ in how good they are and, if the
scenario says so, in how well they do on each level. The campaigns go through the project's own analysis,
controls, claims and sentence. The truth of a scenario comes from its formula: no simulation is needed.
"""

import argparse
import math
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from nameplate.campaign import Campaign, parse_campaign
from nameplate.stats.growth import difficulty_axis, growth_weights
from nameplate.steps.cell import Cell
from nameplate.steps.selection import Selection
from nameplate.steps.training import Prediction
from nameplate.streams import stream
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.answer import answer_of
from nameplate_evaluation.claim import claim_of, main_grid
from nameplate_evaluation.control import checks_of
from nameplate_evaluation.results import CampaignResults, CellResult, CohortResult

LEVELS = ("GE", "Siemens")
TASKS = ("easy", "medium", "hard")
SEPARATION = (2.75, 1.95, 1.35)
"""Distance of positives and negatives in standard deviations of a score, by task: AUROC 0.97, 0.92, 0.83."""
PAPER = ((2.85, 2.28), (1.89, 1.52), (1.56, 0.96))
"""The same on the own and on the other manufacturer, from the paper's AUROCs."""


@dataclass(frozen=True)
class Size:
    """How many test exams a level has, and how many runs a cell."""

    exams: int
    runs: int
    twins: bool = False
    """Whether each head is scanned on both levels."""


SIZES = {"demo": Size(108, 6, twins=True), "paper": Size(81, 8)}


@dataclass(frozen=True)
class Scenario:
    """What is true in a campaign."""

    name: str
    own: tuple[float, float, float]
    """Separation on the level that was trained on, by task."""
    other: tuple[float, float, float]
    run_sd: float = 0.30
    """Spread of the separation from run to run, on all levels alike."""
    run_level_sd: float = 0.15
    """Spread from run to run on one level alone."""

    @property
    def area(self) -> float:
        """The true A: AUROC averaged over all runs that there might be."""
        return float(np.mean(self._advantages()))

    @property
    def growth(self) -> float:
        """The true G."""
        weights = growth_weights(difficulty_axis(campaign().datasets.spheres.difficulties))
        return float(weights @ self._advantages())

    def _advantages(self) -> NDArray[np.float64]:
        spread = math.sqrt(2 + self.run_sd**2 + self.run_level_sd**2)
        own, other = (norm.cdf(np.array(means) / spread) for means in (self.own, self.other))
        return np.asarray(own - other)


def _shifted(by: float) -> tuple[float, float, float]:
    a, b, c = (separation + by for separation in SEPARATION)
    return a, b, c


SCENARIOS = (
    Scenario("null, runs differ in general", SEPARATION, SEPARATION, 0.40, 0.0),
    Scenario("null, runs treat levels differently", SEPARATION, SEPARATION, 0.30, 0.30),
    Scenario("constant on the probit scale", _shifted(0.25), _shifted(-0.25)),
    Scenario("constant, twice as large", _shifted(0.45), _shifted(-0.45)),
    Scenario("the paper's", *(tuple(pair[n] for pair in PAPER) for n in (0, 1))),  # type: ignore[arg-type]
)

CAMPAIGN = """
name: validity
seed: 1
cohorts:
  study: {phantom: {exams: 400}}
  control: {role: null-control, phantom: {exams: 400, signature: 0}}
datasets:
  slices: 16
  spheres:
    difficulties:
      - {name: easy, radius_mm: [21, 26], hu_mean: 50, hu_sd: 2}
      - {name: medium, radius_mm: [13, 17], hu_mean: 40, hu_sd: 2, start: easy, share: 0.2}
      - {name: hard, radius_mm: [13, 17], hu_mean: 40, hu_sd: 2, start: easy, share: 0.35}
experiments:
  - name: spheres
    title: Find the sphere
    task: spheres
    cohorts: [study, control]
    training_sets: [GE, Siemens]
    input: {window: {width: 100, level: 50}, slices: 16}
    network: {kind: resnet3d, channels: [8]}
    training: {rate: 0.001, epochs: 1}
    convergence: {default: {}}
    rounds: {first: 6, target: 6, limit: 6}
"""


@cache
def campaign() -> Campaign:
    """The settings of all simulated campaigns."""
    return parse_campaign(CAMPAIGN, "benchmark")


def simulate(scenario: Scenario, size: Size, number: int) -> CampaignResults:
    """One campaign; the control has the scenario's runs and no difference between levels."""
    own, other = scenario.own, scenario.other
    middle = (own[0] + other[0]) / 2, (own[1] + other[1]) / 2, (own[2] + other[2]) / 2
    null = replace(scenario, own=middle, other=middle)
    cells = [
        cell
        for cohort, truth in (("study", scenario), ("control", null))
        for cell in _cells(truth, size, cohort, number)
    ]
    return CampaignResults(
        campaign=campaign(),
        campaign_text="",
        cohorts=(CohortResult(name="study"), CohortResult(name="control")),
        cells=tuple(cells),
    )


def _cells(scenario: Scenario, size: Size, cohort: str, number: int) -> list[CellResult]:
    rng = stream(20, scenario.name, size.exams, cohort, number)
    count = size.exams * len(LEVELS)
    level = np.arange(count) // size.exams
    label = (np.arange(count) % size.exams) < size.exams // 2
    head = np.arange(count) % size.exams if size.twins else np.arange(count)
    # Variances of a score within a class, together 1: of the head in all tasks, of the head in one task,
    # of what one training set makes of the exam, and of the run. The first two are shared by all runs.
    exam = rng.normal(0, math.sqrt(0.30), count)[head]
    cells = []
    for task, name in enumerate(TASKS):
        of_task = exam + rng.normal(0, math.sqrt(0.15), count)[head]
        for trained, training_set in enumerate(LEVELS):
            of_set = of_task + rng.normal(0, math.sqrt(0.15), count)
            own = np.where(level == trained, scenario.own[task], scenario.other[task])
            predictions = {}
            for seed in range(size.runs):
                quality = scenario.run_sd * rng.normal() + scenario.run_level_sd * rng.normal(size=2)[level]
                score = of_set + rng.normal(0, math.sqrt(0.40), count)
                score = score + label * (own + quality) - 0.5 * own + 0.3 * rng.normal()
                predictions[seed] = _predictions(1 / (1 + np.exp(-score)), head, level, label)
            cell = Cell(experiment="spheres", cohort=cohort, dataset=name, training_set=training_set, group=0)
            selection = Selection(
                cell=cell, round=0, trained=size.runs, converged=size.runs, kept=tuple(predictions),
                next_seeds=(), finished="target",
            )  # fmt: skip
            cells.append(CellResult(rounds=(selection,), runs=(), predictions=predictions))
    return cells


class _Row(NamedTuple):
    """What the analysis reads of a prediction; ten times as fast to make as a record."""

    exam: str
    patient: str
    level: str
    split: str
    label: int
    score: float
    difficulty: str | None = None
    radius_mm: float | None = None


def _predictions(
    scores: NDArray[np.float64],
    head: NDArray[np.intp],
    level: NDArray[np.intp],
    label: NDArray[np.bool_],
) -> tuple[Prediction, ...]:
    rows = tuple(
        _Row(f"e{n:03d}", f"p{head[n]:03d}", LEVELS[level[n]], "test", int(label[n]), float(score))
        for n, score in enumerate(scores)
    )
    return cast(tuple[Prediction, ...], rows)


@dataclass(frozen=True)
class Outcome:
    """What one campaign's report says."""

    kind: str
    controlled: bool
    alarm: bool
    """Whether the null control's interval of A excludes zero."""
    covers_a: bool
    covers_g: bool
    sentence: str


def outcome(number: int, scenario: Scenario, size: Size) -> Outcome:
    """Simulate one campaign and read its report."""
    analysis = analyse(simulate(scenario, size, number))
    grid = main_grid(analysis)
    claim = claim_of(analysis, grid)
    assert claim is not None
    answer = answer_of(analysis, grid, claim, checks_of(analysis))
    growth = claim.advantage.growth
    assert growth is not None
    return Outcome(
        kind=claim.kind,
        controlled=claim.controlled,
        alarm=any(control.overall.holds(0.0) is False for control in claim.controls),
        covers_a=bool(claim.advantage.overall.holds(scenario.area)),
        covers_g=bool(growth.holds(scenario.growth)),
        sentence=answer.sentence,
    )


def main() -> None:
    """Simulate and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--campaigns", type=int, default=500)
    parser.add_argument("--size", choices=[*SIZES, "both"], default="both")
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    arguments = parser.parse_args()
    print("of 100 campaigns: A or G in their interval, claims, alarms of the null control")
    print(f"{'size':<6} {'scenario':<36} {'A':>5} {'G':>5} | {'cover A':>7} {'cover G':>7} | {'bias':>5}"
          f" {'grows':>5} {'points':>6} {'small':>5} {'neg.':>5} | {'uncontr.':>8} {'alarm':>5}")  # fmt: skip
    began = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name, size in SIZES.items():
            for scenario in SCENARIOS:
                if arguments.size not in (name, "both") or arguments.only not in scenario.name:
                    continue
                job = partial(outcome, scenario=scenario, size=size)
                found = list(pool.map(job, range(arguments.campaigns), chunksize=10))
                print(_row(name, scenario, found), flush=True)
    print(f"{time.perf_counter() - began:.0f} s")


def _row(size: str, scenario: Scenario, found: list[Outcome]) -> str:
    kinds = Counter(one.kind for one in found)
    share = 100 / len(found)
    bias = sum(kinds[kind] for kind in ("bias", "bias and growth", "bias and growth in points"))
    return (
        f"{size:<6} {scenario.name:<36} {100 * scenario.area:5.1f} {100 * scenario.growth:5.1f} |"
        f" {share * sum(one.covers_a for one in found):7.1f}"
        f" {share * sum(one.covers_g for one in found):7.1f} |"
        f" {share * bias:5.1f} {share * kinds['bias and growth']:5.1f}"
        f" {share * kinds['bias and growth in points']:6.1f} {share * kinds['small']:5.1f}"
        f" {share * kinds['negative']:5.1f} |"
        f" {share * sum(not one.controlled for one in found):8.1f}"
        f" {share * sum(one.alarm for one in found):5.1f}"
    )


if __name__ == "__main__":
    main()
