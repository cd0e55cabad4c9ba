"""What a challenge asks: all that decides the scores, kept beside them."""

from pathlib import Path

from pydantic import ValidationError

from nameplate.campaign.challenge import GridSettings, ModelSettings
from nameplate.errors import UserError
from nameplate.records import Record, to_json
from nameplate.whole import user_may_write, whole_file

FILE = "asked.json"


class Asked(Record):
    """The settings that every case of a folder shares."""

    command: str
    """The model's command, as it was given."""
    serve: bool
    """Whether one process is asked many times."""
    radii_mm: tuple[float, ...]
    hu: tuple[float, ...]
    places: int
    seed: int
    most_moved_mm: float
    """How far a lesion may be moved into room."""
    score_range: tuple[float, float]
    gzip: bool
    """Whether images are given as .nii.gz."""


def asked_by(given: ModelSettings, grid: GridSettings, seed: int) -> Asked:
    """What a campaign asks of one of its models."""
    return Asked(
        command=given.said,
        serve=given.serve is not None,
        radii_mm=grid.radii_mm,
        hu=grid.hu,
        places=grid.places,
        seed=seed,
        most_moved_mm=grid.most_moved_mm,
        score_range=given.score_range,
        gzip=grid.gzip,
    )


def agree(out: Path, asked: Asked, *, has_results: bool) -> None:
    """Keep what is asked beside the first results; once there are some, see that it is still the same.

    Raises UserError that names what has changed.
    """
    path = out / FILE
    if not has_results:
        with user_may_write(path), whole_file(path) as partial:
            partial.write_bytes(to_json(asked))
        return
    try:
        before = Asked.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UserError(f"{path}: not what a challenge has written; give a new folder") from error
    for name in Asked.model_fields:
        old, new = getattr(before, name), getattr(asked, name)
        if old != new:
            shown = "" if name == "command" else f" ({_text(old)} before, {_text(new)} now)"
            raise UserError(
                f"{out}: holds results of another {name.replace('_', ' ')}{shown}; "
                "give a new folder with --out"
            )


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
