"""A made-up campaign of the demo's size: predictions drawn from normal scores of known separation."""

from collections.abc import Callable

import numpy as np
import pytest

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
from nameplate_evaluation.example import example_of
from nameplate_evaluation.results import CampaignResults, CellResult, CohortResult

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
    network: {{channels: [32, 64, 128]}}
    training: {{rate: 0.001, schedule: one_cycle, batch: 16, epochs: 8}}
    convergence: {{default: {{accuracy: 0.6}}}}
    rounds: {{first: 5, target: 2, keep: 2, limit: 10}}
  - name: spheres
    title: Sphere classification
    task: spheres
    cohorts: [main, twins]
    training_sets: [mixed, "{first}", "{second}"]
    input: {{window: {{width: 100, level: 50}}, slices: 16}}
    network: {{channels: [16, 32, 64, 128], strides: [1, 2, 2, 2], hidden: 1000}}
    training: {{rate: 0.001, schedule: one_cycle, batch: 8, epochs: 20, flips: true}}
    convergence: {{default: {{accuracy: 0.6}}}}
    rounds: {{first: 4, target: 3, limit: 8}}
  - name: segmentation
    title: Brain segmentation
    task: segmentation
    cohorts: [main]
    training_sets: [mixed, "{first}", "{second}"]
    input: {{window: {{width: 100, level: 50}}, slices: 16}}
    network: {{channels: [8, 16, 32, 64, 128]}}
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
    text = CAMPAIGN.format(
        name=name, exams=exams, factor=factor, first=levels[0], second=levels[1]
    )
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
                    converged
                    if experiment.rounds.keep == "all"
                    else converged[: experiment.rounds.keep]
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


@pytest.fixture(scope="session")
def make() -> Callable[..., CampaignResults]:
    """The factory."""
    return make_results


@pytest.fixture(scope="session")
def complete() -> CampaignResults:
    """A complete campaign."""
    return make_results()
