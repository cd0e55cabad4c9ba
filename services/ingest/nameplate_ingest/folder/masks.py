"""The user's masks in a folder of their own, by the names of the studies that they are of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nameplate.campaign.source import is_nifti
from nameplate.errors import UserError
from nameplate_ingest.folder.listing import files_of

ENDINGS = ("_mask", "_seg", "-mask", "-seg")
"""What a mask's name may have after the study's, in any case."""

MaskFiles = Mapping[str, tuple[Path, ...]]
"""Files of masks by every name that a study may have to be theirs."""


@dataclass(frozen=True, slots=True)
class OwnMasks:
    """The masks that are called after one study; one is right, and none is an exam without a mask."""

    files: tuple[Path, ...] = ()
    studies: int = 1
    """How many studies a file of these is called after, at most."""


NO_MASKS = OwnMasks()
"""Of a study that no mask is called after."""


def masks_in(folder: Path) -> MaskFiles:
    """The NIfTI files below a folder, at any depth, by study: S1.nii.gz, S1_mask.nii, S1-seg.nii are of S1.

    Other files are left alone. Raises UserError for a folder that is missing or has no such file.
    """
    named: dict[str, list[Path]] = {}
    for entry in files_of(folder):
        if isinstance(entry, str) and is_nifti(Path(entry)):
            for name in names_of(Path(entry)):
                named.setdefault(name, []).append(Path(entry))
    if not named:
        raise UserError(f"{folder}: the folder holds no NIfTI files (.nii, .nii.gz)")
    return {name: tuple(paths) for name, paths in named.items()}


def names_of(path: Path) -> tuple[str, ...]:
    """The studies that a mask may be of, by its file's name.

    >>> names_of(Path("masks/S1_Mask.nii.gz"))
    ('S1_Mask', 'S1')
    """
    name = path.name
    for suffix in (".gz", ".nii"):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    ending = next((one for one in ENDINGS if name.lower().endswith(one) and len(name) > len(one)), None)
    return (name,) if ending is None else (name, name[: -len(ending)])


def masks_named(masks: MaskFiles, names: Iterable[str]) -> Iterator[Path]:
    """The files that are called by one of these names."""
    for name in names:
        yield from masks.get(name, ())


def masks_by_study(claimed: Mapping[Path, set[str]]) -> dict[str, OwnMasks]:
    """The masks of each study, given the studies that each file is called after."""
    files: dict[str, list[Path]] = {}
    for path in sorted(claimed):
        for study in claimed[path]:
            files.setdefault(study, []).append(path)
    return {
        study: OwnMasks(tuple(paths), max(len(claimed[path]) for path in paths))
        for study, paths in files.items()
    }
