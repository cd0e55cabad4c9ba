"""The step ``selection``: which runs of a cell are kept. It needs no torch, so its pod starts at once."""

from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.selection import SELECTION, SelectionJob
from nameplate.steps.training import RUN
from nameplate_training.selection import select_runs


def selection(job: SelectionJob, inputs: Inputs, outputs: Outputs) -> None:
    """Count what has converged, choose what is kept, and ask for another round where it takes one."""
    selected = select_runs(list(RUN.read_all(inputs)), job.rounds, job.round)
    SELECTION.write(outputs, selected, cell=job.cell, round=job.round)
