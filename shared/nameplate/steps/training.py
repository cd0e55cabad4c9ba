"""Step ``training``: one run of a cell."""

from typing import Literal

from nameplate.campaign import Campaign
from nameplate.campaign.experiment import ArmSettings, ConvergenceSettings, LearningSettings
from nameplate.records import Record, Split
from nameplate.steps.cell import Cell
from nameplate.steps.files import File, RecordFile, Rows
from nameplate.steps.step import Job, RoundJobSettings, Step


class Epoch(Record):
    """One epoch of a run, without times, so that a repeated run writes the same bytes."""

    epoch: int
    rate: float
    train_loss: float
    val_loss: float
    val_accuracy: float
    """Mean Dice for segmentation."""
    val_auroc: float | None


class Prediction(Record):
    """What one run predicts for one exam."""

    exam: str
    patient: str
    level: str
    """Level of the factor."""
    split: Split
    label: int
    score: float
    """Probability of the positive class, or Dice against the mask for segmentation."""
    difficulty: str | None
    """Of the exam's sphere, if it has one."""
    radius_mm: float | None


class Assessment(Record):
    """Whether a run has converged, and every number that decides it."""

    outcome: Literal["converged", "not-converged", "diverged"]
    reasons: tuple[str, ...]
    """Every missed threshold, with the number; empty when converged."""
    val_accuracy: float
    val_auroc: float | None
    sensitivity: float | None
    specificity: float | None
    loss_drop: float
    late_rise: float


class Run(Assessment):
    """One training run; the weights and predictions are stored beside it."""

    cell: Cell
    seed: int
    """Number of the run in its cell, from 0."""
    round: int
    parameters: int
    norm_batch: int
    """Exams that batch norm saw at once."""
    device: str
    """'cpu' or the GPU's name."""
    train_exams: int
    versions: dict[str, str]
    """Of the libraries that trained it."""
    history: tuple[Epoch, ...]


WEIGHTS = File("models/{run}/weights.pt")
"""The run's weights, as a torch file."""
RUN = RecordFile("models/{run}/run.json", Run)
"""How the run went and how it was assessed."""
VALIDATION = Rows("models/{run}/predictions-val.jsonl", Prediction)
"""Predictions for every validation exam."""


class TrainingJob(RoundJobSettings):
    """Settings of one job."""

    campaign_seed: int
    seed: int
    """Number of the run in its cell."""
    arm: ArmSettings
    """The training exams that it learns from."""
    learning: LearningSettings
    choose_on: Literal["all", "own"]
    """The validation exams that count: all, or those of the arm's levels."""
    convergence: ConvergenceSettings

    @property
    def run(self) -> str:
        """The run's name, as part of keys; it also names its random streams."""
        return self.cell.run(self.seed)

    @property
    def counted_levels(self) -> tuple[str, ...] | None:
        """The levels whose validation exams decide how good the run is; None for all."""
        return None if self.choose_on == "all" else self.arm.levels


def job(campaign: Campaign, cell: Cell, seed: int, round_: int, pack: str, selection: tuple[str, ...]) -> Job:
    """One run; it waits for ``selection``, which asked for its round, without reading it."""
    experiment = campaign.experiment(cell.experiment)
    settings = TrainingJob(
        campaign_seed=campaign.seed,
        cell=cell,
        seed=seed,
        round=round_,
        arm=experiment.arm(cell.training_set),
        learning=experiment.learning,
        choose_on=experiment.choose_on,
        convergence=experiment.convergence_of(cell.dataset),
    )
    return STEP.job(settings, (pack, *selection))


STEP = Step(
    name="training",
    service="training",
    settings=TrainingJob,
    id="{job.run}",
    needs=("pack", "selection"),
    scope="arm",
    version=3,
    pool="gpu",
    memory_mib=8000,
    seconds=lambda load: 0.5 + load.flop / 55e9,
)
