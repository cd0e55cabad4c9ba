"""Settings of DICOM ingest: the rules that choose one series per exam, and the target grid."""

import re
from typing import Literal

from pydantic import Field, field_validator

from nameplate.campaign.settings import Settings


class SeriesRules(Settings):
    """Which series of an exam is the one to use; applied in this order, each refusal is recorded."""

    refuse_description: tuple[str, ...] = ()
    """Regular expressions (case ignored); a series whose description matches one is refused. They add to
    the words that ingest knows in nine languages."""
    plain_description: tuple[str, ...] = ()
    """A series whose description matches one of these is a plain head as far as its own words go, whatever
    the known words say; the other witnesses are still heard."""
    prefer_description: tuple[str, ...] = (r"\b(head|brain|std|standard|soft|routine|axial|5 ?mm)\b",)
    """Of equal series, the one that matches more of these is preferred."""
    bone_kernels: tuple[str, ...] = (
        r"^bone",
        r"^edge",
        r"^lung",
        r"^detail$",
        r"^h[5-9]\d",
        r"^hr[5-9]\d",
        r"^j[5-9]\d",
        r"^b[5-9]\d",
        r"^fc(3|5|8)\d",
        r"^(yb|yc|yd|d|e|l)$",
    )
    """Regular expressions on the convolution kernel that mean a bone reconstruction."""
    bone_kernel: Literal["refuse", "last"] = "last"
    """Refuse bone kernels, or take them only if the exam has nothing softer."""
    thickness_mm: float = Field(default=5.0, gt=0, le=10)
    """Slice thickness wanted; a series of this thickness comes first, then the thickest below it."""
    thickness_tolerance_mm: float = Field(default=0.3, ge=0, le=2)
    """How far from ``thickness_mm`` still counts as that thickness."""
    thickest_mm: float = Field(default=7.6, gt=0, le=20)
    """A series with slices thicker than this, or further apart, is refused."""
    coverage_mm: float = Field(default=100.0, ge=0)
    """Least extent from the lowest to the highest slice in mm, enough to hold the brain."""
    most_coverage_mm: float = Field(default=280.0, gt=0)
    """Largest extent in mm; a head with its chin is shorter, a scan of the body is longer."""
    field_mm: tuple[float, float] = (140.0, 550.0)
    """Least and largest field of view in mm: a smaller one is a part of the head, a larger one a body."""
    slices: int = Field(default=12, ge=2)
    """Fewest slices."""
    axial_degrees: float = Field(default=30.0, gt=0, le=90)
    """Largest angle between the slice normal and the head-foot axis."""
    picture: Literal["refuse", "note"] = "refuse"
    """Refuse a series whose picture is not that of one whole plain head, or only note it with the exam."""

    @field_validator("refuse_description", "plain_description", "prefer_description", "bone_kernels")
    @classmethod
    def _are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
        return value


class IngestSettings(Settings):
    """From mixed DICOM files to one NIfTI volume per exam."""

    matrix: int = Field(default=256, ge=32, le=1024)
    """Rows and columns of the output in pixels; in-plane resampling is linear, anti-aliased."""
    slice_mm: float = Field(default=5.0, gt=0, le=20)
    """Slice distance of the output in mm; series with another or uneven distance are resampled to it."""
    floor_hu: int = Field(default=-1024, ge=-1024, le=0)
    """Lower clamp: padding outside the field of view is lower and would give the manufacturer away."""
    allow_free_text: bool = False
    """Let model, software and kernel out as they were typed, not only those that a table knows (others
    become keyed tokens): names of sites may then stand in the records."""
    rules: SeriesRules = SeriesRules()
