"""What a network is given, and what it has to return."""

from dataclasses import dataclass

from nameplate.campaign.experiment import InputSettings
from nameplate.campaign.tasks import TASKS, Task, TaskName
from nameplate.pack.shapes import Size


@dataclass(frozen=True, kw_only=True)
class NetworkInput:
    """The task and the size of its exams."""

    task: TaskName
    slices: int
    """Slices that are drawn of each exam, for a task that sees slices."""
    spatial: Size
    """Voxels of a packed exam along k, j and i."""

    @classmethod
    def of(cls, task: TaskName, seen: InputSettings, spatial: Size) -> "NetworkInput":
        """The input of a task's networks for packed exams of this size."""
        return cls(task=task, slices=seen.slices, spatial=spatial)

    @property
    def what(self) -> Task:
        """What the task asks."""
        return TASKS[self.task]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one exam, channels first: (slices, j, i) or (1, k, j, i)."""
        return (self.slices, *self.spatial[1:]) if self.what.sees == "slices" else (1, *self.spatial)

    @property
    def dimensions(self) -> int:
        """In space: 2 for slices, 3 for a volume."""
        return len(self.shape) - 1

    def returned(self, batch: int) -> tuple[int, ...]:
        """The shape of the logits of a batch: (batch,), or (batch, 1, k, j, i) for masks."""
        return (batch,) if self.what.answers == "class" else (batch, *self.shape)
