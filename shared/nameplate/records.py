"""What flows between the steps: typed, frozen records and their JSON-lines files."""

import json
from collections.abc import Iterable
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from nameplate.errors import DamagedObject

Split = Literal["train", "val", "test"]


class Record(BaseModel):
    """Base of all records: unknown fields are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


R = TypeVar("R", bound=Record)


def to_jsonl(rows: Iterable[Record]) -> bytes:
    """One JSON object a line, keys in the record's order; the same rows give the same bytes."""
    lines = (json.dumps(row.model_dump(mode="json"), ensure_ascii=False, allow_nan=False) for row in rows)
    return "".join(line + "\n" for line in lines).encode()


def from_jsonl(kind: type[R], data: bytes) -> list[R]:
    """Read what ``to_jsonl`` wrote; raises DamagedObject for anything else."""
    try:
        return [kind.model_validate_json(line) for line in data.splitlines() if line.strip()]
    except ValidationError as error:
        raise DamagedObject(f"not a file of {kind.__name__} rows: {error.error_count()} errors") from error


class Exam(Record):
    """One exam after ingest: pseudonyms and the allow-listed tags of its chosen series."""

    exam: str
    """Pseudonym of the study: 'e' and 16 hex digits (keyed hash)."""
    patient: str
    """Pseudonym of the patient: 'p' and 16 hex digits (keyed hash)."""
    image: str
    """Place of the image below the output folder: images/<exam>.nii.gz."""
    manufacturer: str
    """Normalised: GE, Siemens, Philips, Canon..."""
    model: str
    software: str
    kernel: str
    institution: str
    """Pseudonym: 'i' and 16 hex digits, or empty."""
    age: float | None
    """Years."""
    sex: Literal["F", "M", "O"] | None
    kvp: float | None
    exposure_mas: float | None
    thickness_mm: float
    """Slice thickness of the source series."""
    gaps_mm: tuple[float, ...]
    """Distinct distances between neighbouring slices of the source, along the normal."""
    pixel_mm: float
    """Pixel size of the source."""
    tilt_degrees: float
    """Gantry tilt measured from the positions, signed."""
    source_slices: int
    slices: int
    """Slices of the NIfTI volume."""


class LedgerRow(Record):
    """What became of one series or of one file that is part of no series."""

    item: Literal["series", "file"]
    id: str
    """Pseudonym of the series ('s' + 16 hex) or of the file ('f' + 16 hex)."""
    exam: str | None
    """Pseudonym of the study, where one was read."""
    verdict: Literal["chosen", "refused"]
    rule: str
    """'chosen', or the name of the rule that refused it."""
    seen: str
    """What the rule saw: numbers and words of a fixed vocabulary, never free text of the source."""
    files: int


class MaskReport(Record):
    """What skull stripping found in one exam."""

    exam: str
    volume_ml: float
    flags: tuple[str, ...]
    """Findings; an exam with a refusing flag does not enter the cohort."""
    usable: bool


class Member(Record):
    """One exam of the matched, split cohort, with everything that was decided about it."""

    exam: str
    patient: str
    level: str
    """Level of the factor (GE, Siemens)."""
    split: Split
    age: float | None
    sex: str | None
    positive: bool
    """Whether the sphere datasets give this exam a sphere."""
    rank: float
    """In [0, 1): a level with share s changes the positives of its split and level with rank < s."""


class Sphere(Record):
    """One simulated lesion."""

    level: str
    """The difficulty level whose parameters it has."""
    centre_mm: tuple[float, float, float]
    """RAS mm in the patient."""
    radius_mm: float
    hu_mean: float
    hu_sd: float


class Sample(Record):
    """One exam of a dataset."""

    exam: str
    patient: str
    level: str
    split: Split
    label: int
    """1 = has a sphere (sphere datasets) or is of the factor's first level (Original)."""
    image: str
    """Key of the NIfTI image in the store."""
    mask: str | None
    """Key of the NIfTI brain mask, cut to the same slices."""
    sphere: Sphere | None
    padded: int
    """Slices of air that were added because the exam is shorter than the dataset wants."""


class Refusal(Record):
    """An exam that left the campaign on the way, and why."""

    exam: str
    step: str
    reason: str


class Epoch(Record):
    """One epoch of a run; no clock in it, so that a repeated run writes the same bytes."""

    epoch: int
    rate: float
    train_loss: float
    val_loss: float
    val_accuracy: float
    """Mean Dice for segmentation."""
    val_auroc: float | None


class Prediction(Record):
    """What one run says of one exam."""

    exam: str
    patient: str
    level: str
    split: Split
    label: int
    score: float
    """Probability of the positive class, or Dice against the mask for segmentation."""
    sphere_level: str | None
    radius_mm: float | None


class Run(Record):
    """One training run with its verdict; the history and predictions lie beside it."""

    experiment: str
    cohort: str
    dataset: str
    training_set: str
    group: int
    seed: int
    """Number of the run inside its cell, from 0."""
    round: int
    outcome: Literal["converged", "not-converged", "diverged"]
    reasons: tuple[str, ...]
    """Every threshold that was missed, with the number; empty when converged."""
    val_accuracy: float
    val_auroc: float | None
    sensitivity: float | None
    specificity: float | None
    loss_drop: float
    late_rise: float
    parameters: int
    norm_batch: int
    """Exams that batch norm saw at once."""
    device: str
    """'cpu' or the card's name."""
    train_exams: int
    history: tuple[Epoch, ...]


class Selection(Record):
    """A judge's verdict on one cell after one round."""

    experiment: str
    cohort: str
    dataset: str
    training_set: str
    group: int
    round: int
    trained: int
    converged: int
    kept: tuple[int, ...]
    """Seeds of the kept runs, best first."""
    next_seeds: tuple[int, ...]
    """Seeds of the round that must follow; empty when the cell is finished."""
    finished: Literal["target", "limit", "no"]
