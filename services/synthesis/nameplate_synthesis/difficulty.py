"""The sphere of an exam at each difficulty: new, or kept from the difficulty it starts from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nameplate.campaign.dataset import DifficultySettings
from nameplate.image.sphere import DIGITS, SLACK_MM, Point, common_room_mm, draw_centre, holds, shifted
from nameplate.image.volume import Volume
from nameplate.steps.cohort import Member
from nameplate.steps.synthesis import Sphere
from nameplate.streams import stream


def changes(difficulty: DifficultySettings, member: Member) -> bool:
    """Whether the difficulty gives this positive a new sphere."""
    return member.positive and member.rank < difficulty.share


@dataclass(frozen=True)
class NoRoom:
    """A sphere fits nowhere."""

    reason: str


def draw_sphere(
    difficulty: DifficultySettings,
    name: str,
    masks: Sequence[Volume],
    start: Sphere | None,
    *,
    seed: int,
    cohort: str,
) -> Sphere | NoRoom:
    """A sphere of this difficulty inside every one of the brain ``masks``, all of one head.

    ``name`` is that of the exam or, for twins, of the patient. Difficulties share their centres: the
    centre is that of ``start``, if there is one and the new sphere fits into the brain there; otherwise a
    new centre is drawn.

    The radius is drawn evenly from its range, as far as the brain has room: the upper end of the range is
    lowered to the largest ball that fits around a voxel's centre. So the radii of small brains are
    smaller, and only a brain without room for the smallest radius has none for a sphere.
    """
    low, high = difficulty.radius_mm
    rng = stream(seed, "sphere", cohort, difficulty.name, name)
    drawn = float(rng.random())
    if start is not None:
        radius = _radius(low, high, drawn)
        if radius <= start.radius_mm or all(holds(mask, start.centre_mm, radius) for mask in masks):
            return _sphere(difficulty, start.centre_mm, radius)
    room = common_room_mm(masks, high + 1.0)
    largest = float(room.max())
    radius = _radius(low, min(high, largest - SLACK_MM), drawn)
    centre = draw_centre(rng, room, radius, masks[0].affine) if largest - SLACK_MM >= low else None
    if centre is None:
        whose = "the brain has room" if len(masks) == 1 else "the brains of these twins have common room"
        return NoRoom(f"{whose} for a sphere of {largest:.1f} mm, level {difficulty.name} needs {low:g}")
    return _sphere(difficulty, shifted(rng, masks, centre, radius), radius)


def _radius(low: float, high: float, drawn: float) -> float:
    """The radius at ``drawn`` (0 to 1) of the range, rounded down to as many digits as centres."""
    scale = 10.0**DIGITS
    return max(low, math.floor((low + drawn * (high - low)) * scale) / scale)


def _sphere(difficulty: DifficultySettings, centre_mm: Point, radius_mm: float) -> Sphere:
    return Sphere(
        difficulty=difficulty.name,
        centre_mm=centre_mm,
        radius_mm=radius_mm,
        hu_mean=difficulty.hu_mean,
        hu_sd=difficulty.hu_sd,
    )
