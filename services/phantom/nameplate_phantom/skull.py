"""The head around the brain: cranial cavity, skull, face and scalp, as distances and HU.

All shapes are in model millimetres: the origin between the thalami, x to the left, y to the back, z up;
``points.x`` may be the absolute value for a structure with a mirror image.
"""

import numpy as np

from nameplate_phantom.patient import Anatomy
from nameplate_phantom.shape import Floats, Points, cover, ellipsoid, paint, slab, union

FORAMEN_Z = -67.0
"""Height of the foramen magnum: the intracranial space ends here."""


def cavity(points: Points) -> Floats:
    """Distance to the dura: cerebral vault, middle and posterior fossae, spinal canal below."""
    mirrored = Points(np.abs(points.x), points.y, points.z)
    vault = ellipsoid(points, (0, 0, 18), (67, 85, 55))
    space = union(vault, ellipsoid(mirrored, (37, -18, -22), (28, 33, 25)), 9)
    space = union(space, ellipsoid(points, (0, 42, -34), (52, 40, 35)), 9)
    canal = 11 - np.sqrt(points.x**2 + (points.y - 29) ** 2)
    return union(space, np.minimum(canal, -57 - points.z), 10)


def flank(points: Points) -> Floats:
    """Distance to the outer skull beside the base, where bone fills the waist between the fossae."""
    oval = ellipsoid(points, (0, 8, -16), (71, 84, 74))
    return np.minimum(oval, np.minimum(points.z + 52, points.y + 38))


def skin(points: Points, dura: Floats, bone_mm: Floats, scalp_mm: Floats) -> Floats:
    """Distance to the skin: scalp over the skull, face, nose, ears and neck."""
    mirrored = Points(np.abs(points.x), points.y, points.z)
    # Muscle over the temple and at the nape.
    padding = 7 * np.exp(
        -(((mirrored.x - 62) / 22) ** 2) - ((points.y + 22) / 26) ** 2 - ((points.z + 12) / 30) ** 2
    )
    surface = union(dura + bone_mm, flank(points), 10) + scalp_mm + padding
    face = union(
        ellipsoid(points, (0, -40, -58), (60, 58, 78)), ellipsoid(points, (0, -102, -52), (14, 16, 24)), 8
    )
    surface = union(surface, face, 14)
    neck = np.minimum(
        (1 - np.sqrt((points.x / 62) ** 2 + ((points.y - 26) / 66) ** 2)) * 62, (-40 - points.z) * 0.8
    )
    surface = union(surface, neck, 16)
    ear = np.minimum(ellipsoid(mirrored, (81, 16, -38), (8, 15, 26), -25), 4.0)
    return union(surface, ear, 4)


def thickness(points: Points, anatomy: Anatomy, rough: Floats) -> Floats:
    """Thickness of the skull in mm: thin at the temples, thick at the back."""
    side = np.abs(points.x)
    temple = np.exp(-(((side - 62) / 16) ** 2) - ((points.y + 22) / 28) ** 2 - ((points.z + 6) / 24) ** 2)
    back = np.exp(-((points.x / 30) ** 2) - ((points.y - 84) / 25) ** 2 - ((points.z + 8) / 22) ** 2)
    bone: Floats = (anatomy.skull_mm + 0.9 * rough) * (1 - 0.40 * temple + 0.35 * back)
    return np.clip(bone, 3.6, 10.5, out=bone)


def outside_brain(
    points: Points,
    dura: Floats,
    surface: Floats,
    bone_mm: Floats,
    texture: Floats,
    anatomy: Anatomy,
    soft: float,
) -> Floats:
    """HU of everything but the brain at points inside the skin; the cavity is left as tissue."""
    mirrored = Points(np.abs(points.x), points.y, points.z)
    # Skin, fat below it, then muscle with fat between the bundles.
    hu = np.full_like(dura, 20.0)
    paint(hu, cover(surface - 2.0, soft), -95 + 12 * texture)
    paint(hu, cover(surface - np.minimum(4.2, 2.2 + 0.3 * anatomy.scalp_mm), soft), 52 + 5 * texture)
    planes = 0.8 * slab(np.abs(texture) * 3.4, 0.35, soft) * cover(surface - 8.0, 3.0)
    paint(hu, planes, -90.0)
    low = np.flatnonzero((points.z < 22) & (dura < soft))
    hu[low] = _face(mirrored.take(low), hu[low], texture[low], anatomy, soft)
    shell = np.flatnonzero((dura < soft) & (dura > -bone_mm - soft))
    hu[shell] = _skull(
        points.take(shell), hu[shell], dura[shell], bone_mm[shell], texture[shell], anatomy, soft
    )
    return hu


