"""The sphere of an exam at each level of difficulty: new, or kept from the level it starts from."""

from nameplate.campaign.dataset import SphereLevel
from nameplate.image.volume import Volume
from nameplate.records import Member, Refusal, Sphere
from nameplate.streams import stream
from nameplate_synthesis.sphere import draw_centre, room_mm


def changes(level: SphereLevel, member: Member) -> bool:
    """Whether the level gives this positive a sphere of its own."""
    return member.positive and member.rank < level.share


def draw_sphere(
    level: SphereLevel,
    member: Member,
    mask: Volume,
    start: Sphere | None,
    *,
    seed: int,
    cohort: str,
) -> Sphere | Refusal:
    """A sphere of this level in the brain that ``mask`` gives.

    The centre is that of ``start`` where there is one, since the levels share their centres; a level
    whose spheres are larger than there is room for at that centre draws a new one. The radius is drawn
    evenly from the level's range, as far as the brain has room: its upper end is lowered to the largest
    ball that fits. A brain without room for the smallest radius is a Refusal.
    """
    low, high = level.radius_mm
    rng = stream(seed, "sphere", cohort, level.name, member.exam)
    room = room_mm(mask, high + max(mask.spacing_mm))
    if start is not None:
        radius = float(rng.uniform(low, high))
        if radius <= start.radius_mm:
            return _sphere(level, start.centre_mm, radius)
    largest = float(room.max())
    if largest < low:
        reason = f"the brain has room for a sphere of {largest:.1f} mm, level {level.name} needs {low:g}"
        return Refusal(exam=member.exam, step="synthesis", reason=reason)
    radius = float(rng.uniform(low, min(high, largest)))
    centre = draw_centre(rng, room, radius, mask.affine)
    assert centre is not None  # the largest room is at least the radius
    return _sphere(level, centre, radius)


def _sphere(level: SphereLevel, centre_mm: tuple[float, float, float], radius_mm: float) -> Sphere:
    # Rounded before use, so that the row in the file is the very sphere that was drawn.
    return Sphere(
        level=level.name,
        centre_mm=centre_mm,
        radius_mm=round(radius_mm - 5e-5, 4),
        hu_mean=level.hu_mean,
        hu_sd=level.hu_sd,
    )
