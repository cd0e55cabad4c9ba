"""The brain: grey ribbon, white matter, nuclei, ventricles, sulci and cisterns, in HU.

Shapes are in the same model millimetres as in ``skull``.
"""

import numpy as np

from nameplate_phantom.patient import Anatomy
from nameplate_phantom.shape import Floats, Points, cover, ellipsoid, paint, slab, union

WAVELENGTH_MM = 23.0
"""Wavelength of the folds: a sulcus about every half wavelength."""
_SLOPE_MM = WAVELENGTH_MM / (2 * np.pi)


def brain(
    points: Points, dura: Floats, fold: Floats, mottle: Floats, anatomy: Anatomy, soft: float
) -> Floats:
    """HU inside the dura.

    ``dura`` is the distance to it, ``fold`` a field of unit spread with the wavelength of the sulci,
    ``mottle`` a slow field of unit spread, ``soft`` the voxel size in mm.
    """
    x = np.abs(points.x)
    sided = Points(x, points.y, points.z)
    csf, grey, white, age = anatomy.csf_hu, anatomy.grey_hu, anatomy.white_hu, anatomy.atrophy
    front = np.clip(-points.y / 80, 0, 1)
    gap = (0.5 + 2.3 * age) * (0.8 + 0.5 * front + 0.18 * mottle)
    depth = dura - gap
    tent = points.z + 3 + 0.33 * x + 0.36 * (points.y - 18)
    behind = points.y - 3 - 0.35 * x
    below = np.minimum(-tent, behind)

    # Sulci: folded sheets that reach some 16 mm below the surface, and the fissure between the halves.
    callosum = 1 - np.sqrt(((points.y + 2) / 45) ** 2 + ((points.z - 4) / 27) ** 2)
    midline = np.maximum(x, np.maximum(callosum, -(points.z + 14) / 30) * 40)
    sheet = np.abs(fold) * _SLOPE_MM + np.maximum(depth - 16 - 6 * mottle, 0) * 0.8
    width = np.maximum(0.12 + 1.15 * age * (0.7 + 0.5 * front) + 0.12 * mottle, 0.05)
    sylvian = _sylvian(sided, dura)
    pial = np.minimum(np.minimum(depth, sheet - width), np.minimum(midline - 1.2, sylvian - 0.5))
    ribbon = 2.9 - 0.4 * age
    hu = np.asarray(white + 0.7 * mottle, dtype=np.float32)
    ventricle = _ventricles(sided, anatomy.ventricles)
    if anatomy.leukoaraiosis_hu:
        hu -= anatomy.leukoaraiosis_hu * np.exp(np.minimum(ventricle, 0) / 7)
    paint(hu, cover(ribbon - pial, soft), grey)
    for centre, axes, turn in (
        ((13.0, -20.0, 13.0), (5.0, 10.0, 10.0), 15.0),  # caudate head
        ((15.5, 2.0, 20.0), (3.0, 16.0, 4.0), -8.0),  # caudate body
        ((10.5, 11.0, 5.0), (9.0, 15.0, 9.5), -20.0),  # thalamus
        ((25.0, -7.0, 5.0), (6.5, 17.0, 10.0), 14.0),  # lentiform nucleus
    ):
        paint(hu, cover(ellipsoid(sided, centre, axes, turn), soft), grey)
    paint(hu, slab(sheet, width, soft) * cover(18 - depth, 4.0), csf)
    paint(hu, slab(sylvian, 0.6 + 1.5 * age, soft), csf)
    paint(hu, slab(midline, 0.5 + 0.9 * age, soft), csf)

    _below_the_tent(hu, sided, below, fold, anatomy, soft)
    for centre, axes in (
        ((0.0, -12.0, -22.0), (12.0, 8.0, 5.5)),  # suprasellar
        ((0.0, 32.0, -2.0), (13.0, 4.5, 6.0)),  # quadrigeminal
        ((0.0, 64.0, -58.0), (15.0, 10.0, 9.0)),  # cisterna magna
        ((0.0, 0.5, -38.0), (14.0, 3.2, 15.0)),  # prepontine
    ):
        grown = ellipsoid(sided, centre, axes) + 1.6 * (age - 0.4)
        paint(hu, cover(grown, soft), csf)
    ambient = (
        np.abs(np.hypot(points.x, points.y - 13) - 18.5)
        + np.abs(points.z + 12) * 0.2
        + np.maximum(8 - points.y, 0)
    )
    paint(hu, slab(ambient, 0.6 + 1.1 * age, soft), csf)
    paint(hu, cover(ventricle, soft), csf)
    if anatomy.choroid_hu:
        paint(hu, cover(ellipsoid(sided, (22, 36, 10), (2.2, 3.4, 2.6)), soft), anatomy.choroid_hu)
    if anatomy.pineal_hu:
        paint(hu, cover(ellipsoid(sided, (0, 27, 2), (2.4, 2.4, 2.4)), soft), anatomy.pineal_hu)

    # CSF below the dura; the falx and the tent on top of everything.
    paint(hu, cover(-depth, soft), csf)
    falx = np.maximum(x, np.maximum(callosum + 0.22, -(points.z + 6) / 30) * 40)
    paint(hu, slab(falx, 0.45, soft), 50.0)
    edge = np.hypot(points.x, points.y - 16) - 24
    paint(hu, slab(np.abs(tent) * 0.88, 0.6, soft) * cover(np.minimum(edge, behind), soft), 52.0)
    # Veins: the superior sagittal sinus, and its confluence.
    sinus = 3.6 - np.hypot(points.x, (dura - 2.5) * 1.3)
    paint(hu, cover(np.minimum(sinus, np.minimum(points.z - 4, points.y + 60)), soft), 54.0)
    return hu


