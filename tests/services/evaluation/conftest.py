"""Made-up campaigns: one of the demo's size with everything, and small ones of which the truth is known.

Predictions are drawn from normal scores of known separation.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import yaml
from matplotlib.figure import Figure
from scipy.special import expit

from nameplate.campaign import parse_campaign
from nameplate.image.volume import Volume
from nameplate.plan.plan import cells_of
from nameplate.steps.cell import Cell
from nameplate.steps.cohort import Member, Refusal
from nameplate.steps.ingest import Exam, LedgerRow
from nameplate.steps.selection import Selection
from nameplate.steps.skullstrip import MaskReport
from nameplate.steps.synthesis import Sphere
from nameplate.steps.training import Epoch, Prediction, Run
from nameplate.streams import stream
from nameplate_evaluation import figures, headline
from nameplate_evaluation.analysis import Analysis, ResultGrid, analyse
from nameplate_evaluation.answer import Answer, answer_of
from nameplate_evaluation.claim import Claim, claim_of, main_grid
from nameplate_evaluation.control import Check, checks_of
from nameplate_evaluation.example import example_of
from nameplate_evaluation.panel import Panel
from nameplate_evaluation.report import build_report
from nameplate_evaluation.results import CampaignResults, CellResult, CohortResult
from nameplate_evaluation.scores import Scores

CAMPAIGN = """
name: {name}
seed: 11
factor: {{name: {factor}, levels: ["{first}", "{second}"]}}
cohorts:
  main:
    phantom: {{exams: {exams}, signature: 1.0}}
    ingest: {{matrix: 64, slice_mm: 9.0}}
  twins:
    role: null-control
    phantom: {{exams: {exams}, signature: 0.0}}
datasets:
  slices: 16
  spheres:
    difficulties:
      - {{name: easy, radius_mm: [21, 26], hu_mean: 50, hu_sd: 2}}
      - {{name: medium, radius_mm: [13, 17], hu_mean: 40, hu_sd: 2, start: easy, share: 0.2}}
      - {{name: hard, radius_mm: [13, 17], hu_mean: 40, hu_sd: 2, start: easy, share: 0.35}}
experiments:
  - name: naming
    title: Name the manufacturer
    task: factor
    cohorts: [main, twins]
    groups: 2
    input: {{window: {{width: 400, level: 40}}, range: [-1, 1], slices: 3}}
    network: {{kind: slice-cnn, channels: [32, 64, 128]}}
    training: {{rate: 0.001, schedule: one_cycle, batch: 16, epochs: 8}}
    convergence: {{default: {{accuracy: 0.6}}}}
    rounds: {{first: 5, target: 2, keep: 2, limit: 10}}
  - name: spheres
    title: Sphere classification
    task: spheres
    cohorts: [main, twins]
    training_sets: [mixed, "{first}", "{second}"]
    input: {{window: {{width: 100, level: 50}}, slices: 16}}
    network: {{kind: resnet3d, channels: [16, 32, 64, 128], strides: [1, 2, 2, 2], hidden: 1000}}
    training: {{rate: 0.001, schedule: one_cycle, batch: 8, epochs: 20, flips: true}}
    convergence: {{default: {{accuracy: 0.6}}}}
    rounds: {{first: 4, target: 3, limit: 8}}
  - name: segmentation
    title: Brain segmentation
    task: segmentation
    cohorts: [main]
    training_sets: [mixed, "{first}", "{second}"]
    input: {{window: {{width: 100, level: 50}}, slices: 16}}
    network: {{kind: unet3d, channels: [8, 16, 32, 64, 128]}}
    training: {{rate: 0.001, batch: 4, epochs: 10}}
    convergence: {{default: {{accuracy: 0.9}}}}
    rounds: {{first: 2, target: 2, keep: 2, limit: 4}}
notes:
  - "Heads of 64 x 64 x 16 voxels and nets of half the width, so that a laptop is enough <made up & small>."
