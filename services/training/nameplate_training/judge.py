"""The step of a campaign: the judge of a cell's runs. It needs no torch, so its pod starts at once."""

from nameplate import keys
from nameplate.job import JobContext
from nameplate.learn.rounds import judge_round
from nameplate.plan import Cell
from nameplate.records import Run


def judge(context: JobContext) -> None:
    """Count what has converged, choose what is kept, and ask for another round where it takes one."""
    cell, number = Cell.of(context.job.parameters), context.number("round")
    runs = [
        Run.model_validate_json(context.read(output.key))
        for output in context.inputs
        if output.key.endswith("/run.json")
    ]
    rounds = context.campaign.experiment(cell.experiment).rounds
    selection = judge_round(runs, rounds, number)
    context.write(keys.selection(cell.id, number), selection.model_dump_json(indent=1).encode() + b"\n")
