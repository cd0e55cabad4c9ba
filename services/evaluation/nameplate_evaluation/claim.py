"""What a campaign may claim: gated tests, so that one number of two opens the next.

1. Bias: the advantage in AUROC over all tasks is above zero (two-sided test).
2. Growth: only after 1; the growth from the first task to the last is above zero in points and on the
   probit scale, which has no ceiling.
3. Small: not 1, and the 90 % interval of the advantage is within the margin of the campaign file, on
   tasks of which one at least is hard enough for a difference to show.

Nothing else is a claim. 1 and 2 need a null control of the same experiment that found nothing and could
have found as much.
"""

from dataclasses import dataclass
from typing import Literal

from nameplate_evaluation.advantage import Advantage, advantage_of
from nameplate_evaluation.analysis import Analysis, ResultGrid
from nameplate_evaluation.measure import ONE_RUN, combine

Kind = Literal[
    "bias and growth",
    "bias and growth in points",
    "bias",
    "small",
    "none",
    "negative",
    "at the ceiling",
    "one run",
]
SMALL_CONFIDENCE = 0.90
"""Two one-sided tests at 5 % each."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the main experiment shows."""

    kind: Kind
    advantage: Advantage
    probit: Advantage
    controls: tuple[Advantage, ...]
    """The same advantage in the null controls of this experiment."""
    controlled: bool
    """Whether a null control could have shown otherwise, and did not."""

    @property
    def answers(self) -> bool:
        """Whether these results could show a difference: of several runs, and not too easy for one."""
        return self.kind not in ("at the ceiling", "one run")

    @property
    def made(self) -> bool:
        """Whether an effect is claimed."""
        return self.kind in ("bias and growth", "bias and growth in points", "bias")


def main_grid(analysis: Analysis) -> ResultGrid | None:
    """The grid that the sentence is about: the first with an advantage, else the first with cells."""
    grids = analysis.judged()
    return next((g for g in grids if advantage_of(analysis, g, "auroc")), next(iter(grids), None))


def claim_of(analysis: Analysis, grid: ResultGrid | None) -> Claim | None:
    """The claim of one sphere experiment; None without an advantage to judge."""
    if grid is None:
        return None
    advantage, probit = (advantage_of(analysis, grid, metric) for metric in ("auroc", "probit"))
    if advantage is None or probit is None:
        return None
    kind = _kind(analysis, advantage, probit)
    controls = tuple(
        control
        for other in analysis.judged("null-control")
        if other.experiment.name == grid.experiment.name
        for control in [advantage_of(analysis, other, "auroc")]
        if control is not None
    )
    able = any(_carries(control, advantage) for control in controls)
    quiet = all(control.overall.holds(0.0) is not False for control in controls)
    return Claim(kind=kind, advantage=advantage, probit=probit, controls=controls, controlled=able and quiet)


def _kind(analysis: Analysis, advantage: Advantage, probit: Advantage) -> Kind:
    overall = advantage.overall
    if overall.low is None or overall.high is None:
        return "one run" if overall.note == ONE_RUN else "at the ceiling"
    if overall.high < 0:
        return "negative"
    if overall.low > 0:
        points, scale = advantage.growth, probit.growth
        if points is None or points.low is None or points.low <= 0:
            return "bias"
        if scale is None or scale.low is None or scale.low <= 0:
            return "bias and growth in points"
        return "bias and growth"
    if advantage.at_ceiling:
        return "at the ceiling"
    return "small" if is_small(advantage, analysis.campaign.analysis.margin.auroc) else "none"


def is_small(advantage: Advantage, margin: float) -> bool:
    """Whether the advantage over all tasks is shown to be within the margin."""
    narrow = combine(advantage.overall_parts, SMALL_CONFIDENCE, ceiling=False)
    if narrow.low is None or narrow.high is None:
        return False
    return -margin < narrow.low and narrow.high < margin


def _carries(control: Advantage, claimed: Advantage) -> bool:
    """Whether a null control found nothing, and would have found what is claimed."""
    null = control.overall
    able = null.detectable is not None and null.detectable <= claimed.overall.mean
    return able and not control.at_ceiling and null.holds(0.0) is True
