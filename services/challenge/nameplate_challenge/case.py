"""A case: one exam with one lesion, or left as it is; and what the model made of it."""

import hashlib
from collections.abc import Sequence

from nameplate.image.sphere import Point
from nameplate.records import Record


class Lesion(Record):
    """One sphere of the grid; the same for every exam."""

    place: int
    """Number of the place, from 1."""
    radius_mm: float
    hu: float
    """What is added to the tissue, in HU."""


class Outcome(Record):
    """One case and its score: a line of ``cases.jsonl``."""

    key: str
    """Digest of the image, its mask, the lesion and the model's command."""
    exam: str
    patient: str
    level: str
    """Of the factor."""
    lesion: Lesion | None
    """None for an exam left as it is."""
    centre_mm: Point | None = None
    """Of the lesion, RAS mm in the patient."""
    moved_mm: float | None = None
    """Of the lesion, from its place relative to the brain to where there is room for it."""
    score: float | None = None
    """None if there is none: ``reason`` says why."""
    alarms: int | None = None
    """With masks: how many separate regions at or above the threshold do not touch the lesion."""
    alarms_at: float | None = None
    """That threshold."""
    reason: str = ""
    """Why there is no score."""
    said: str = ""
    """The last line of what the model then wrote to its standard error."""

    @property
    def asked(self) -> bool:
        """Whether the model was asked: not if there is no room for the lesion."""
        return self.score is not None or self.reason.startswith(MODEL)

    @property
    def order(self) -> tuple[str, bool, float, float, int]:
        """By exam, the one left as it is first."""
        lesion = self.lesion
        return (
            (self.exam, False, 0.0, 0.0, 0)
            if lesion is None
            else (self.exam, True, lesion.hu, lesion.radius_mm, lesion.place)
        )


MODEL = "model: "
"""What a reason begins with that is the model's."""


def lesions_of(radii_mm: Sequence[float], hu: Sequence[float], places: int) -> list[Lesion]:
    """The grid, in the order of its cases."""
    return [
        Lesion(place=place, radius_mm=radius, hu=added)
        for added in sorted(set(hu))
        for radius in sorted(set(radii_mm))
        for place in range(1, places + 1)
    ]


def case_key(content: str, lesion: Lesion | None, command: str) -> str:
    """Digest of a case; ``content`` is that of the exam's image and mask."""
    planted = "" if lesion is None else lesion.model_dump_json()
    digest = hashlib.sha256()
    for part in (content, planted, command):
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()[:32]
