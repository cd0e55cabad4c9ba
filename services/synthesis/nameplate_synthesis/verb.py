"""``nameplate synthesis``: one sphere into one brain."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from nameplate.errors import UserError
from nameplate.image.volume import nifti_bytes, read_nifti
from nameplate.records import Sphere
from nameplate.streams import stream
from nameplate.verb import Verb
from nameplate_synthesis.sphere import draw_centre, insert, room_mm


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("image", type=Path, metavar="IMAGE.nii.gz", help="a head CT in HU")
    parser.add_argument("mask", type=Path, metavar="MASK.nii.gz", help="its brain mask")
    parser.add_argument("out", type=Path, metavar="OUT.nii.gz", help="the image with the sphere")
    parser.add_argument("--radius-mm", type=float, default=23.0, help="radius in mm (default: 23)")
    parser.add_argument("--hu", type=float, default=50.0, help="mean intensity in HU (default: 50)")
    parser.add_argument("--sd", type=float, default=2.0, help="its standard deviation in HU (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="seed of place and intensity (default: 0)")


def _run(options: Namespace) -> int:
    if options.radius_mm <= 0 or options.sd < 0:
        raise UserError("--radius-mm must be above 0 and --sd not below 0")
    image, mask = read_nifti(options.image), read_nifti(options.mask)
    if image.array.shape != mask.array.shape:
        raise UserError(f"{options.mask}: shape {mask.array.shape}, the image has {image.array.shape}")
    room = room_mm(mask, options.radius_mm + max(mask.spacing_mm))
    centre = draw_centre(stream(options.seed, "sphere", "centre"), room, options.radius_mm, mask.affine)
    if centre is None:
        raise UserError(
            f"the brain has room for a sphere of {float(room.max()):.1f} mm, not of {options.radius_mm:g} mm"
        )
    sphere = Sphere(
        level="single", centre_mm=centre, radius_mm=options.radius_mm, hu_mean=options.hu, hu_sd=options.sd
    )
    made = insert(image, sphere, stream(options.seed, "sphere", "intensity"), "per_voxel")
    temporary = options.out.with_name(f".{options.out.name}.part")
    try:
        temporary.write_bytes(nifti_bytes(made))
        temporary.replace(options.out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(f"{options.out}: cannot be written: {error.strerror}") from error
    print(json.dumps(sphere.model_dump(mode="json", exclude={"level"})))  # noqa: T201 (the verb's answer)
    return 0


VERB = Verb(
    name="synthesis",
    summary="put a sphere of known size, place and contrast into a brain",
    description="Draw a centre at which the whole sphere lies inside the brain mask, blend the sphere into "
    "the image (voxels at its edge by the share that it fills), and print the sphere as one JSON line: "
    "centre in RAS mm, radius, mean and standard deviation in HU.",
    example="nameplate synthesis head.nii.gz mask.nii.gz lesion.nii.gz --radius-mm 15 --hu 40 --seed 1",
    add_arguments=_add_arguments,
    run=_run,
)
