"""What a challenge has found, as records: the content of ``challenge.json``."""

from typing import Literal

from nameplate.records import Record

Bound = Literal["reached", "above", "below", "not known"]


class Point(Record):
    """Lesions of one radius and contrast at one level."""

    radius_mm: float
    cases: int
    found: int
    share: float
    low: float | None
    high: float | None


class Curve(Record):
    """Lesions of one contrast at one level."""

    hu: float
    points: tuple[Point, ...]
    bound: Bound
    """Where the sensitivity asked for is reached: within the radii, or beyond them."""
    radius_mm: float | None
    """The smallest radius that is found that often; None unless it is reached."""
    low: float | None
    """Of its interval; None for below the smallest radius."""
    high: float | None
    """None for above the largest radius."""
    r50_mm: float | None
    """Of the fitted curve, with its slope, guess and lapse."""
    slope: float | None
    guess: float | None
    lapse: float | None
    sensitivity: Point
    """Over all radii of the grid; its radius is 0."""


class Level(Record):
    """One level of the factor."""

    level: str
    exams: int
    patients: int
    cases: int
    """With a score."""
    failed: int
    """Of the cases that the model was asked."""
    no_room: int
    untouched: Point | None
    """Exams left as they are, and how many of them alarm; its radius is 0."""
    regions: float | None
    """With masks: false alarms an untouched exam, as regions."""
    curves: tuple[Curve, ...]


class Gap(Record):
    """A difference between two levels: the second minus the first."""

    figure: Literal["radius, mm", "sensitivity", "false alarms"]
    hu: float | None
    first: str
    second: str
    value: float | None
    """None where one of two radii is beyond the grid: then the interval has a bound at best."""
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    """Holm's, over all gaps of this challenge."""


class Findings(Record):
    """All figures."""

    factor: str
    threshold: float
    sensitivity: float
    """Of which the radius is given."""
    confidence: float
    seed: int
    resamples: int
    levels: tuple[Level, ...]
    gaps: tuple[Gap, ...]
    reasons: dict[str, int]
    """Why cases have no score, with how many."""
    refused: int
    """Exams that could not be used at all."""
