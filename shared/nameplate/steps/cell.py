"""The grid of trainings: cells, whose runs differ only by their seed, and arms."""

from dataclasses import dataclass

from nameplate.campaign.names import slug
from nameplate.records import Record


@dataclass(frozen=True, order=True)
class Arm:
    """One experiment on one training set: cells whose rounds do not wait for any other arm.

    What it trains on is in the experiment's settings (``ArmSettings``), by the name of the training set.
    """

    experiment: str
    training_set: str

    def __str__(self) -> str:
        """experiment/training set, as plain text of letters, digits, dots and dashes."""
        return f"{self.experiment}/{slug(self.training_set)}"


class Cell(Record):
    """One cell of the grid."""

    experiment: str
    cohort: str
    dataset: str
    training_set: str
    """The name of its arm: 'mixed', a level of the factor, or what the experiment's ``arms`` say."""
    group: int

    def __str__(self) -> str:
        """experiment/cohort/dataset/training set/group, as part of keys and ids."""
        return f"{self.experiment}/{self.cohort}/{self.dataset}/{slug(self.training_set)}/g{self.group}"

    @property
    def arm(self) -> Arm:
        """The arm that it belongs to."""
        return Arm(self.experiment, self.training_set)

    def run(self, seed: int) -> str:
        """One of its runs, as part of keys and ids; it also names the run's random streams."""
        return f"{self}/s{seed:03d}"
