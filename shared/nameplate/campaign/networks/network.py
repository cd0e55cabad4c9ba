"""What the settings of every network have: which tasks it can be given."""

from typing import ClassVar

from nameplate.campaign.settings import Settings
from nameplate.campaign.tasks.task import Answers, Sees, Task


class Network(Settings):
    """Settings of a network: those of its kind alone, since each kind is a class of its own."""

    sees: ClassVar[tuple[Sees, ...]]
    """The inputs that it takes: (batch, slices, j, i) or (batch, 1, k, j, i)."""
    answers: ClassVar[tuple[Answers, ...]]
    """The outputs that it returns: logits (batch,), or (batch, 1, k, j, i)."""

    @property
    def title(self) -> str:
        """What it is called in a sentence."""
        raise NotImplementedError

    def fits(self, task: Task) -> bool:
        """Whether it can be given this task."""
        return task.sees in self.sees and task.answers in self.answers
