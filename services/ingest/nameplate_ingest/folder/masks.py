"""The user's masks in a folder of their own, and the studies that they are called after."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nameplate.campaign.cohort_source import is_nifti
from nameplate.errors import UserError
from nameplate_ingest.folder.listing import files_of

ENDINGS = ("_mask", "_seg", "-mask", "-seg")
"""What a mask's name may have after the study's, in any case."""


@dataclass(frozen=True, slots=True)
class MaskFiles:
    """The files of masks, by what a study may be called."""

    by_name: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """By the file's name without its ending."""
    by_place: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """By its path below the folder of masks, in the same way."""

    @property
    def files(self) -> set[Path]:
        """Every file."""
        return {path for paths in self.by_name.values() for path in paths}


@dataclass(frozen=True, slots=True)
class Claim:
    """A study that a mask is called after."""

    study: str
    exact: bool
    """By what is the study's alone (its UID, its exam's pseudonym, its place), and not by a folder's name."""


@dataclass(frozen=True, slots=True)
class OwnMasks:
    """The masks that are called after one study; one is right, and none is an exam without a mask."""

    files: tuple[Path, ...] = ()
    studies: int = 1
    """How many studies a file of these is called after, at most."""


NO_MASKS = OwnMasks()
"""Of a study that no mask is called after."""


def masks_in(folder: Path) -> MaskFiles:
    """The NIfTI files below a folder, at any depth; other files are left alone.

    Raises UserError for a folder that is missing or has no such file.
    """
    by_name: dict[str, list[Path]] = {}
    by_place: dict[str, list[Path]] = {}
    source = folder.absolute()
    for entry in files_of(folder):
        if isinstance(entry, str) and is_nifti(path := Path(entry)):
            for name in names_of(path):
                by_name.setdefault(name, []).append(path)
                by_place.setdefault((path.relative_to(source).parent / name).as_posix(), []).append(path)
    if not by_name:
        raise UserError(f"{folder}: the folder holds no NIfTI files (.nii, .nii.gz)")
    return MaskFiles(*({name: tuple(paths) for name, paths in of.items()} for of in (by_name, by_place)))


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


def claims_of(
    masks: MaskFiles, study: str, own: Iterable[str], paths: Iterable[Path]
) -> Iterator[tuple[Path, Claim]]:
    """The masks that are called after a study, with how.

    ``own`` are names that are the study's alone, ``paths`` its files, relative to the folder of all studies.
    """
    folders = {folder for path in paths for folder in path.parents if folder.name}
    for name in own:
        yield from ((path, Claim(study, exact=True)) for path in masks.by_name.get(name, ()))
    for folder in folders:
        yield from ((path, Claim(study, exact=True)) for path in masks.by_place.get(folder.as_posix(), ()))
        yield from ((path, Claim(study, exact=False)) for path in masks.by_name.get(folder.name, ()))


def masks_by_study(claims: Mapping[Path, set[Claim]]) -> dict[str, OwnMasks]:
    """The masks of each study. Many studies may have a folder of one name: what is called exactly after one
    is not called after the others."""
    files: dict[str, list[Path]] = {}
    shared: dict[str, int] = {}
    for path in sorted(claims):
        exact = {claim.study for claim in claims[path] if claim.exact}
        studies = exact or {claim.study for claim in claims[path]}
        for study in studies:
            files.setdefault(study, []).append(path)
            shared[study] = max(shared.get(study, 1), len(studies))
    return {study: OwnMasks(tuple(paths), shared[study]) for study, paths in files.items()}
