"""Settings of a challenge: lesions planted in a cohort's exams, and a user's models that look for them."""

import re
import shlex

from pydantic import Field, field_validator, model_validator

from nameplate.campaign.settings import Settings
from nameplate.stats.threshold import THRESHOLD

IMAGE, OUTPUT = "{image}", "{output}"
"""Words of a model's command that stand for the files of a case."""
RADII_MM = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
HU = (15.0, 30.0)
PLACES = 2
MOST_MOVED_MM = 15.0
SECONDS, START_SECONDS = 60.0, 120.0
SENSITIVITY, RESAMPLES = 0.9, 1000


class ModelSettings(Settings):
    """One model: how it is run, and from which score on it has found something."""

    command: str | None = None
    """Run for every case; {image} is a NIfTI file in HU, {output} where it may write its answer."""
    serve: str | None = None
    """In place of ``command``: one process that is asked for every case, by lines."""
    version: str = ""
    """Of what is behind the command, which nameplate cannot see: another version is asked anew."""
    threshold: float | None = None
    """The vendor's: found from this score on; one half for scores from 0 to 1."""
    score_range: tuple[float, float] = Field(default=(0.0, 1.0), strict=False)
    """A score outside is an error of the model."""
    seconds: float = Field(default=SECONDS, ge=0.1, le=86_400)
    """That an answer may take."""
    start_seconds: float = Field(default=START_SECONDS, ge=0, le=86_400)
    """That the first answer of ``serve`` may take more."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables that the model is given."""

    @field_validator("environment")
    @classmethod
    def _variables(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise ValueError(f"{name!r} cannot name a variable")
        return value

    @model_validator(mode="after")
    def _can_be_asked(self) -> "ModelSettings":
        if (self.command is None) == (self.serve is None):
            raise ValueError("expected either command or serve")
        words_of(self.said, serve=self.serve is not None)
        low, high = self.score_range
        if not low < high:
            raise ValueError(f"score_range: expected the lower one first: {[low, high]}")
        if self.threshold is None and self.score_range != (0.0, 1.0):
            raise ValueError("threshold: required with another score_range than 0 to 1")
        if self.threshold is not None and not low <= self.threshold <= high:
            raise ValueError(f"threshold: {self.threshold:g} is not from {low:g} to {high:g}")
        return self

    @property
    def said(self) -> str:
        """The command, of either kind."""
        return self.serve if self.serve is not None else self.command or ""

    @property
    def found_from(self) -> float:
        """The threshold."""
        return THRESHOLD if self.threshold is None else self.threshold


def words_of(command: str, *, serve: bool) -> tuple[str, ...]:
    """The words of a model's command. Raises ValueError for one that cannot be asked."""
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ValueError(f"cannot be split into words ({error})") from error
    if not words:
        raise ValueError("expected a command")
    if not serve and not any(IMAGE in word for word in words):
        raise ValueError(f"expected {IMAGE} where the command takes the image")
    if serve and any(IMAGE in word or OUTPUT in word for word in words):
        raise ValueError(f"expected no {IMAGE} and no {OUTPUT}: the process is asked on its standard input")
    return words


class GridSettings(Settings):
    """What is planted: every radius with every contrast at every place, one a case."""

    radii_mm: tuple[float, ...] = Field(default=RADII_MM, min_length=1)
    hu: tuple[float, ...] = Field(default=HU, min_length=1)
    """Added to the tissue, which keeps its noise."""
    places: int = Field(default=PLACES, ge=1, le=100)
    """The same in every brain relative to it."""
    most_moved_mm: float = Field(default=MOST_MOVED_MM, ge=0, le=100)
    """How far a lesion may be moved to where the brain has room for it."""
    gzip: bool = False
    """Whether images are given as .nii.gz."""

    @field_validator("radii_mm")
    @classmethod
    def _can_be_seen(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0.5 <= radius <= 60 for radius in value):
            raise ValueError(f"expected 0.5 to 60: {list(value)}")
        return tuple(sorted(set(value)))

    @field_validator("hu")
    @classmethod
    def _differ_from_tissue(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(-200 <= hu <= 2000 and hu for hu in value):
            raise ValueError(f"expected -200 to 2000, not 0: {list(value)}")
        return tuple(sorted(set(value)))


class ChallengeSettings(Settings):
    """Which models are challenged, on which cohorts, with what."""

    models: dict[str, ModelSettings] = Field(min_length=1)
    cohorts: tuple[str, ...] = ()
    """Whose members are used; none named: every study cohort with exams of its own."""
    grid: GridSettings = GridSettings()
    sensitivity: float = Field(default=SENSITIVITY, gt=0, lt=1)
    """Of which the radius is given."""
    resamples: int = Field(default=RESAMPLES, ge=100, le=100_000)
    """Of patients, for the intervals of that radius."""

    @field_validator("models")
    @classmethod
    def _names(cls, value: dict[str, ModelSettings]) -> dict[str, ModelSettings]:
        for name in value:
            # They name files, and a cluster's services.
            if not re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", name):
                raise ValueError(f"model name {name!r} must be lower-case letters, digits and dashes")
        return value
