"""A table of scores, checked: networks, their runs on exams, and what is known of the exams."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.field import FIELDS, Field, Value, number_in

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Network:
    """One network: the scores, or Dice, of its runs."""

    name: str
    runs: tuple[str, ...]
    values: Floats
    """(runs, exams)"""
    threshold: float | None = None
    """From which a score is positive, as its vendor says."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Rows or exams that do not count, and why."""

    what: str
    """"rows" or "exams"."""
    count: int
    reason: str


@dataclass(frozen=True, eq=False, kw_only=True)
class ExamColumn:
    """What one column says of each exam."""

    field: Field
    values: Sequence[Value]
    """(exams,): numbers or None throughout for a number."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreTable:
    """Everything that an audit is made from; exams are in the order of their names."""

    exams: tuple[str, ...]
    patient: NDArray[np.int64]
    """(exams,): the same number for exams of one patient."""
    patients_known: bool
    """Whether the table has patients; else each exam is taken for one."""
    labels: NDArray[np.bool_] | None
    """(exams,); None for Dice."""
    networks: tuple[Network, ...]
    columns: tuple[ExamColumn, ...]
    """All that may be compared by."""
    chosen_on: "ScoreTable | None" = None
    """Validation exams, on which a threshold can be chosen."""
    losses: tuple[Loss, ...] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)
    """Columns that nothing is compared by, and why."""

    @property
    def is_dice(self) -> bool:
        """Whether masks were scored by their overlap."""
        return self.labels is None

    @property
    def are_probabilities(self) -> bool:
        """Whether all scores lie in 0 to 1."""
        return not self.is_dice and all(
            bool((network.values >= 0).all() and (network.values <= 1).all()) for network in self.networks
        )

    @property
    def several_runs(self) -> bool:
        """Whether a network was trained several times."""
        return any(len(network.runs) > 1 for network in self.networks)

    def column(self, name: str) -> ExamColumn | None:
        """The column of this name."""
        return next((column for column in self.columns if column.field.name == name), None)


Losses = Counter[tuple[str, str]]
"""How many, by what and why."""
FEW_VALUES = 10
"""As many different whole numbers, or fewer, are names of things: hospitals from 1 to 5."""


def exam_column(name: str, texts: Sequence[str]) -> ExamColumn:
    """A column as numbers if each of its values is one, and these are no names; else as texts."""
    known = FIELDS.get(name)
    numbers = [number_in(text) if text else None for text in texts]
    given = [number for number, text in zip(numbers, texts, strict=True) if text]
    all_numbers = bool(given) and all(number is not None for number in given)
    if known is not None:
        numeric = known.kind == "number" and all_numbers
    else:
        whole = all(number == int(number) for number in given if number is not None)
        numeric = all_numbers and not (whole and len(set(given)) <= FEW_VALUES)
    unit, title = (known.unit, known.title) if known else ("", name)
    if numeric:
        return ExamColumn(field=Field(name, "number", unit, title), values=numbers)
    return ExamColumn(field=Field(name, "text", "", title), values=[text or None for text in texts])


def counted_losses(losses: Losses) -> tuple[Loss, ...]:
    """Losses by what and why, the most frequent first."""
    ordered = sorted(losses.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Loss(what=what, count=count, reason=why) for (what, why), count in ordered if count)
