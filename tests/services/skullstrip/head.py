"""Simulated heads with an exact intracranial truth: solids in millimetres, painted from outside to inside.

Coordinates are RAS mm, the origin in the middle of the cranial cavity. Edges have partial volume: each
voxel is the mean of several points along k, as a thick slice is, and slices are blurred as by a scanner.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nameplate.image.volume import Volume
from nameplate.streams import stream

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class HeadPlan:
    """What to simulate; the defaults are an adult head, whole and quiet."""

    shape: tuple[int, int, int] = (128, 128, 35)
    spacing_mm: tuple[float, float, float] = (1.8, 1.8, 5.0)
    noise_hu: float = 4.0
    blur_mm: float = 0.7
    """Standard deviation of the scanner's blur within the slice."""
    tilt_degrees: float = 0.0
    scale: float = 1.0
    """Size of the head; 0.6 is a newborn."""
    craniectomy_mm: float = 0.0
    """Radius of bone that is missing on the right."""
    bleed_mm: float = 0.0
    """Thickness of a subdural bleed on the left."""
    gas_mm: float = 0.0
    """Thickness of gas below the frontal bone."""
    offset_hu: float = 0.0
    """Calibration error of the scanner."""
    from_mm: float = -85.0
    """Where the scan begins, at the foot."""
    seed: int = 1


def simulate_head(plan: HeadPlan, points: int = 5) -> tuple[Volume, Volume]:
    """The image (int16 HU) and the intracranial truth (uint8) of a plan.

    ``points`` of a voxel along k are sampled; an odd number, so that no voxel is half inside.
    """
    hu = np.zeros(plan.shape, np.float32)
    share = np.zeros(plan.shape, np.float32)
    middle = [(count - 1) / 2.0 for count in plan.shape]
    x = ((np.arange(plan.shape[0]) - middle[0]) * plan.spacing_mm[0]).astype(np.float32)[:, None]
    y = ((np.arange(plan.shape[1]) - middle[1]) * plan.spacing_mm[1]).astype(np.float32)[None, :]
    angle = np.deg2rad(plan.tilt_degrees)
    for k in range(plan.shape[2]):
        for point in range(points):
            z = plan.from_mm + (k + (point + 0.5) / points) * plan.spacing_mm[2]
            along = (y * np.cos(angle) - z * np.sin(angle)) / plan.scale
            up = (y * np.sin(angle) + z * np.cos(angle)) / plan.scale
            painted, inside = _paint(x / plan.scale, along.astype(np.float32), up.astype(np.float32), plan)
            # The table does not tilt with the head.
            table = (np.abs(y + 108) < 3) & (np.abs(x) < 90)
            painted[np.broadcast_to(table & (painted < -500), painted.shape)] = 60.0
            hu[:, :, k] += painted / points
            share[:, :, k] += inside / np.float32(points)
    hu = ndimage.gaussian_filter(hu, [plan.blur_mm / step for step in plan.spacing_mm[:2]] + [0.0])
    noise = stream(plan.seed, "noise").normal(0.0, 1.0, plan.shape).astype(np.float32)
    image = np.rint(np.clip(hu + plan.offset_hu + plan.noise_hu * noise, -1024, 3071)).astype(np.int16)
    affine = np.diag([*plan.spacing_mm, 1.0])
    affine[:3, 3] = -middle[0] * plan.spacing_mm[0], -middle[1] * plan.spacing_mm[1], plan.from_mm
    return Volume(image, affine), Volume((share >= 0.5).astype(np.uint8), affine)


def _ball(x: Field, y: Field, z: Field, centre: tuple[float, ...], half: tuple[float, ...]) -> Mask:
    inside: Mask = (
        ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2 + ((z - centre[2]) / half[2]) ** 2
    ) < 1.0
    return inside


