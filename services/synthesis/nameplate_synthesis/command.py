"""``nameplate synthesis``: one sphere into one brain."""

import json
import math
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from nameplate.errors import UserError
from nameplate.image.affine import has_perpendicular_axes
from nameplate.image.sphere import draw_centre, insert, room_mm, shifted
from nameplate.image.volume import Volume, read_nifti, write_nifti_for_user
from nameplate.service.command import Command
from nameplate.steps.synthesis import Sphere
from nameplate.streams import stream


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("image", type=Path, metavar="IMAGE.nii.gz", help="a head CT in HU")
    parser.add_argument("mask", type=Path, metavar="MASK.nii.gz", help="its brain mask")
    parser.add_argument("out", type=Path, metavar="OUT.nii.gz", help="the image with the sphere")
    parser.add_argument("--radius-mm", type=float, default=23.0, help="radius in mm (default: 23)")
    parser.add_argument("--hu", type=float, default=50.0, help="mean intensity in HU (default: 50)")
    parser.add_argument("--sd", type=float, default=2.0, help="its standard deviation in HU (default: 2)")
    parser.add_argument(
        "--intensity",
        choices=("per_voxel", "per_sphere"),
        default="per_voxel",
        help="draw the intensity for each voxel, or once (default: per_voxel)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of place and intensity (default: 0)")


def _read(options: Namespace) -> tuple[Volume, Volume]:
    """The image as int16 HU, and its mask."""
    image, mask = read_nifti(options.image), read_nifti(options.mask)
    if image.array.shape != mask.array.shape:
        raise UserError(f"{options.mask}: shape {mask.array.shape}, the image has {image.array.shape}")
    if not np.isin(mask.array, (0, 1)).all():
        raise UserError(f"{options.mask}: not a mask, it has values other than 0 and 1")
    if not np.allclose(image.affine, mask.affine, atol=1e-3):
        raise UserError(f"{options.mask}: not at the same place in the patient as the image")
    if not has_perpendicular_axes(image.affine):
        raise UserError(f"{options.image}: its axes are not perpendicular; resample it first")
    limits = np.iinfo(np.int16)
    if not (np.isfinite(image.array).all() and (np.abs(image.array) <= limits.max).all()):
        raise UserError(f"{options.image}: has values that are not HU")
    return image.with_array(np.rint(image.array).astype(np.int16)), mask


def _run(options: Namespace) -> int:
    for name, value, least in (("--radius-mm", options.radius_mm, 0.1), ("--sd", options.sd, 0.0)):
        if not least <= value < math.inf:
            raise UserError(f"{name}: expected a number from {least:g}, got {value:g}")
    if not abs(options.hu) <= np.iinfo(np.int16).max:
        raise UserError(f"--hu: expected an intensity in HU, got {options.hu:g}")
    image, mask = _read(options)
    room = room_mm(mask, options.radius_mm + 1.0)
    rng = stream(options.seed, "sphere", "centre")
    centre = draw_centre(rng, room, options.radius_mm, mask.affine)
    if centre is None:
        raise UserError(
            f"the brain has room for a sphere of {float(room.max()):.1f} mm, not of {options.radius_mm:g} mm"
        )
    sphere = Sphere(
        difficulty="single",
        centre_mm=shifted(rng, [mask], centre, options.radius_mm),
        radius_mm=options.radius_mm,
        hu_mean=options.hu,
        hu_sd=options.sd,
    )
    lesion = insert(image, sphere, stream(options.seed, "sphere", "intensity"), options.intensity)
    write_nifti_for_user(options.out, lesion)
    print(json.dumps(sphere.model_dump(mode="json", exclude={"difficulty"})))  # noqa: T201 (the output)
    return 0


COMMAND = Command(
    description="Draw a centre at which the whole sphere is inside the brain mask, blend the sphere into "
    "the image (voxels at its edge by the share that it fills), and print the sphere as one JSON line: "
    "centre in RAS mm, radius, mean and standard deviation in HU.",
    example="nameplate synthesis head.nii.gz mask.nii.gz lesion.nii.gz --radius-mm 15 --hu 40 --seed 1",
    add_arguments=_add_arguments,
    run=_run,
)
