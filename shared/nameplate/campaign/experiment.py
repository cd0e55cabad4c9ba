"""Settings of an experiment: the task, the network, how it is trained and which runs are kept."""

from collections.abc import Iterable
from functools import cached_property
from typing import Literal

from pydantic import Field, field_validator, model_validator

from nameplate.campaign.names import MIXED
from nameplate.campaign.networks import NetworkSettings
from nameplate.campaign.settings import Settings
from nameplate.campaign.tasks import TASKS, Task, TaskName
from nameplate.image.window import Window


class ArmSettings(Settings):
    """A training set: which of the training exams the runs of an arm learn from."""

    name: str = Field(min_length=1)
    levels: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Levels of the factor whose exams are used; null for all."""
    exams: int | Literal["one-level"] | None = None
    """How many of their training exams are used, the same number of each level and its share of each label;
    null for all, 'one-level' for as many as one level has on average."""

    @field_validator("exams")
    @classmethod
    def _enough(cls, value: int | str | None) -> int | str | None:
        if isinstance(value, int) and value < 2:
            raise ValueError(f"expected at least 2 exams, got {value}")
        return value

    @property
    def own_level(self) -> str | None:
        """The level, for an arm of all exams of one level; else None."""
        single = self.levels is not None and len(self.levels) == 1 and self.exams is None
        return self.levels[0] if single and self.levels else None


class InputSettings(Settings):
    """What the network sees of an exam."""

    window: Window
    """HU range; everything outside is clipped."""
    range: tuple[float, float] = Field(default=(0.0, 1.0), strict=False)
    """What the window's ends are mapped to."""
    region: Literal["head", "brain"] = "head"
    """``brain`` sets everything outside the brain mask to the exam's median brain HU, so that no edge of
    skull or air is left to learn from; the paper's networks see the whole head."""
    slices: int = Field(ge=1, le=512)
    """Slices the network takes: drawn at random for the factor task, resampled along k otherwise."""


class ConvergenceSettings(Settings):
    """When a run counts as converged; every number of this assessment is kept with the run."""

    accuracy: float = Field(default=0.5, ge=0, le=1)
    """Least validation accuracy (Dice for segmentation)."""
    auroc: float = Field(default=0.5, ge=0, le=1)
    """Least validation AUROC (not used for segmentation)."""
    loss_drop: float = Field(default=0.05, ge=0, lt=1)
    """Least relative fall of the training loss from the first epochs to the last."""
    late_rise: float = Field(default=0.5, ge=0)
    """Largest relative rise of the validation loss from its lowest point to the end."""


class RoundSettings(Settings):
    """How many runs a cell of the grid trains, and until when."""

    first: int = Field(ge=1)
    """Runs in the first round."""
    target: int = Field(ge=1)
    """Converged runs wanted; further rounds train until there are that many."""
    keep: int | Literal["all"] = "all"
    """How many of the converged runs are kept, the best by validation AUROC and accuracy (Dice); all of
    them, unless a choice among runs is itself what is studied."""
    limit: int = Field(ge=1)
    """Most runs a cell may train, all rounds together."""

    @model_validator(mode="after")
    def _in_order(self) -> "RoundSettings":
        keep = 1 if self.keep == "all" else self.keep
        if not 1 <= keep <= self.target <= self.limit or self.first > self.limit:
            raise ValueError("expected 1 <= keep <= target <= limit and first <= limit")
        return self


class TrainingSettings(Settings):
    """Optimisation; the defaults are the paper's where it gives them."""

    rate: float = Field(gt=0, lt=1)
    """Adam's learning rate (the peak of a one-cycle schedule)."""
    schedule: Literal["constant", "one_cycle"] = "constant"
    batch: int = Field(default=32, ge=2)
    """Exams per step; on a GPU with little memory, batch norm sees a part of them at a time."""
    epochs: int = Field(ge=1)
    flips: bool = False
    """Left-right flips of training exams, each with probability one half."""
    threads: int = Field(default=1, ge=1, le=64)
    """CPU threads of one run; results repeat bit by bit only for a fixed number."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16 uses autocast, on CUDA only: on a CPU it neither repeats nor always converges."""
    norm_exams: int = Field(default=128, ge=2)
    """Training exams (or all, if there are fewer) from which batch norm's statistics are estimated
    again before every evaluation; its running averages lag behind the weights at small batches."""
    deterministic: bool = False
    """CUDA: only repeatable kernels; slower. On a CPU runs always repeat."""


