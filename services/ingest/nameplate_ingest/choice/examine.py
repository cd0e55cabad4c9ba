"""A group of slices as a volume whose Hounsfield units and picture were looked at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.ingest import IngestSettings
from nameplate.image.volume import Volume
from nameplate_ingest.choice.hounsfield import Correction, Levels, examine, jumps, levels
from nameplate_ingest.choice.picture import Look, look
from nameplate_ingest.choice.witnesses import Opinion
from nameplate_ingest.dicom.pixels import hounsfield
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.refusal import Refused
from nameplate_ingest.volume.convert import convert
from nameplate_ingest.volume.group import Group, thickness_of

_SAMPLE = 5
"""Slices that are decoded first, to see whether the values are HU at all."""
_WITNESSES = {"picture": "picture", "hounsfield": "Hounsfield units", "slice-jump": "Hounsfield units"}


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """A volume, and what was put right in its values or noted about its picture."""

    volume: Volume
    flags: tuple[str, ...]
    told: tuple[Opinion, ...]
    """What values and picture say."""
    look: Look
    correction: Correction
    """What was put right in the values."""

    def plane(self, slice_: Slice) -> NDArray[np.float32]:
        """A slice of the source in true HU, axes (row, column), not clamped; it is decoded again.

        Raises Refused for pixels that cannot be decoded.
        """
        return _true_hu(slice_, hounsfield(slice_), self.correction)


def _true_hu(slice_: Slice, hu: NDArray[np.float32], correction: Correction) -> NDArray[np.float32]:
    assert slice_.storage is not None
    return correction.apply(hu, slice_.storage)


def examined_volume(group: Group, settings: IngestSettings) -> Examined:
    """The group as one volume in HU.

    Raises Refused for pixels that cannot be decoded, values that are no HU, and a picture that is not that
    of one whole plain head (unless the rules only note it).
    """
    first, stack = group.slices[0], group.stack
    assert stack is not None
    assert first.grid is not None
    assert first.storage is not None
    ends = len(group.slices) - 1
    sample = {round(ends * part / (_SAMPLE + 1)) for part in range(1, _SAMPLE + 1)}
    ready = {number: hounsfield(group.slices[number]) for number in sorted(sample)}
    correction = examine(list(ready.values()), first.storage)
    measured: list[Levels] = []

    def plane(number: int) -> NDArray[np.float32]:
        slice_ = group.slices[number]
        hu = ready.pop(number) if number in ready else hounsfield(slice_)
        hu = _true_hu(slice_, hu, correction)
        measured.append(levels(hu))
        return hu

    grid = first.grid
    thickness = thickness_of(group)
    volume = convert(stack, thickness, grid.rows, grid.columns, grid.spacing, plane, settings)
    jumps(measured)
    seen = look(volume)
    if settings.rules.picture == "refuse":
        for finding in seen.findings:
            if finding.refuses or finding.doubtful:
                raise Refused("picture", f"{finding.name}: {finding.seen}", doubtful=finding.doubtful)
    noted = tuple(finding.name for finding in seen.findings)
    values = ", ".join(correction.flags) or "air, soft tissue and bone where they belong"
    shown = f"{seen.brain_ml:.0f} mL of brain at {seen.brain_hu:.0f} HU"
    told = (
        Opinion("Hounsfield units", "plain", seen=values),
        Opinion("picture", "plain", seen="; ".join((shown, *noted))),
    )
    return Examined(volume, (*correction.flags, *noted), told, seen, correction)


def refusal_told(refused: Refused) -> Opinion:
    """The refusal of a volume as what a witness says."""
    witness = _WITNESSES.get(refused.rule, "pixels")
    return Opinion(witness, "doubts" if refused.doubtful else "refuses", refused.rule, refused.seen)
