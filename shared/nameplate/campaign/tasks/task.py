"""What a task is, as far as the code asks: one object a task, none of which knows another."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from nameplate.campaign.dataset import DatasetSettings

Sees = Literal["slices", "volume"]
"""What a network is given of an exam: some slices as channels (slices, j, i), or all of it (1, k, j, i)."""
Answers = Literal["class", "mask"]
"""What it returns for an exam: one logit, or a logit for each voxel (1, k, j, i)."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What networks learn."""

    title: str
    """A heading of its results."""
    does: str
    """What its networks do, after "it": with ``{factor}`` for the factor's title."""
    sees: Sees
    answers: Answers
    datasets: Callable[[DatasetSettings], tuple[str, ...]]
    """Names of the datasets that its networks learn, each in cells of its own, in the campaign's order."""
    metrics: tuple[str, ...]
    """What its results are counted in."""
    difficulties: bool = False
    """Whether its datasets are one task at growing difficulty."""
    compared_in: tuple[str, ...] = ()
    """The metrics in which training on one level is held against training on another, that of the stated
    margin first; none for a task that is about the levels themselves."""

    @property
    def is_judged(self) -> bool:
        """Whether networks say of an exam whether something is in it: what the claim is about."""
        return self.compared_in[:1] == ("auroc",)
