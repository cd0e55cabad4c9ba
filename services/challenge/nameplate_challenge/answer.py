"""What a model has answered, read as if it came from a stranger: a score, or a mask."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate.errors import UserError
from nameplate.image.volume import Volume, read_untrusted_nifti
from nameplate_challenge.model import NoScore
from nameplate_challenge.process import MOST_BYTES, last_line, shown
from nameplate_challenge.request import Request

Map = NDArray[Any]
_SAME_PLACE_MM = 0.05
_NIFTI = (b"n+1\x00", b"ni1\x00")


def read_answer(
    request: Request, printed: str, image: Volume, score_range: tuple[float, float], *, prefers_line: bool
) -> float | Map:
    """A score, or a map of the image's shape (i, j, k): a mask of 0 and 1, or probabilities.

    ``printed`` is what the model has printed, of which the last line counts. Raises NoScore for anything that
    is not exactly one answer within the range.
    """
    last = last_line(printed)
    said = _parsed(last)
    if prefers_line and (number := _number(said)) is not None:
        return _checked(number, score_range)
    written = request.written()
    if isinstance(said, dict) and isinstance(said.get("output"), str) and not written:
        raise NoScore("its output is not at the place that it was given", shown(last))
    if len(written) > 1:
        raise NoScore("wrote more than one output")
    if written:
        return _read(written[0], image, score_range)
    if (number := _number(said)) is not None:
        return _checked(number, score_range)
    raise NoScore("printed no number and wrote no output" if last else "no answer", shown(last))


def _parsed(text: str) -> Any:
    """JSON, or a number as programs print it; None for anything else."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return float(text)
    except ValueError:
        return None


def _number(said: Any) -> float | None:
    """The number of ``0.7`` and of ``{"score": 0.7}``."""
    value = said.get("score") if isinstance(said, dict) else said
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _checked(number: float, score_range: tuple[float, float]) -> float:
    low, high = score_range
    if math.isnan(number):
        raise NoScore("a score that is not a number (NaN)")
    if not low <= number <= high:
        raise NoScore(f"a score outside {low:g} to {high:g}", f"{number:g}")
    return number


def _read(path: Path, image: Volume, score_range: tuple[float, float]) -> float | Map:
    most = 8 * image.array.size + MOST_BYTES
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise NoScore("an output larger than its image")
    if data[:2] == b"\x1f\x8b" or data[344:348] in _NIFTI or data[4:8] == b"n+2\x00":
        return _map(data, image, score_range)
    if len(data) > MOST_BYTES:
        raise NoScore("an output that is neither a score nor a NIfTI image")
    text = data.decode(errors="replace").strip()
    number = _number(_parsed(text))
    if number is None:
        raise NoScore("an output that is neither a score nor a NIfTI image", shown(text))
    return _checked(number, score_range)


def _map(data: bytes, image: Volume, score_range: tuple[float, float]) -> Map:
    try:
        answer = read_untrusted_nifti(data, image.array.size)
    except UserError as error:
        raise NoScore(f"output: {error}") from error
    if answer.array.shape != image.array.shape:
        wrong, right = (" x ".join(map(str, shape)) for shape in (answer.array.shape, image.array.shape))
        raise NoScore("a mask of another shape than its image", f"{wrong}, the image has {right}")
    if not np.allclose(answer.affine, image.affine, atol=_SAME_PLACE_MM):
        raise NoScore("a mask at another place in the patient than its image")
    if answer.array.dtype.kind not in "iufb":
        raise NoScore("a mask whose voxels are no numbers")
    low, high = float(answer.array.min()), float(answer.array.max())
    if math.isnan(low) or math.isnan(high):
        raise NoScore("a mask with voxels that are not a number (NaN)")
    if low < score_range[0] or high > score_range[1]:
        raise NoScore(f"a mask with values outside {score_range[0]:g} to {score_range[1]:g}")
    return answer.array
