"""The tasks of experiments, one module each; a new one is its module and its two lines here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from nameplate.campaign.tasks.factor import FACTOR
from nameplate.campaign.tasks.labels import LABELS
from nameplate.campaign.tasks.masks import MASKS
from nameplate.campaign.tasks.segmentation import SEGMENTATION
from nameplate.campaign.tasks.spheres import SPHERES
from nameplate.campaign.tasks.task import Task

TaskName = Literal["factor", "spheres", "labels", "masks", "segmentation"]
"""As campaign files spell it."""
TASKS: Mapping[TaskName, Task] = MappingProxyType(
    {"factor": FACTOR, "spheres": SPHERES, "labels": LABELS, "masks": MASKS, "segmentation": SEGMENTATION}
)

__all__ = ["TASKS", "Task", "TaskName"]
