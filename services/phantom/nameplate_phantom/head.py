"""A whole head on the simulation grid: HU, intracranial mask, and where everything is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.streams import stream
from nameplate_phantom.brain import WAVELENGTH_MM, brain
from nameplate_phantom.patient import Anatomy
from nameplate_phantom.shape import Floats, Points
from nameplate_phantom.skull import FORAMEN_Z, cavity, outside_brain, skin, thickness
from nameplate_phantom.voxel_grid import VoxelGrid, folded_field, refine, smooth_field

AIR_HU = -1000.0
# The simulated part of the model, in model mm: x, y and z from and to.
_EXTENT = ((-92.0, 92.0), (-122.0, 104.0), (-96.0, 96.0))


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The simulated head, without noise or any effect of a scanner."""

    grid: VoxelGrid
    hu: Floats
    """Axes (z, y, x)."""
    intracranial: NDArray[np.bool_]
    inside: NDArray[np.intp]
    """Flat indices of the voxels inside the skin, in ascending order."""
    points: Points
    """Model mm of those voxels."""
    dura: Floats
    """Distance to the dura of those voxels in mm, positive in the cranial cavity."""
    rotation: NDArray[np.float64]
    """From model to patient axes, 3 x 3."""
    scale: NDArray[np.float64]
    """Patient mm per model mm along the model's axes."""
    centre: NDArray[np.float64]
    """The model's origin in patient LPS mm."""

    @property
    def volume_ml(self) -> float:
        """Volume of the intracranial mask in mL."""
        return float(self.intracranial.sum()) * self.grid.step_mm**3 / 1000.0

    def place(self, model_mm: tuple[float, float, float]) -> NDArray[np.float64]:
        """Where a point of the model is in the patient (LPS mm), without the random warp."""
        placed: NDArray[np.float64] = self.rotation @ (self.scale * np.asarray(model_mm)) + self.centre
        return placed

    def top(self, tilt_degrees: float) -> NDArray[np.float64]:
        """The highest voxel of the head (LPS mm) for a gantry with this tilt."""
        c, s = np.cos(np.radians(tilt_degrees)), np.sin(np.radians(tilt_degrees))
        x, y, z = self.grid.axes()
        some = self.inside[self.points.z > 0]
        k, rest = np.divmod(some, len(y) * len(x))
        j, i = np.divmod(rest, len(x))
        best = int(np.argmax(y[j] * s + z[k] * c))
        return np.array([x[i[best]], y[j[best]], z[k[best]]], dtype=np.float64)


def _rotation(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    (ca, cb, cc), (sa, sb, sc) = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, ca, -sa], [0, sa, ca]])
    about_y = np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    about_z = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    turned: NDArray[np.float64] = about_z @ about_y @ about_x
    return turned


def _grid_around(
    rotation: NDArray[np.float64], scale: NDArray[np.float64], centre: NDArray[np.float64], step_mm: float
) -> VoxelGrid:
    corners = np.stack(np.meshgrid(*_EXTENT, indexing="ij"), axis=-1).reshape(-1, 3) * scale
    # A turned box grows at its corners, where there is no head: turn it halfway.
    placed = 0.5 * (corners @ rotation.T + corners)
    low, high = placed.min(axis=0) + centre, placed.max(axis=0) + centre
    x, y, z = (int(np.ceil(length / step_mm)) + 1 for length in high - low)
    return VoxelGrid(origin=(float(low[0]), float(low[1]), float(low[2])), step_mm=step_mm, shape=(z, y, x))


