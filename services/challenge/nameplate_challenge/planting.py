"""The cases of one exam: left as it is, and with every lesion of the grid at its place."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import nameplate
from nameplate.errors import UserError
from nameplate.image.affine import has_perpendicular_axes
from nameplate.image.sphere import Point, raised, room_mm
from nameplate.image.volume import Volume
from nameplate.service.heads import Head, read_head
from nameplate.steps.challenge import Lesion, Outcome
from nameplate_challenge.place import BrainFrame, frame_of, settled


@dataclass(frozen=True, slots=True)
class Case:
    """One case before the model is asked."""

    outcome: Outcome
    """Without a score; with a reason if the model is not to be asked."""
    image: Volume
    """The exam as it is, in HU, int16, canonical order."""

    @property
    def sphere(self) -> tuple[Point, float] | None:
        """Centre in RAS mm and radius in mm of the lesion, if it has one."""
        lesion, centre = self.outcome.lesion, self.outcome.centre_mm
        return None if lesion is None or centre is None else (centre, lesion.radius_mm)

    def planted(self) -> Volume:
        """The image that the model sees."""
        lesion = self.outcome.lesion
        if lesion is None or self.outcome.centre_mm is None:
            return self.image
        return raised(self.image, self.outcome.centre_mm, lesion.radius_mm, lesion.hu)


def content_of(head: Head) -> str:
    """Digest of an exam's files: the image, and its mask or what will make it. Raises UserError."""
    mask = f"skullstrip {nameplate.__version__}" if head.mask is None else _digest(head.mask)
    return f"{_digest(head.image)} {mask}"


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def read_exam(head: Head) -> tuple[Volume, Volume]:
    """Image as int16 HU and mask, fit for spheres. Raises UserError that says why they are not."""
    image, mask = read_head(head)
    if not np.allclose(image.affine, mask.affine, atol=1e-3):
        raise UserError("the mask is not at the same place in the patient as the image")
    if not has_perpendicular_axes(image.affine):
        raise UserError("its axes are not perpendicular; resample it first")
    limit = np.iinfo(np.int16).max
    if not (np.isfinite(image.array).all() and (np.abs(image.array.astype(np.float64)) <= limit).all()):
        raise UserError("has values that are not HU")
    # As it lies in a NIfTI file: writing it is then a copy.
    hu = np.asfortranarray(np.rint(image.array).astype(np.int16))
    return Volume(hu, image.affine), mask


def cases_of(
    image: Volume,
    mask: Volume,
    outcomes: Sequence[Outcome],
    places: Sequence[Point],
    most_moved_mm: float,
) -> Iterator[Case]:
    """The cases of one exam; ``outcomes`` say which, with nothing but the lesion in them.

    ``places`` are those of the grid, in half axes of the brain.
    """
    frame = frame_of(mask)
    radii = [outcome.lesion.radius_mm for outcome in outcomes if outcome.lesion is not None]

    @cache
    def room() -> NDArray[np.float32]:
        return room_mm(mask, max(radii) + 1.0)

    for outcome in outcomes:
        lesion = outcome.lesion
        if lesion is None:
            yield Case(outcome, image)
        elif frame is None:
            yield Case(outcome.model_copy(update={"reason": "no brain found"}), image)
        else:
            found = _placed(outcome, lesion, mask, frame, room, places, most_moved_mm)
            yield Case(found, image)


def _placed(
    outcome: Outcome,
    lesion: Lesion,
    mask: Volume,
    frame: BrainFrame,
    room: Callable[[], NDArray[np.float32]],
    places: Sequence[Point],
    most_moved_mm: float,
) -> Outcome:
    wanted = frame.point(places[lesion.place - 1])
    spot = settled(mask, room, wanted, lesion.radius_mm, most_moved_mm)
    if spot is None:
        reason = f"no room for the lesion within {most_moved_mm:g} mm of its place"
        return outcome.model_copy(update={"reason": reason})
    return outcome.model_copy(update={"centre_mm": spot.centre_mm, "moved_mm": spot.moved_mm})