class LearningSettings(Settings):
    """The part of an experiment that decides how one of its runs learns, and what it then predicts."""

    task: TaskName
    input: InputSettings
    network: NetworkSettings = Field(discriminator="kind")
    training: TrainingSettings

    @property
    def what(self) -> Task:
        """What the task asks of the network."""
        return TASKS[self.task]


class ExperimentSettings(Settings):
    """One experiment of the campaign."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    task: TaskName
    cohorts: tuple[str, ...] = Field(min_length=1)
    """Cohorts on which it runs."""
    training_sets: tuple[str, ...] = ()
    """Short for arms: 'mixed' for all training exams, or a level of the factor for those of that level.
    Without arms, 'mixed' is the default."""
    arms: tuple[ArmSettings, ...] = ()
    """Further training sets."""
    groups: int = Field(default=1, ge=1)
    """Independent groups of runs (the paper's two 'ensembles' of experiment 1)."""
    input: InputSettings
    network: NetworkSettings = Field(discriminator="kind")
    training: TrainingSettings
    choose_on: Literal["all", "own"] = "all"
    """The validation exams that decide whether a run has converged, and which runs are best: all, or only
    those of the levels that it was trained on. 'own' is the paper's way; it favours a network's own level."""
    convergence: dict[str, ConvergenceSettings]
    """By dataset, or 'default'."""
    rounds: RoundSettings
    expected_convergence: dict[str, float] = Field(default_factory=dict)
    """Only for the estimate of ``nameplate plan``: share of runs expected to converge, by
    'dataset/training set', dataset, or 'default' (1 if not given)."""

    @field_validator("convergence")
    @classmethod
    def _has_default(cls, value: dict[str, ConvergenceSettings]) -> dict[str, ConvergenceSettings]:
        if "default" not in value:
            raise ValueError("needs an entry 'default'")
        return value

    @model_validator(mode="after")
    def _network_fits(self) -> "ExperimentSettings":
        if not self.network.fits(TASKS[self.task]):
            raise ValueError(f"network.kind: {self.network.kind!r} cannot be given the task {self.task!r}")
        return self

    @model_validator(mode="after")
    def _has_arms(self) -> "ExperimentSettings":
        names = [arm.name for arm in self.all_arms]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two training sets have the same name: {twice!r}")
        return self

    @cached_property
    def all_arms(self) -> tuple[ArmSettings, ...]:
        """The arms, those that ``training_sets`` names first."""
        names = self.training_sets or (() if self.arms else (MIXED,))
        short = (ArmSettings(name=name, levels=None if name == MIXED else (name,)) for name in names)
        return (*short, *self.arms)

    def arm(self, name: str) -> ArmSettings:
        """The arm of this name."""
        return next(arm for arm in self.all_arms if arm.name == name)

    def trains_each_alone(self, levels: Iterable[str]) -> bool:
        """Whether each of the levels has an arm of its exams alone, as an own-level advantage needs."""
        return set(levels) <= {arm.own_level for arm in self.all_arms}

    @property
    def what(self) -> Task:
        """What the task asks of its networks."""
        return TASKS[self.task]

    @property
    def learning(self) -> LearningSettings:
        """What decides how a run learns."""
        return LearningSettings(
            task=self.task, input=self.input, network=self.network, training=self.training
        )

    def convergence_of(self, dataset: str) -> ConvergenceSettings:
        """The thresholds for this dataset."""
        return self.convergence.get(dataset, self.convergence["default"])

    def expected_convergence_of(self, dataset: str, training_set: str) -> float:
        """The share of runs expected to converge in this cell, for estimates."""
        for key in (f"{dataset}/{training_set}", dataset, "default"):
            if key in self.expected_convergence:
                return self.expected_convergence[key]
        return 1.0