def _cavity(x: Field, y: Field, z: Field, t: float) -> Mask:
    """The intracranial space, blown up by ``t`` mm: cerebrum, temporal lobes, posterior fossa."""
    high = _ball(x, y, z, (0, 0, 8), (66 + t, 84 + t, 62 + t)) & (z > -14 - t)
    pole = _ball(np.abs(x), y, z, (36, 14, -22), (24 + t, 32 + t, 26 + t))
    back = _ball(x, y, z, (0, -36, -24), (54 + t, 42 + t, 36 + t))
    return high | pole | back


def _paint(x: Field, y: Field, z: Field, plan: HeadPlan) -> tuple[Field, Mask]:
    x = np.broadcast_to(x, np.broadcast_shapes(x.shape, y.shape))
    hu: Field = np.full(x.shape, -1000.0, np.float32)
    canal = (np.hypot(x, y + 30) < 10) & (z < -52)

    hu[_cavity(x, y, z, 13)] = -90.0
    hu[_cavity(x, y, z, 10)] = 45.0
    face = _ball(x, y, z, (0, 48, -62), (58, 48, 58)) | ((np.hypot(x, (y + 12) * 0.85) < 62) & (z < -40))
    hu[face & (hu < -500)] = -80.0
    hu[_ball(x, y, z, (0, 46, -62), (52, 44, 54)) & (hu < 0)] = 50.0
    hu[(np.hypot(x, (y + 12) * 0.85) < 56) & (z < -40) & (hu < 0)] = 55.0

    thick = 6.0
    bone = _cavity(x, y, z, thick)
    bone |= _ball(x, y, z, (0, 40, -34), (30, 34, 22))
    bone |= _ball(np.abs(x), y, z, (54, -30, -34), (16, 16, 18))
    bone |= (np.hypot(x, y + 30) < 19) & (z < -56)
    hu[bone] = 900.0
    hu[_cavity(x, y, z, 3.8) & ~_cavity(x, y, z, 2.2) & (z > 0)] = 500.0
    # Sinuses, mastoid cells, orbits with fat, globe and muscle.
    hu[_ball(x, y, z, (0, 42, -34), (22, 28, 14))] = -1000.0
    cells = (np.sin(x * 1.3) * np.sin(y * 1.3) * np.sin(z * 1.3)) > -0.2
    hu[_ball(np.abs(x), y, z, (56, -30, -36), (11, 10, 11)) & cells] = -900.0
    hu[_ball(np.abs(x), y, z, (33, 68, -36), (21, 26, 20)) & ~_cavity(x, y, z, 0)] = 900.0
    hu[_ball(np.abs(x), y, z, (33, 72, -36), (18.5, 27, 17.5)) & ~_cavity(x, y, z, 2)] = -90.0
    hu[_ball(np.abs(x), y, z, (33, 82, -36), (12, 12, 12))] = 20.0
    hu[(np.hypot(np.abs(x) - 31, z + 36) < 5) & (y > 48) & (y < 76)] = 45.0

    inside = _cavity(x, y, z, 0)
    hu[inside] = 10.0
    tissue = _cavity(x, y, z, -3)
    ripple = np.sin(x / 7.0) * np.cos(y / 9.0) * np.sin(z / 8.0)
    hu[tissue] = (32.0 + 5.0 * ripple)[tissue].astype(np.float32)
    hu[_ball(np.abs(x), y, z, (11, 2, 14), (7, 30, 11)) | _ball(x, y, z, (0, 8, 0), (3, 14, 9))] = 8.0
    hu[_ball(np.abs(x), y, z, (18, -24, 12), (3, 4, 4)) | _ball(x, y, z, (0, -22, 2), (3, 3, 3))] = 180.0
    hu[(np.abs(x) < 1.2) & tissue & (z > 10)] = 55.0

    hu[canal] = 20.0
    hu[canal & (np.hypot(x, y + 30) < 6)] = 35.0
    ridge = _ball(np.abs(x), y, z, (36, -8, -34), (20, 7, 8))
    hu[ridge & inside] = 900.0
    inside = inside & ~ridge
    if plan.bleed_mm:
        edge = inside & ~_cavity(x, y, z, -plan.bleed_mm) & (x < -25) & (z > -5)
        hu[edge] = 75.0
    if plan.gas_mm:
        edge = inside & ~_cavity(x, y, z, -plan.gas_mm) & (y > 45) & (np.abs(x) < 30) & (z > 10)
        hu[edge] = -1000.0
    if plan.craniectomy_mm:
        hole = _ball(x, y, z, (66, 0, 20), (plan.craniectomy_mm,) * 3) & _cavity(x, y, z, thick + 1) & ~inside
        hu[hole & (z > -12)] = 40.0
    return hu, inside


