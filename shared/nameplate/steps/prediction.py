"""Step ``prediction``: what a cell's kept runs predict for every exam of the test split."""

from collections.abc import Sequence

from nameplate.campaign import Campaign
from nameplate.campaign.experiment import LearningSettings
from nameplate.steps.cell import Cell
from nameplate.steps.files import File, Rows
from nameplate.steps.step import CellJobSettings, Job, Step
from nameplate.steps.training import Prediction

TEST = Rows("models/{run}/predictions-test.jsonl", Prediction)
"""One kept run's predictions for every test exam."""
FEATURES = File("models/{run}/features-test.npy")
"""The last features of the run's network: float32 (exams, features), exams in the order of TEST's rows."""


class PredictionJob(CellJobSettings):
    """Settings of one job; which runs are kept is an input."""

    campaign_seed: int
    learning: LearningSettings


def job(campaign: Campaign, cell: Cell, pack: str, selection: str, kept: Sequence[str]) -> Job:
    """The predictions of a finished cell; ``kept`` are the trainings of its kept runs."""
    learning = campaign.experiment(cell.experiment).learning
    settings = PredictionJob(campaign_seed=campaign.seed, cell=cell, learning=learning)
    return STEP.job(settings, (pack, selection, *kept))


STEP = Step(
    name="prediction",
    service="training",
    settings=PredictionJob,
    id="{job.cell}",
    needs=("pack", "training", "selection"),
    scope="arm",
    version=3,
    pool="gpu",
    memory_mib=4000,
    seconds=lambda load: 0.3 + load.flop / 35e9,
)
