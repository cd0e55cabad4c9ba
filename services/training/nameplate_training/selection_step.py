"""The step ``selection``: which runs of a cell are kept. Without torch, so its pod starts at once."""

from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.selection import SELECTION, SelectionJob
from nameplate.steps.training import RUN
from nameplate_training.selection import select_runs


def selection(job: SelectionJob, inputs: Inputs, outputs: Outputs) -> None:
    """Count the converged runs, choose the ones to keep, and ask for another round if needed."""
    selected = select_runs(list(RUN.read_all(inputs)), job.rounds, job.round)
    SELECTION.write(outputs, selected, cell=job.cell, round=job.round)