def _model_points(
    grid: VoxelGrid,
    rotation: NDArray[np.float64],
    scale: NDArray[np.float64],
    centre: NDArray[np.float64],
    warp: tuple[Floats, Floats, Floats] | None,
) -> Points:
    """Model mm of every voxel: the pose undone, then the warp added."""
    axes = [axis - np.float32(middle) for axis, middle in zip(grid.axes(), centre, strict=True)]
    undo = (rotation.T / scale[:, None]).astype(np.float32)
    coordinates = []
    for row in range(3):
        in_plane = undo[row, 1] * axes[1][:, None] + undo[row, 0] * axes[0][None, :]
        coordinate = (undo[row, 2] * axes[2])[:, None, None] + in_plane[None]
        if warp is not None:
            coordinate += warp[row]
        coordinates.append(coordinate)
    return Points(*coordinates)


def build_head(
    seed: int,
    names: tuple[str | int, ...],
    anatomy: Anatomy,
    origin: tuple[float, float, float],
    step_mm: float,
) -> Head:
    """Build the head of this anatomy; its random shape comes from the stream of ``names``.

    ``origin`` is the isocentre in patient LPS mm, ``step_mm`` the voxel size of the simulation.
    The head is scaled to the intracranial volume that the anatomy asks for.
    """
    rotation = _rotation(anatomy.turn_degrees)
    centre = np.asarray(origin, dtype=np.float64) + np.asarray(anatomy.shift_mm)
    stretch = np.asarray(anatomy.stretch)

    def warp_on(grid: VoxelGrid) -> tuple[Floats, Floats, Floats]:
        fields = []
        for axis in "xyz":
            slow = smooth_field(stream(seed, *names, "warp", axis), grid, 58.0)
            fields.append(slow * np.float32(2.4))
        return fields[0], fields[1], fields[2]

    # The volume of the warped shape is measured on a coarse grid first, to set the scale.
    coarse = _grid_around(rotation, stretch, centre, 6.0)
    probe = _model_points(coarse, rotation, stretch, centre, warp_on(coarse))
    share = np.clip(cavity(probe) / 6.0 + 0.5, 0, 1)[probe.z > FORAMEN_Z].sum()
    scale = stretch * np.cbrt(anatomy.volume_ml / (float(share) * 6.0**3 / 1000.0))

    # Warp and distances are smooth: every other voxel is enough, the rest is interpolated.
    grid = _grid_around(rotation, scale, centre, step_mm)
    half = grid.halved()
    sparse = _model_points(half, rotation, scale, centre, warp_on(half))
    rough_half = smooth_field(stream(seed, *names, "rough"), half, 30.0)
    dura_half = cavity(sparse)
    bone_half = thickness(sparse, anatomy, rough_half)
    scalp_mm = anatomy.scalp_mm * (1 + 0.10 * rough_half)
    surface = refine(skin(sparse, dura_half, bone_half, scalp_mm), grid).ravel()

    soft = step_mm
    inside = np.flatnonzero(surface > -soft)
    surface = surface[inside]
    x, y, z, dura, bone_mm, rough = (
        refine(field, grid).ravel()[inside]
        for field in (sparse.x, sparse.y, sparse.z, dura_half, bone_half, rough_half)
    )
    flat = Points(x, y, z)
    fold = folded_field(stream(seed, *names, "fold"), grid, WAVELENGTH_MM).ravel()[inside]
    tissue = outside_brain(flat, dura, surface, bone_mm, fold, anatomy, soft)
    core = np.flatnonzero(dura > -soft)
    within = brain(flat.take(core), dura[core], fold[core], rough[core], anatomy, soft)
    share_inside = np.clip(dura[core] * (1 / soft) + 0.5, 0, 1)
    tissue[core] += share_inside * (within - tissue[core])

    hu = np.full(grid.shape, AIR_HU, dtype=np.float32)
    cover_skin = np.clip(surface * (1 / soft) + 0.5, 0, 1)
    hu.ravel()[inside] = AIR_HU + cover_skin * (tissue - AIR_HU)
    intracranial = np.zeros(grid.shape, dtype=bool)
    intracranial.ravel()[inside] = (dura > 0) & (flat.z > FORAMEN_Z)
    return Head(grid, hu, intracranial, inside, flat, dura, rotation, scale, centre)
