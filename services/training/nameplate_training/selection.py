"""After a round of runs: which ones are kept, and which seeds the next round trains."""

import math
from collections.abc import Sequence
from typing import Literal

from nameplate.campaign.experiment import RoundSettings
from nameplate.errors import UserError
from nameplate.steps.selection import Selection
from nameplate.steps.training import Run


def select_runs(runs: Sequence[Run], rounds: RoundSettings, number: int) -> Selection:
    """The selection of one cell after round ``number``, from all its runs so far, in any order.

    The next round is as large as the observed rate of convergence requires, but at most doubles the runs
    so far (a rate from few runs is a poor guess) and stays within the limit. Raises UserError for no runs
    or runs of several cells.
    """
    cells = {run.cell for run in runs}
    if len(cells) != 1:
        raise UserError(f"expected the runs of one cell, got {len(cells)} cells")
    if len({run.seed for run in runs}) != len(runs):
        raise UserError(f"expected one run per seed, got seeds {sorted(run.seed for run in runs)}")
    converged = sorted((run for run in runs if run.outcome == "converged"), key=_best_first)
    keep = len(converged) if rounds.keep == "all" else rounds.keep
    trained = len(runs)
    following = 0
    finished: Literal["target", "limit", "no"]
    if len(converged) >= rounds.target:
        finished = "target"
    elif trained >= rounds.limit:
        finished = "limit"
    else:
        finished = "no"
        following = min(_wanted(trained, len(converged), rounds.target), trained, rounds.limit - trained)
    first = max(run.seed for run in runs) + 1
    return Selection(
        cell=runs[0].cell,
        round=number,
        trained=trained,
        converged=len(converged),
        kept=tuple(run.seed for run in converged[:keep]),
        next_seeds=tuple(range(first, first + following)),
        finished=finished,
    )


def _wanted(trained: int, converged: int, target: int) -> int:
    """How many runs should yield the missing ones, at the rate so far (Laplace's estimate)."""
    rate = (converged + 1) / (trained + 2)
    return math.ceil((target - converged) / rate)


def _best_first(run: Run) -> tuple[float, float, float, int]:
    """By AUROC plus accuracy, then AUROC, late rise and seed; segmentation by Dice."""
    area = run.val_accuracy if run.val_auroc is None else run.val_auroc
    return -(area + run.val_accuracy), -area, run.late_rise, run.seed
