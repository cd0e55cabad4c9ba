"""The images of a folder with their masks, whoever wrote them."""

import contextlib
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nameplate.errors import UserError
from nameplate.image.volume import Volume, read_nifti
from nameplate.service.command import command_of, run_command

ENDINGS = (".nii.gz", ".nii")
_MASK = "_mask"


@dataclass(frozen=True, slots=True)
class Head:
    """One image and, if there is one already, its mask."""

    name: str
    """The file's name without its ending: in the folder of an ingest, the exam's pseudonym."""
    image: Path
    mask: Path | None


def heads_of(folder: Path, masks: Path | None) -> list[Head]:
    """The images of a folder by name, or of ``images`` in the folder of an ingest.

    The mask of X is X_mask beside it or, with ``masks``, X or X_mask in that folder. Raises UserError for a
    folder that is missing or has no image, for two images of one name, and where a mask of ``masks`` is
    missing.
    """
    for place in (folder, *([masks] if masks is not None else [])):
        if not place.is_dir():
            raise UserError(f"{place}: no such folder")
    place = folder / "images" if (folder / "images").is_dir() else folder
    found = dict(_named(place))
    images = {name: path for name, path in found.items() if not _is_mask(name, found)}
    if not images:
        raise UserError(f"{place}: no file that ends in .nii or .nii.gz")
    if masks is None:
        return [Head(name, images[name], found.get(f"{name}{_MASK}")) for name in sorted(images)]
    given = dict(_named(masks))
    heads = [
        Head(name, images[name], given.get(f"{name}{_MASK}") or given.get(name)) for name in sorted(images)
    ]
    if missing := [head.name for head in heads if head.mask is None]:
        raise UserError(f"{masks}: {len(missing)} masks are missing, the first is {missing[0]}.nii.gz")
    return heads


def _named(folder: Path) -> Iterator[tuple[str, Path]]:
    before: set[str] = set()
    for path in sorted(folder.iterdir()):
        for ending in ENDINGS:
            if path.name.endswith(ending) and path.is_file():
                name = path.name.removesuffix(ending)
                if name in before:
                    raise UserError(f"{folder}: two files are called {name}")
                before.add(name)
                yield name, path
                break


def _is_mask(name: str, found: dict[str, Path]) -> bool:
    return name.endswith(_MASK) and name.removesuffix(_MASK) in found


def read_head(head: Head) -> tuple[Volume, Volume]:
    """The image and its mask, in canonical order; a mask that is not there yet is made.

    Raises UserError for a file that cannot be read and for one that is no image of numbers, and where a mask
    is needed and the skullstrip service is not installed.
    """
    image = read_nifti(head.image)
    if image.array.dtype.kind not in "iufb":
        raise UserError(f"{head.image}: its voxels are no numbers")
    if not np.isfinite(image.affine).all() or min(image.spacing_mm) <= 0 or image.array.size == 0:
        raise UserError(f"{head.image}: its voxels have no size")
    if head.mask is not None:
        mask = read_nifti(head.mask)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            mask = read_nifti(_made(head.image, Path(scratch)))
    if mask.array.shape != image.array.shape:
        raise UserError(f"{head.mask}: a mask of another size than its image")
    return image, mask


def check_skullstrip() -> None:
    """Raise UserError that says what to do if masks cannot be made here."""
    try:
        command_of("skullstrip")
    except UserError as error:
        raise UserError(f"{error}; or give --masks FOLDER") from error


def _made(image: Path, scratch: Path) -> Path:
    """The mask of an image, from the command that a person would call."""
    command = command_of("skullstrip")
    assert command is not None
    made = scratch / "mask.nii.gz"
    with contextlib.redirect_stdout(io.StringIO()):
        run_command(command, "nameplate skullstrip", [str(image), str(made)])
    return made