"""
SEPARATION = {
    # (trained on own level, on the other level) by task, in standard deviations
    "easy": (3.4, 2.6),
    "medium": (1.9, 1.2),
    "hard": (1.3, 0.2),
}


def make_results(
    *,
    exams: int = 360,
    name: str = "made-up",
    factor: str = "manufacturer",
    levels: tuple[str, str] = ("GE", "Siemens"),
    null_signal: float = 0.0,
    with_examples: bool = True,
    spread: float = 1.0,
    salt: int = 5,
) -> CampaignResults:
    """A complete campaign; ``null_signal`` > 0 makes the null control fail."""
    text = CAMPAIGN.format(name=name, exams=exams, factor=factor, first=levels[0], second=levels[1])
    campaign = parse_campaign(text, "made-up")
    cohorts = {cohort: _cohort(cohort, exams, levels) for cohort in ("main", "twins")}
    cells = [
        _cell(
            campaign.experiment(cell.experiment),
            cell,
            cohorts[cell.cohort].members,
            levels,
            null_signal,
            spread,
            salt,
        )
        for cell in cells_of(campaign)
    ]
    return CampaignResults(
        campaign=campaign,
        campaign_text=text,
        cohorts=tuple(cohorts.values()),
        cells=tuple(cells),
        examples=_examples(levels) if with_examples else (),
        provenance={"Code version": "0.1.0 <dev>", "Campaign digest": "sha256:" + "0a" * 32},
    )


def _cohort(name: str, exams: int, levels: tuple[str, str]) -> CohortResult:
    rng = stream(3, "cohort", name)
    members, rows, ledger, masks, refusals = [], [], [], [], []
    for number in range(exams):
        exam, patient = f"e{name}{number:04d}", f"p{name}{number // 12 * 11 + min(number % 12, 10):04d}"
        level = levels[number // 12 % 2]
        split = ("train", "train", "val", "test", "train", "test")[number // 24 % 6]
        age, sex = float(rng.integers(20, 90)), "FM"[number % 2]
        rows.append(
            Exam(
                exam=exam,
                patient=patient,
                image=f"images/{exam}.nii.gz",
                manufacturer=level,
                model="X",
                software="1",
                kernel="STANDARD",
                institution="",
                age=age,
                sex=sex,
                kvp=120.0,
                exposure_mas=200.0,
                thickness_mm=5.0,
                gaps_mm=(5.0,),
                pixel_mm=0.45,
                tilt_degrees=0.0,
                source_slices=32,
                slices=28,
            )
        )
        for part in range(3):
            rule = ("chosen", "description", "bone kernel" if number % 5 else "too few slices")[part]
            ledger.append(
                LedgerRow(
                    item="series",
                    id=f"s{number}{part}",
                    exam=exam,
                    verdict="chosen" if part == 0 else "refused",
                    rule=rule,
                    seen="words",
                    files=30,
                )
            )
        bad = number % 90 == 89
        masks.append(
            MaskReport(exam=exam, volume_ml=1400.0, flags=("too small",) if bad else (), usable=not bad)
        )
        if bad:
            continue
        if number % 60 == 30:
            refusals.append(Refusal(exam=exam, step="synthesis", reason="the brain cannot hold the sphere"))
        members.append(
            Member(
                exam=exam,
                patient=patient,
                level=level,
                split=split,
                age=age,
                sex=sex,
                positive=number % 2 == 0,
                rank=float(rng.random()),
            )
        )
    ledger.append(
        LedgerRow(item="file", id="f1", exam=None, verdict="refused", rule="not DICOM", seen="bytes", files=1)
    )
    return CohortResult(
        name=name,
        exams=tuple(rows),
        ledger=tuple(ledger),
        masks=tuple(masks),
        members=tuple(members),
        refusals=tuple(refusals),
    )


def _cell(experiment, cell: Cell, members, levels, null_signal, spread, salt):
    rng = stream(salt, cell.experiment, cell.cohort, cell.dataset, cell.training_set, cell.group)
    rates = {"easy": 0.95, "medium": 0.8, "hard": 0.6}
    rate = rates.get(cell.dataset, 0.9) * (0.6 if cell.training_set == levels[1] else 1.0)
    trained, rounds, runs, converged = 0, [], [], []
    while True:
        extra = experiment.rounds.first if not trained else 2
        for seed in range(trained, trained + extra):
            good = rng.random() < rate
            runs.append(_run(rng, cell, seed, len(rounds), good, experiment))
            if good:
                converged.append(seed)
        trained += extra
        done = len(converged) >= experiment.rounds.target
        finished = "target" if done else ("limit" if trained >= experiment.rounds.limit else "no")
        rounds.append(
            Selection(
                cell=cell,
                round=len(rounds),
                trained=trained,
                converged=len(converged),
                kept=tuple(
                    converged if experiment.rounds.keep == "all" else converged[: experiment.rounds.keep]
                ),
                next_seeds=() if finished != "no" else tuple(range(trained, trained + 2)),
                finished=finished,
            )
        )
        if finished != "no":
            break
    held = [m for m in members if m.split != "train"]
    kept = rounds[-1].kept
    common = rng.normal(size=len(held))
    predictions = {
        seed: tuple(
            _prediction(rng, experiment.task, m, cell, levels, c, null_signal, spread)
            for m, c in zip(held, common, strict=True)
        )
        for seed in kept
    }
    return CellResult(rounds=tuple(rounds), runs=tuple(runs), predictions=predictions)


def _run(rng, cell, seed, round_, good, experiment):
    epochs = experiment.training.epochs
    t = np.linspace(0, 1, epochs)
    train = 0.69 * np.exp(-(2.2 if good else 0.15) * t) + 0.02 * rng.random(epochs)
    val = train + 0.05 + (0.0 if good else 0.4 * t) + 0.06 * rng.random(epochs)
    history = tuple(
        Epoch(
            epoch=i + 1,
            rate=1e-3,
            train_loss=float(train[i]),
            val_loss=float(val[i]),
            val_accuracy=float(0.5 + 0.4 * t[i] * good),
            val_auroc=float(0.5 + 0.45 * t[i] * good),
        )
        for i in range(epochs)
    )
    return Run(
        cell=cell,
        seed=seed,
        round=round_,
        outcome="converged" if good else "not-converged",
        reasons=() if good else ("validation accuracy 0.50 below 0.60",),
        val_accuracy=0.9 if good else 0.5,
        val_auroc=0.9 if good else 0.5,
        sensitivity=0.9,
        specificity=0.9,
        loss_drop=0.5,
        late_rise=0.1,
        parameters=93601,
        norm_batch=16,
        device="cpu",
        train_exams=180,
        versions={"torch": "2.6.0"},
        history=history,
    )


def _prediction(rng, task, m, cell, levels, common, null_signal, spread):
    sphere, radius = None, None
    label = int(m.level == levels[0])
    if task == "factor":
        strength = 4.0 if cell.cohort == "main" else null_signal
    elif task == "spheres":
        label = int(m.positive)
        own, other = SEPARATION[cell.dataset]
        mean = (own + other) / 2
        if cell.cohort == "twins":
            own = other = mean
        own, other = mean + spread * (own - mean), mean + spread * (other - mean)
        strength = own if cell.training_set in ("mixed", m.level) else other
        if label:
            share = {"easy": 0.0, "medium": 0.2, "hard": 0.35}[cell.dataset]
            sphere = cell.dataset if share and m.rank < share else "easy"
            radius = 21 + 5 * m.rank if sphere == "easy" else 13 + 4 * m.rank
            strength *= 1.0 if sphere == "easy" else 0.3
    if task == "segmentation":
        dice = 0.985 - 0.004 * (cell.training_set not in ("mixed", m.level)) - 0.004 * abs(common)
        score = float(np.clip(dice + 0.001 * rng.normal(), 0, 1))
        label = 1
    else:
        logit = (label - 0.5) * strength * 1.8 + 0.8 * common + 0.6 * rng.normal()
        score = float(1 / (1 + np.exp(-logit)))
    return Prediction(
        exam=m.exam,
        patient=m.patient,
        level=m.level,
        split=m.split,
        label=label,
        score=score,
        difficulty=sphere,
        radius_mm=radius,
    )


def _examples(levels):
    spacing = np.diag([3.2, 3.2, 9.0, 1.0])
    spacing[:3, 3] = (-102.4, -102.4, 0)
    i, j, k = np.meshgrid(np.arange(64), np.arange(64), np.arange(16), indexing="ij")
    found = []
    for place, level in enumerate(levels):
        rng = stream(2, "example", level)
        r = np.sqrt(((i - 32) / 22) ** 2 + ((j - 32) / 27) ** 2 + ((k - 8) / 9) ** 2)
        head = np.where(r < 1, 32 + rng.normal(0, 4, r.shape), np.where(r < 1.13, 900, -1000))
        mask = Volume((r < 1).astype(np.uint8), spacing)
        for title, radius, hu in (("easy", 24.0, 50.0), ("hard", 15.0, 40.0)):
            centre = (15.0 - 30 * place, 20.0, 72.0)
            world = np.stack([i * 3.2 - 102.4, j * 3.2 - 102.4, k * 9.0])
            inside = sum((world[a] - centre[a]) ** 2 for a in range(3)) < radius**2
            image = np.where(inside, hu + rng.normal(0, 2, r.shape), head).round().astype(np.int16)
            sphere = Sphere(difficulty=title, centre_mm=centre, radius_mm=radius, hu_mean=hu, hu_sd=2.0)
            found.append(
                example_of(
                    f"e{level}",
                    level,
                    title,
                    Volume(image, spacing),
                    mask=mask,
                    sphere=sphere,
                    caption=f"radius {radius:g} mm, {hu:g} HU",
                )
            )
    return tuple(sorted(found, key=lambda e: e.title))


LEVELS = ("GE", "Siemens")


def planted(
    *,
    own: Sequence[float] = (2.0,),
    other: Sequence[float] | None = None,
    runs: int = 4,
    exams: int = 40,
    val: int = 10,
    exam_sd: float = 1.0,
    noise: float = 0.3,
    run_sd: float = 0.05,
    controls: Mapping[str, float] | None = None,
    twice: int = 0,
    twins: bool = False,
    machine: float = 0.0,
    arms: Sequence[Mapping[str, Any]] = (),
    more: Sequence[Mapping[str, Any]] = (),
    salt: int = 1,
    **settings: Any,
) -> CampaignResults:
    """A campaign of sphere classification alone, of which the truth is known.

    ``own`` and ``other`` are by task how far apart the scores of positives and negatives are, in logits,
    on the level that was trained on and on the others. All cells of a cohort share what an exam adds to a
    score (``exam_sd``); every run adds its own ``noise``, and differs from other runs by ``run_sd`` in how
    far it sets them apart. Of each level there are ``exams`` test and ``val`` validation exams, half of them
    positive; ``twice`` patients have a test exam of each level. ``controls`` are further cohorts, named
    after their role (a second one with -2), with the size of their effect as a part of the study's. Among
    twins, ``machine`` is what the second level's scanner changes in a head's score. ``more`` are further
    experiments, each as what differs from the first. ``settings`` go into the experiment, or by
    ``factor``, ``study`` and ``analysis`` into these sections.
    """
    other = own if other is None else other
    controls = {"null-control": 0.0} if controls is None else controls
    levels = tuple(settings.get("factor", {}).get("levels", LEVELS))
    names = ("easy", "medium", "hard")[: len(own)] if len(own) <= 3 else [f"t{n}" for n in range(len(own))]
    text = yaml.safe_dump(_settings(names, levels, controls, twins, arms, more, settings), sort_keys=False)
    campaign = parse_campaign(text, "planted")
    single = {arm.name: arm.own_level for one in campaign.experiments for arm in one.all_arms}

    def distance(task: str, arm: str, level: str, share: float) -> float:
        place = names.index(task)
        high, low = own[place], other[place]
        middle = (high + low) / 2
        return middle + share * ((high if single[arm] in (None, level) else low) - middle)

    cohorts = {"study": 1.0, **controls}
    members = {name: _members(name, levels, exams, val, twice, twins) for name in cohorts}
    shared = {
        name: exam_sd * stream(salt, "exams", name).normal(size=len({m.patient for m in of}))
        for name, of in members.items()
    }
    cells = []
    for cell in cells_of(campaign):
        of, share = members[cell.cohort], cohorts[cell.cohort]
        experiment = campaign.experiment(cell.experiment)
        number: dict[str, int] = {}
        heads = np.array([number.setdefault(m.patient, len(number)) for m in of])
        label = np.array([m.positive for m in of]) - 0.5
        apart = np.array([distance(cell.dataset, cell.training_set, m.level, share) for m in of])
        changed = machine * np.array([m.level != levels[0] for m in of])
        rng = stream(salt, "runs", str(cell))
        predictions = {}
        for seed in range(runs):
            logits = (apart + run_sd * rng.normal()) * label + shared[cell.cohort][heads]
            score = expit(logits + changed * rng.normal(size=len(of)) + noise * rng.normal(size=len(of)))
            predictions[seed] = tuple(
                Prediction(
                    exam=m.exam, patient=m.patient, level=m.level, split=m.split, label=int(m.positive),
                    score=float(value), difficulty=cell.dataset if m.positive else None,
                    radius_mm=13 + 4 * m.rank if m.positive else None,
                )
                for m, value in zip(of, score, strict=True)
            )  # fmt: skip
        selection = Selection(
            cell=cell, round=0, trained=runs + 1, converged=runs, kept=tuple(range(runs)), next_seeds=(),
            finished="target",
        )  # fmt: skip
        made = tuple(_run(rng, cell, seed, 0, seed < runs, experiment) for seed in range(runs + 1))
        cells.append(CellResult(rounds=(selection,), runs=made, predictions=predictions))
    return CampaignResults(
        campaign=campaign,
        campaign_text=text,
        cohorts=tuple(CohortResult(name=name, members=of) for name, of in members.items()),
        cells=tuple(cells),
    )


def _settings(names, levels, controls, twins, arms, more, settings):
    sections = {name: settings.pop(name, {}) for name in ("factor", "study", "analysis")}
    phantom = {"exams": 400, "signature": 1.0, "twins": twins, "manufacturers": levels} | sections["study"]
    shares = dict(zip(names, (1.0, 0.2, 0.35), strict=False))
    difficulties = [
        {"name": name, "radius_mm": [20 - 2 * place, 20 - 2 * place], "hu_mean": 50, "hu_sd": 2}
        | ({"start": names[0], "share": shares[name]} if place and len(names) <= 3 else {})
        for place, name in enumerate(names)
    ]
    experiment = {
        "name": "spheres",
        "title": "Find the sphere",
        "task": "spheres",
        "cohorts": ["study", *controls],
        "training_sets": list(levels),
        "arms": [dict(arm) for arm in arms],
        "input": {"window": {"width": 100, "level": 50}, "slices": 16},
        "network": {"kind": "resnet3d", "channels": [8]},
        "training": {"rate": 0.001, "epochs": 2},
        "convergence": {"default": {}},
        "rounds": {"first": 3, "target": 3, "limit": 9},
    } | settings
    experiments = [
        {name: value for name, value in (experiment | dict(changes)).items() if value != []}
        for changes in ({}, *more)
    ]
    return {
        "name": "planted",
        "seed": 1,
        "factor": {"levels": list(levels)} | sections["factor"],
        "cohorts": {"study": {"phantom": _plain(phantom)}}
        | {name: {"role": name.removesuffix("-2"), "phantom": _plain(phantom)} for name in controls},
        "datasets": {"slices": 16, "spheres": {"difficulties": difficulties}},
        "experiments": experiments,
        "analysis": sections["analysis"],
    }


def _plain(phantom):
    return phantom | {"manufacturers": list(phantom["manufacturers"])}


def _members(cohort, levels, exams, val, twice, twins):
    """Exams of each level, test exams first; the first ``twice`` patients, or all twins, have one of each."""
    members = []
    for level in levels:
        for number in range(exams + val):
            own = "" if twins or number < twice else f"{level}-"
            members.append(
                Member(
                    exam=f"e-{cohort}-{level}-{number:03d}",
                    patient=f"p-{cohort}-{own}{number:03d}",
                    level=level,
                    split="test" if number < exams else "val",
                    age=None,
                    sex=None,
                    positive=number % 2 == 0,
                    rank=(number % 20) / 20,
                )
            )
    return tuple(members)


@pytest.fixture(scope="session")
def plant() -> Callable[..., CampaignResults]:
    """The factory of small campaigns."""
    return planted


@dataclass(frozen=True)
class Asked:
    """A campaign with the answer to its question."""

    analysis: Analysis
    grid: ResultGrid | None
    claim: Claim | None
    checks: tuple[Check, ...]
    answer: Answer


def asked(results: CampaignResults) -> Asked:
    """What the report says first, without the report."""
    analysis = analyse(results)
    grid, checks = main_grid(analysis), checks_of(analysis)
    claim = claim_of(analysis, grid)
    return Asked(analysis, grid, claim, checks, answer_of(analysis, grid, claim, checks))


@pytest.fixture(scope="session")
def ask() -> Callable[[CampaignResults], Asked]:
    """From results to the answer."""
    return asked


def of_one_level(
    values: Sequence[Sequence[float]],
    labels: Sequence[int],
    *,
    level: str = "GE",
    patients: Sequence[str] | None = None,
) -> Scores:
    """Scores of runs, (runs, exams), on exams of one level; without ``patients``, of one each."""
    exams = tuple(f"e-{level}-{place:03d}" for place in range(len(labels)))
    return Scores(
        seeds=tuple(range(len(values))),
        exams=exams,
        patients=exams if patients is None else tuple(patients),
        levels=(level,) * len(exams),
        labels=np.array(labels, dtype=bool),
        values=np.array(values, dtype=float),
        difficulties=(None,) * len(exams),
        radii_mm=np.full(len(exams), np.nan),
    )


@pytest.fixture(scope="session")
def scored() -> Callable[..., Scores]:
    """The factory of scores."""
    return of_one_level


@pytest.fixture(scope="session")
def make() -> Callable[..., CampaignResults]:
    """The factory."""
    return make_results


@pytest.fixture(scope="session")
def complete() -> CampaignResults:
    """A complete campaign."""
    return make_results()


@pytest.fixture(scope="session")
def report(complete) -> dict[str, bytes]:
    """The report on the complete campaign."""
    return build_report(complete)


@pytest.fixture
def quick_report(monkeypatch) -> Callable[[CampaignResults], dict[str, bytes]]:
    """The report with every picture painted but not written as SVG, which takes most of its time."""

    def painted(name, title, paint, *, size=(3.1, 2.7), caption=""):
        paint(Figure(figsize=size).add_subplot())
        return Panel(title, f'<svg id="{re.sub("[^a-zA-Z0-9-]", "-", name)}"></svg>', caption)

    monkeypatch.setattr(figures, "draw", painted)
    monkeypatch.setattr(headline, "draw", painted)
    return build_report
