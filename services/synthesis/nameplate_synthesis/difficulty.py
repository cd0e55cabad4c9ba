"""The sphere of an exam at each difficulty: new, or kept from the difficulty it starts from."""

import math

from nameplate.campaign.dataset import DifficultySettings
from nameplate.image.volume import Volume
from nameplate.steps.cohort import Member, Refusal
from nameplate.steps.synthesis import Sphere
from nameplate.streams import stream
from nameplate_synthesis.sphere import DIGITS, SLACK_MM, Point, draw_centre, holds, room_mm, shifted


def changes(difficulty: DifficultySettings, member: Member) -> bool:
    """Whether the difficulty gives this positive a new sphere."""
    return member.positive and member.rank < difficulty.share


def draw_sphere(
    difficulty: DifficultySettings,
    member: Member,
    mask: Volume,
    start: Sphere | None,
    *,
    seed: int,
    cohort: str,
) -> Sphere | Refusal:
    """A sphere of this difficulty inside the brain ``mask``.

    Difficulties share their centres: the centre is that of ``start``, if there is one and the new sphere
    fits into the brain there; otherwise a new centre is drawn.

    The radius is drawn evenly from its range, as far as the brain has room: the upper end of the range is
    lowered to the largest ball that fits around a voxel's centre. So the radii of small brains are
    smaller, and only a brain without room for the smallest radius is a Refusal.
    """
    low, high = difficulty.radius_mm
    rng = stream(seed, "sphere", cohort, difficulty.name, member.exam)
    drawn = float(rng.random())
    if start is not None:
        radius = _radius(low, high, drawn)
        if radius <= start.radius_mm or holds(mask, start.centre_mm, radius):
            return _sphere(difficulty, start.centre_mm, radius)
    room = room_mm(mask, high + 1.0)
    largest = float(room.max())
    radius = _radius(low, min(high, largest - SLACK_MM), drawn)
    centre = draw_centre(rng, room, radius, mask.affine) if largest - SLACK_MM >= low else None
    if centre is None:
        reason = f"the brain has room for a sphere of {largest:.1f} mm, level {difficulty.name} needs {low:g}"
        return Refusal(exam=member.exam, step="synthesis", reason=reason)
    return _sphere(difficulty, shifted(rng, mask, centre, radius), radius)


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
