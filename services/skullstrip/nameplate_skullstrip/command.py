"""``nameplate skullstrip``: the intracranial mask of one image."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from nameplate.campaign.skullstrip import SkullstripSettings
from nameplate.errors import UserError
from nameplate.image.volume import read_nifti, write_nifti_for_user
from nameplate.service.command import Command
from nameplate_skullstrip.strip import skullstrip


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("image", type=Path, metavar="IMAGE.nii.gz", help="non-contrast head CT in HU")
    parser.add_argument("mask", type=Path, metavar="MASK.nii.gz", help="where to write the mask (0 and 1)")
    parser.add_argument(
        "--tissue-low-hu",
        type=int,
        default=SkullstripSettings().tissue_low_hu,
        metavar="HU",
        help="lower bound of soft tissue; -30 for a scanner that reads 12 HU too low (default: %(default)s)",
    )


def _run(arguments: Namespace) -> int:
    low: int = arguments.tissue_low_hu
    if not -100 <= low <= 20:
        raise UserError(f"--tissue-low-hu: expected -100 to 20, got {low}")
    stripped = skullstrip(read_nifti(arguments.image), SkullstripSettings(tissue_low_hu=low))
    write_nifti_for_user(arguments.mask, stripped.mask)
    answer = {"volume_ml": round(stripped.volume_ml, 1), "flags": stripped.flags, "usable": stripped.usable}
    print(json.dumps(answer))  # noqa: T201  (the command's output)
    return 0


COMMAND = Command(
    description=(
        "Finds the intracranial space (brain, CSF, ventricles, bleeds) of a non-contrast head CT and writes "
        "it as a NIfTI mask on the image's own grid, without bone, sinuses, eyes, scalp and table. Prints "
        "one line of JSON: the volume in mL, flags, and whether the head is usable. An image without a "
        "plausible brain is not an error: it gets the flag no-brain and 'usable': false. The other flags "
        "(base-cropped, vertex-cropped, bone-defect, thick-slices) leave the head usable."
    ),
    example="nameplate skullstrip head.nii.gz head_mask.nii.gz",
    add_arguments=_add_arguments,
    run=_run,
)