def dice(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Overlap of two masks, 0..1."""
    one, two = first > 0, second > 0
    return 2.0 * float(np.count_nonzero(one & two)) / max(float(one.sum() + two.sum()), 1.0)


PLANS: dict[str, HeadPlan] = {
    "plain": HeadPlan(),
    "full matrix": HeadPlan(shape=(256, 256, 35), spacing_mm=(0.9, 0.9, 5.0)),
    "fine": HeadPlan(shape=(160, 160, 70), spacing_mm=(1.4, 1.4, 2.5)),
    "demo 3.5 mm": HeadPlan(shape=(64, 64, 34), spacing_mm=(3.5, 3.5, 5.0)),
    "demo 4 mm": HeadPlan(shape=(64, 64, 34), spacing_mm=(4.0, 4.0, 5.0)),
    "demo 4 mm noise 15": HeadPlan(shape=(64, 64, 34), spacing_mm=(4.0, 4.0, 5.0), noise_hu=15),
    "demo 4 mm tilt 20": HeadPlan(shape=(64, 64, 38), spacing_mm=(4.0, 4.0, 5.0), tilt_degrees=20),
    "demo 4 mm craniectomy 45": HeadPlan(shape=(64, 64, 34), spacing_mm=(4.0, 4.0, 5.0), craniectomy_mm=45),
    "noise 10": HeadPlan(noise_hu=10),
    "noise 20": HeadPlan(noise_hu=20),
    "full matrix noise 20": HeadPlan(shape=(256, 256, 35), spacing_mm=(0.9, 0.9, 5.0), noise_hu=20),
    "craniectomy 25": HeadPlan(craniectomy_mm=25),
    "craniectomy 35": HeadPlan(craniectomy_mm=35),
    "craniectomy 45": HeadPlan(craniectomy_mm=45),
    "bleed 8": HeadPlan(bleed_mm=8),
    "bleed 15": HeadPlan(bleed_mm=15),
    "gas 8": HeadPlan(gas_mm=8),
    "tilt 10": HeadPlan(tilt_degrees=10, shape=(128, 128, 38)),
    "tilt 25": HeadPlan(tilt_degrees=25, shape=(128, 128, 38), from_mm=-90),
    "tilt -15": HeadPlan(tilt_degrees=-15, shape=(128, 128, 38), from_mm=-90),
    "base cropped": HeadPlan(from_mm=-30, shape=(128, 128, 24)),
    "vertex cropped": HeadPlan(shape=(128, 128, 24)),
    "both cropped": HeadPlan(from_mm=-30, shape=(128, 128, 14)),
    "child 0.8": HeadPlan(scale=0.8),
    "child 0.6": HeadPlan(scale=0.6),
    "newborn 0.5": HeadPlan(scale=0.5, shape=(128, 128, 30)),
    "large 1.1": HeadPlan(scale=1.1, from_mm=-95, shape=(128, 128, 38)),
    "reads 12 low": HeadPlan(offset_hu=-12),
    "slices 7.5 mm": HeadPlan(spacing_mm=(1.8, 1.8, 7.5), shape=(128, 128, 23)),
    "slices 10 mm": HeadPlan(spacing_mm=(1.8, 1.8, 10.0), shape=(128, 128, 17)),
}
"""Simulations by name; 'gas', 'reads 12 low' and '10 mm' are known weaknesses of the method."""