def _sylvian(sided: Points, dura: Floats) -> Floats:
    """Unsigned distance to the Sylvian fissure and the insular cistern."""
    lid = np.abs(sided.z + 2 - 0.22 * (sided.y + 15)) + np.maximum(np.abs(sided.y + 8) - 24, 0)
    lid = lid + np.maximum(37 - sided.x, 0) + np.maximum(dura - 26, 0)
    insula = np.abs(sided.x - 37 - 0.05 * sided.y) + np.maximum(np.abs(sided.y + 6) - 17, 0)
    insula = insula + np.maximum(np.abs(sided.z - 4) - 10, 0)
    nearest: Floats = np.minimum(lid, insula)
    return nearest


def _ventricles(sided: Points, scale: float) -> Floats:
    s = scale
    space = ellipsoid(sided, (8.0, -26.0, 14.0), (4.6 * s, 13.0, 7.5 * s), -22.0)
    for centre, axes, turn in (
        ((10.5, 2.0, 22.0), (5.0 * s, 25.0, 5.0 * s), 8.0),  # body
        ((22.0, 33.0, 12.0), (6.0 * s, 14.0, 8.0 * s), -30.0),  # atrium
        ((23.0, 52.0, 7.0), (3.2 * s, 13.0, 4.5 * s), 8.0),  # occipital horn
        ((32.0, 10.0, -11.0), (2.4 * s, 15.0, 2.8 * s), -14.0),  # temporal horn
    ):
        space = union(space, ellipsoid(sided, centre, axes, turn), 4)
    third = ellipsoid(sided, (0.0, 4.0, 0.0), (2.6 * s * s, 14.0, 11.0))
    return np.maximum(space, third)


def _below_the_tent(
    hu: Floats, sided: Points, below: Floats, fold: Floats, anatomy: Anatomy, soft: float
) -> None:
    """Cerebellum and brain stem, painted over the cerebrum."""
    csf, grey, white = anatomy.csf_hu, anatomy.grey_hu, anatomy.white_hu
    inside = cover(below, soft)
    leaves = white + (grey - white) * np.clip(0.72 + 0.35 * np.sin(2.6 * fold), 0, 1)
    paint(hu, inside, leaves)
    core = ellipsoid(sided, (17.0, 40.0, -32.0), (15.0, 14.0, 9.0))
    paint(hu, inside * cover(core, 3.0), white)
    folia = np.abs(np.sin((sided.z + 0.5 * sided.y) * 0.55 + fold))
    paint(hu, inside * slab(folia * 1.8, 0.10 + 0.25 * anatomy.atrophy, soft), csf)
    stem = 13.5 - np.hypot(sided.x, (sided.y - 14 - 0.12 * (-sided.z - 15)) * 1.05)
    stem = np.minimum(stem, np.minimum(-4 - sided.z, sided.z + 74))
    pons = union(stem, ellipsoid(sided, (0.0, 12.0, -32.0), (17.0, 12.0, 13.0)), 4)
    around = cover(pons + 1.5, soft) * cover(sided.z + 72, soft)
    paint(hu, around * cover(sided.y * -1 + 24, soft) * cover(-8 - sided.z, 4.0), csf)
    paint(hu, cover(pons, soft), 0.45 * grey + 0.55 * white)
    # The cord below the foramen, in its canal.
    canal = cover(-64 - sided.z, 4.0)
    paint(hu, canal, csf)
    paint(hu, canal * cover(5.5 - np.hypot(sided.x, sided.y - 29), soft), 0.5 * (grey + white))
    fourth = ellipsoid(sided, (0.0, 29.0, -36.0), (6.5 * anatomy.ventricles, 5.0, 9.0))
    paint(hu, cover(fourth, soft), csf)