def _skull(
    points: Points, hu: Floats, dura: Floats, bone_mm: Floats, texture: Floats, anatomy: Anatomy, soft: float
) -> Floats:
    depth = -dura / bone_mm
    base = cover(-24 - points.z + 0.18 * points.y, 14.0)
    diploe = np.clip(1 - np.abs(depth - 0.52) * 3.4, 0, 1) * np.clip((bone_mm - 3.8) / 2.0, 0, 1)
    bone = 1280 + 90 * texture - 760 * diploe - 380 * base
    share = cover(-dura, soft) * cover(dura + bone_mm, soft)
    # Below the foramen the "skull" is a spine: arches with soft gaps between them.
    spine = cover(FORAMEN_Z - 3 - points.z, 4.0)
    share *= 1 - spine * np.clip(0.5 + 1.4 * np.cos((points.z - FORAMEN_Z) * (2 * np.pi / 19)), 0, 1)
    # Mastoid air cells, and the foramina of the base.
    side = np.abs(points.x)
    mastoid = ellipsoid(Points(side, points.y, points.z), (55, 26, -42), (12, 16, 17))
    bone = np.where((mastoid > 0) & (np.abs(texture) > 0.55), -650.0, bone)
    for x, y, radius in ((19.0, -8.0, 3.2), (24.0, 12.0, 4.0), (14.0, -40.0, 3.2)):
        share *= 1 - cover(radius - np.hypot(side - x, points.y - y), soft) * base
    out = hu.copy()
    paint(out, share, bone)
    frontal = ellipsoid(Points(side, points.y, points.z), (11 * anatomy.sinuses, -93, 2), (11, 5, 15))
    frontal = np.minimum(frontal + 3 * (anatomy.sinuses - 1), np.minimum(-dura, dura + bone_mm + 4) - 1.2)
    paint(out, cover(frontal, soft), -950.0)
    return out


def _face(points: Points, hu: Floats, texture: Floats, anatomy: Anatomy, soft: float) -> Floats:
    """Orbits, sinuses, petrous bones, cheek and jaw; ``points.x`` is the absolute value."""
    big = anatomy.sinuses
    # The waist between middle and posterior fossa is spongy bone with a dense outer table.
    beside = flank(points)
    paint(hu, cover(beside, soft), 420 + 160 * texture)
    paint(hu, slab(np.abs(beside - 1.5), 1.5, soft), 1150.0)
    # Dense bone first, then the cavities in it.
    for centre, axes, turn, value in (
        ((36.0, 12.0, -40.0), (30.0, 11.0, 11.0), 32.0, 1150.0),  # petrous pyramid
        ((56.0, 26.0, -44.0), (13.0, 17.0, 20.0), 0.0, 820.0),  # mastoid
        ((0.0, -16.0, -46.0), (21.0, 24.0, 15.0), 0.0, 620.0),  # sphenoid and clivus
        ((0.0, -62.0, -40.0), (17.0, 30.0, 20.0), 0.0, 350.0),  # ethmoid
        ((26.0, -58.0, -64.0), (16.0 * big, 19.0, 20.0), 0.0, 900.0),  # maxilla
        ((52.0, -58.0, -52.0), (7.0, 15.0, 9.0), -35.0, 950.0),  # cheek bone
        ((63.0, -30.0, -54.0), (3.0, 26.0, 4.5), 0.0, 950.0),  # zygomatic arch
        ((50.0, -10.0, -72.0), (5.5, 10.0, 25.0), 0.0, 1000.0),  # jaw
        ((16.0, 24.0, -76.0), (13.0, 9.0, 8.0), 0.0, 650.0),  # condyles and atlas
    ):
        paint(hu, cover(ellipsoid(points, centre, axes, turn), soft), value)
    orbit = ellipsoid(points, (32.0, -66.0, -29.0), (19.5, 27.0, 17.5), 18.0)
    paint(hu, cover(orbit + 2.2, soft), 800.0)
    paint(hu, cover(orbit, soft), -85.0)
    # The optic nerve, and the straight muscles along the wall.
    nerve = np.hypot(points.x - 27 + 0.10 * (points.y + 58), points.z + 29)
    paint(hu, slab(nerve, 2.4, soft) * cover(orbit - 1, soft), 45.0)
    paint(hu, slab(np.abs(orbit - 4.5), 1.5, soft) * cover(7 - np.abs(points.z + 29), soft), 50.0)
    globe = ellipsoid(points, (33.0, -80.0, -29.0), (12.2, 12.2, 12.2))
    paint(hu, cover(globe + 1.0, soft), 45.0)
    paint(hu, cover(globe, soft), 10.0)
    paint(hu, cover(ellipsoid(points, (33.0, -89.5, -29.0), (4.6, 2.4, 4.6)), soft), 75.0)
    cells = cover(ellipsoid(points, (5.5, -63.0, -39.0), (11.0, 25.0, 15.0)), soft)
    walls = slab(np.abs(np.sin(points.x * 0.42) * np.sin(points.y * 0.30 + texture)) * 5.0, 0.7, soft)
    paint(hu, cells, -900 + 1100 * walls)
    sphenoid = ellipsoid(points, (2.0, -24.0, -45.0), (12.0 * big, 13.0 * big, 9.0 * big))
    paint(hu, cover(sphenoid, soft), -960.0)
    maxilla = ellipsoid(points, (26.0, -58.0, -64.0), (13.5 * big, 16.0 * big, 17.5 * big))
    paint(hu, cover(maxilla, soft), -960.0)
    nose = ellipsoid(points, (4.0, -66.0, -68.0), (12.0, 36.0, 20.0))
    turbinates = np.clip(np.abs(texture) * 1.6 - 0.3, 0, 1)
    paint(hu, cover(nose, soft), -950 + 1000 * turbinates)
    paint(hu, slab(points.x, 0.8, soft) * cover(nose + 1, soft), 250.0)
    throat = ellipsoid(points, (0.0, -28.0, -82.0), (13.0, 9.0, 24.0))
    paint(hu, cover(throat, soft), -970.0)
    canal = 3.2 - np.hypot(points.y - 13, points.z + 42)
    paint(hu, cover(np.minimum(canal, points.x - 38), soft), -850.0)
    return hu
