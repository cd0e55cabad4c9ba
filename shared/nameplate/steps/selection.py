"""Step ``selection``: after a round of a cell's runs, which ones to keep and what to train next."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Literal

from nameplate.campaign import Campaign
from nameplate.campaign.experiment import RoundSettings
from nameplate.records import Record
from nameplate.steps.cell import Cell
from nameplate.steps.files import RecordFile
from nameplate.steps.step import Job, RoundJobSettings, Step


class Selection(Record):
    """The outcome of a round of one cell."""

    cell: Cell
    round: int
    trained: int
    converged: int
    kept: tuple[int, ...]
    """Seeds of the kept runs, best first."""
    next_seeds: tuple[int, ...]
    """Seeds of the round that must follow; empty when the cell is finished."""
    finished: Literal["target", "limit", "no"]


SELECTION = RecordFile("models/{cell}/selection-r{round:02d}.json", Selection)
"""The outcome of a round."""


class SelectionJob(RoundJobSettings):
    """Settings of one job."""

    rounds: RoundSettings


def job(campaign: Campaign, cell: Cell, round_: int, trained: Sequence[str]) -> Job:
    """The selection after a round, from all runs so far."""
    rounds = campaign.experiment(cell.experiment).rounds
    return STEP.job(SelectionJob(cell=cell, round=round_, rounds=rounds), trained)


def job_id(cell: Cell, round_: int) -> str:
    """The id of the selection after a round, whatever its settings."""
    return STEP.id_of(SimpleNamespace(cell=cell, round=round_))


STEP = Step(
    name="selection",
    service="training",
    settings=SelectionJob,
    id="{job.cell}/r{job.round:02d}",
    needs=("training",),
    scope="arm",
    version=2,
    memory_mib=500,
    seconds=lambda load: 0.1,  # noqa: ARG005
)
