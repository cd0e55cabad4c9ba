"""What a measure of the fingerprint is, which groups there are, and where in the chain an exam is measured.

Each module of measures lists its own; ``measure`` has them all.
"""

from dataclasses import dataclass
from typing import Literal

Group = Literal[
    "noise texture",
    "noise amount",
    "tissue",
    "sharpness",
    "cupping",
    "field",
    "padding",
    "surroundings",
    "head",
    "protocol",
    "header",
]
Stage = Literal["as read", "nifti", "windowed", "brain alone"]
STAGES: tuple[Stage, ...] = ("as read", "nifti", "windowed", "brain alone")
"""Places in the chain where an exam is measured: the scanner's own pixels; the resampled volume; what a
network sees through its window; and the same without anything outside the brain. The trained networks'
features, the last stage, are no measures of an exam."""

BANDS = (0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40)
"""Lower ends of the bands of the noise power spectrum in cycles/mm; each is ``BAND_WIDTH`` wide."""
BAND_WIDTH = 0.05


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of an exam."""

    name: str
    group: Group
    unit: str
    """As printed; empty for a share or a count."""
    title: str
    """A few words for a table's row."""
    formula: str
    """How it is computed, in one or two sentences; the source where there is one."""
    version: int = 1
    """Raised whenever the same picture gives another number."""
