"""A campaign: everything that decides a result, read strictly from one YAML file."""

import re
from datetime import date
from pathlib import Path

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from nameplate.campaign.analysis import AnalysisSettings
from nameplate.campaign.challenge import ChallengeSettings
from nameplate.campaign.cohort import CohortSettings
from nameplate.campaign.dataset import DatasetSettings
from nameplate.campaign.experiment import ExperimentSettings
from nameplate.campaign.factor import FactorSettings, no_field
from nameplate.campaign.field import FIELDS
from nameplate.campaign.labels import with_label_table
from nameplate.campaign.mistakes import mistakes_of
from nameplate.campaign.names import MIXED, ORIGINAL, SKULL
from nameplate.campaign.settings import Settings, as_tuples
from nameplate.campaign.tasks import TaskName
from nameplate.errors import CampaignError


class Campaign(Settings):
    """One whole campaign."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)
    seed: int = Field(ge=0, lt=2**63)
    """Root of every random stream."""
    stated_on: str | None = None
    """The day on which these settings were written down, as 2026-11-27; reports print it."""
    factor: FactorSettings = FactorSettings()
    title: str = Field(default_factory=lambda data: _question(data.get("factor")))
    """The report's heading; without one, the question that the factor asks."""
    cohorts: dict[str, CohortSettings] = Field(min_length=1)
    datasets: DatasetSettings
    experiments: tuple[ExperimentSettings, ...] = Field(min_length=1)
    challenge: ChallengeSettings | None = None
    """Models of the user's that are challenged with lesions planted in the cohorts' exams."""
    analysis: AnalysisSettings = AnalysisSettings()
    notes: tuple[str, ...] = ()
    """Sentences that the report prints beside the settings: what departs from the paper, and why."""

    @field_validator("stated_on")
    @classmethod
    def _is_a_day(cls, value: str | None) -> str | None:
        try:
            whole = value is None or date.fromisoformat(value).isoformat() == value
        except ValueError:
            whole = False
        if not whole:
            raise ValueError(f"expected a day as 2026-11-27, got {value!r}")
        return value

    @field_validator("cohorts")
    @classmethod
    def _cohort_names(cls, value: dict[str, CohortSettings]) -> dict[str, CohortSettings]:
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
                raise ValueError(f"cohort name {name!r} must be lower-case letters, digits and dashes")
        return value

    @model_validator(mode="after")
    def _refers(self) -> "Campaign":
        names = [experiment.name for experiment in self.experiments]
        if len(set(names)) != len(names):
            raise ValueError(f"two experiments have the same name: {names}")
        self._check_fields()
        levels = self.factor.levels
        difficulties = {difficulty.name for difficulty in self.datasets.spheres.difficulties}
        labels = self.datasets.labels
        taken = {ORIGINAL, SKULL} | {own.dataset for own in (labels, self.datasets.masks) if own is not None}
        if reserved := difficulties & taken:
            raise ValueError(
                f"datasets.spheres.difficulties: {min(reserved)!r} is the name of another dataset"
            )
        for position, experiment in enumerate(self.experiments):
            if len(set(experiment.cohorts)) != len(experiment.cohorts):
                raise ValueError(
                    f"experiments[{position}].cohorts: a name appears twice: {experiment.cohorts}"
                )
            datasets = self.datasets_of(experiment)
            if not datasets:
                task = experiment.task
                raise ValueError(f"experiments[{position}].task: {task!r} needs a section datasets.{task}")
            cells = [f"{dataset}/{arm.name}" for dataset in datasets for arm in experiment.all_arms]
            for name, values, allowed in (
                ("convergence", experiment.convergence, ["default", *datasets]),
                ("expected_convergence", experiment.expected_convergence, ["default", *datasets, *cells]),
                ("cohorts", experiment.cohorts, sorted(self.cohorts)),
                ("training_sets", experiment.training_sets, [MIXED, *levels]),
            ):
                for value in values:
                    if value not in allowed:
                        raise ValueError(f"experiments[{position}].{name}: {value!r} is not one of {allowed}")
            for arm in experiment.arms:
                where = f"experiments[{position}].arms: {arm.name!r}"
                if arm.name in (MIXED, *levels):
                    raise ValueError(f"{where}: is a name that training_sets gives")
                if unknown := [level for level in arm.levels or () if level not in levels]:
                    raise ValueError(f"{where}: levels: {unknown[0]!r} is not one of {list(levels)}")
        self._check_masks()
        self._check_derived()
        self._check_comparisons()
        self._check_challenged()
        return self

    def _check_challenged(self) -> None:
        """Raise ValueError for a challenge of a cohort that has no images of its own."""
        able = [name for name, cohort in self.cohorts.items() if cohort.other is None]
        for name in self.challenge.cohorts if self.challenge is not None else ():
            if name not in able:
                raise ValueError(f"challenge.cohorts: {name!r} is not one of {able}")

    def _check_comparisons(self) -> None:
        """Raise ValueError for a stated comparison that no experiment can make."""
        names = [experiment.name for experiment in self.experiments]
        for name in self.analysis.comparisons:
            if name not in names:
                raise ValueError(f"analysis.comparisons: {name!r} is not one of {names}")
            experiment = self.experiment(name)
            if not experiment.what.compared_in or not experiment.trains_each_alone(self.factor.levels):
                raise ValueError(
                    f"analysis.comparisons: {name!r} does not train on each level alone: nothing to compare"
                )

    def _check_masks(self) -> None:
        """Raise ValueError for masks that nobody learns, and for a cohort whose networks would lack them."""
        masks, labels = self.datasets.masks, self.datasets.labels
        if masks is not None and masks.dataset in {ORIGINAL, SKULL, labels and labels.dataset}:
            raise ValueError(f"datasets.masks.name: {masks.name!r} is the name of another dataset")
        for position, experiment in enumerate(self.experiments):
            for name in experiment.cohorts if experiment.task == "masks" else ():
                own = self.cohorts[name].other or name if name in self.cohorts else None
                if own in self.cohorts and self.cohorts[own].masks is None:
                    raise ValueError(
                        f"experiments[{position}].cohorts: {name!r} has no masks: give cohorts.{own}.masks, a"
                        " folder with a mask for each study"
                    )
        for name, cohort in self.cohorts.items():
            if cohort.masks is not None and not self.learns_masks(name):
                raise ValueError(
                    f"cohorts.{name}.masks: no experiment learns them: name the cohort in one of task 'masks'"
                )

    def _check_derived(self) -> None:
        """Raise ValueError for a cohort made from none, and for a control that controls nothing."""
        named = {name for experiment in self.experiments for name in experiment.cohorts}
        for name, cohort in self.cohorts.items():
            if cohort.other is not None:
                source = self.cohorts.get(cohort.other)
                if source is None or source.other is not None:
                    able = [key for key, one in self.cohorts.items() if one.other is None]
                    raise ValueError(f"cohorts.{name}.from: {cohort.other!r} is not one of {able}")
            if cohort.role != "study" and name not in named:
                raise ValueError(
                    f"cohorts.{name}: a {cohort.role.replace('-', ' ')} that no experiment names controls"
                    f" nothing: add it to the cohorts of an experiment"
                )

    def _check_fields(self) -> None:
        """Raise ValueError for a factor, or a field of the matching, that a cohort's exams do not have."""
        for name, cohort in self.cohorts.items():
            if cohort.other is not None:
                continue
            labels = self.datasets.labels
            same = cohort.match.same if cohort.match is not None else ()
            for place, field in (
                ("factor.name", self.factor.name),
                ("datasets.labels.column", labels.column if labels and self.learns_labels(name) else None),
                *((f"cohorts.{name}.match.same[{n}].name", one.name) for n, one in enumerate(same)),
            ):
                if field is not None and field not in FIELDS and field not in cohort.fields:
                    of = "" if place.startswith("cohorts.") else f" (cohort {name!r})"
                    raise ValueError(f"{place}: {no_field(field, cohort.fields)}{of}")
            for n, one in enumerate(same):
                if one.name == self.factor.name:
                    raise ValueError(
                        f"cohorts.{name}.match.same[{n}].name: {one.name!r} is the factor: exams of two"
                        " levels cannot agree in it"
                    )

    @property
    def compared(self) -> tuple[str, ...]:
        """Names of the experiments whose advantage is held against the margin: those that the analysis names,
        or the first of classification (spheres, or labels) that trains on each level alone."""
        if self.analysis.comparisons:
            return self.analysis.comparisons
        able = [
            experiment.name
            for experiment in self.experiments
            if experiment.what.is_judged and experiment.trains_each_alone(self.factor.levels)
        ]
        return tuple(able[:1])

    @property
    def challenged(self) -> tuple[str, ...]:
        """Names of the cohorts whose exams models are challenged with."""
        if self.challenge is None:
            return ()
        study = [name for name, one in self.cohorts.items() if one.role == "study" and one.other is None]
        return self.challenge.cohorts or tuple(study)

    def experiment(self, name: str) -> ExperimentSettings:
        """The experiment of this name."""
        return next(experiment for experiment in self.experiments if experiment.name == name)

    def learns_labels(self, cohort: str) -> bool:
        """Whether networks learn the user's own labels on this cohort, or on one derived from it."""
        return self._learns(cohort, "labels")

    def learns_masks(self, cohort: str) -> bool:
        """Whether networks learn the user's own masks on this cohort, or on one derived from it."""
        return self._learns(cohort, "masks")

    def _learns(self, cohort: str, task: TaskName) -> bool:
        served = {cohort, *(name for name, one in self.cohorts.items() if one.other == cohort)}
        return any(
            experiment.task == task and self.datasets_of(experiment)
            for experiment in self.experiments
            if served & set(experiment.cohorts)
        )

    def exams_of(self, cohort: str) -> CohortSettings:
        """The settings of the cohort that a cohort's exams come from: its own, or those of its ``from``."""
        settings = self.cohorts[cohort]
        return settings if settings.other is None else self.cohorts[settings.other]

    def datasets_of(self, experiment: ExperimentSettings) -> tuple[str, ...]:
        """The datasets on which an experiment trains, in the campaign's order."""
        return experiment.what.datasets(self.datasets)


def _question(factor: FactorSettings | None) -> str:
    """The heading of a campaign without a title; ``factor`` is None where it has a mistake."""
    if factor is None or factor.name == "manufacturer":
        return "How much does the scanner's manufacturer bias a head-CT network?"
    return f"How much does the {factor.title} bias a head-CT network?"


def parse_campaign(text: str, origin: str) -> Campaign:
    """Read a campaign from YAML text; ``origin`` names it in errors.

    Raises CampaignError with one line per mistake, each with its path into the file.
    """
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise CampaignError(f"{origin}{line}: not valid YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(raw, dict):
        raise CampaignError(f"{origin}: expected a mapping of settings, got {type(raw).__name__}")
    try:
        return Campaign.model_validate(with_label_table(as_tuples(raw)))
    except ValidationError as error:
        lines = [f"{origin}: {mistake}" for mistake in mistakes_of(error)]
        raise CampaignError("\n".join(lines)) from error


def load_campaign(path: Path) -> Campaign:
    """Read a campaign file; raises CampaignError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise CampaignError(f"{path}: cannot be read: {reason}") from error
    return parse_campaign(text, str(path))
