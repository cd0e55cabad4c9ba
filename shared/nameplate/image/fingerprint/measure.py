"""All measures of the fingerprint, and all of them taken from one exam."""

from collections.abc import Callable

from nameplate.image.fingerprint import (
    cupping,
    edge,
    field,
    head_shape,
    noise,
    surroundings,
    tissue,
)
from nameplate.image.fingerprint.catalogue import Measure
from nameplate.image.fingerprint.slices import Missing, Numbers, Slices

_PARTS: tuple[tuple[tuple[Measure, ...], Callable[[Slices], Numbers]], ...] = (
    (noise.MEASURES, noise.noise),
    (tissue.MEASURES, tissue.tissue),
    (edge.MEASURES, edge.sharpness),
    (cupping.MEASURES, cupping.cupping),
    (field.MEASURES, field.field),
    (surroundings.MEASURES, surroundings.surroundings),
    (head_shape.MEASURES, head_shape.head_shape),
)
"""The measures of each module, with the function that takes them."""

PICTURE_MEASURES: tuple[Measure, ...] = tuple(measure for measures, _ in _PARTS for measure in measures)
"""Those that are taken from the picture, at every stage."""
_RECORD = "As the exam's record has it, from the header of the source."
_PLACES = "From the positions of the slices"
RECORD_MEASURES: tuple[Measure, ...] = (
    Measure("kvp", "protocol", "kV", "tube voltage", _RECORD),
    Measure("exposure_mas", "protocol", "mAs", "exposure", "Median over the slices of what the header says."),
    Measure("thickness_mm", "protocol", "mm", "slice thickness", _RECORD),
    Measure("largest_gap_mm", "protocol", "mm", "largest distance of slices", f"{_PLACES}."),
    Measure("tilt_degrees", "protocol", "degrees", "gantry tilt", f"{_PLACES}; signed."),
    Measure("source_slices", "protocol", "", "slices of the source", "Slices of the chosen series."),
    Measure("model", "header", "", "model", _RECORD),
    Measure("software", "header", "", "software", _RECORD),
    Measure("kernel", "header", "", "convolution kernel", _RECORD),
    Measure("institution", "header", "", "institution (a pseudonym)", _RECORD),
)
"""Numbers and texts of the exam's record: they belong to the exam and to no stage."""
MEASURES: tuple[Measure, ...] = (*PICTURE_MEASURES, *RECORD_MEASURES)
"""All measures."""
_OF_WHOLE = frozenset(measure.name for measure in PICTURE_MEASURES if measure.group == "head")


def measured(slices: Slices, *, whole: bool = True) -> Numbers:
    """Every number that can be taken from the slices; ``whole`` says that they cover the whole head.

    From a part of the head, its volume and size are missing.
    """
    numbers: Numbers = {}
    for _, measure in _PARTS:
        numbers.update(measure(slices))
    if not whole:
        numbers.update(dict.fromkeys(_OF_WHOLE & numbers.keys(), Missing("only some slices of the head")))
    return numbers
