"""What goes with the factor: a column that names its levels may be what makes the gap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nameplate.streams import stream
from nameplate_evaluation.audit.levels import Levels
from nameplate_evaluation.audit.score_table import ScoreTable
from nameplate_evaluation.separability.labels import Labels
from nameplate_evaluation.separability.nature import nested_reason
from nameplate_evaluation.separability.separability import FieldRow, Naming, Stage, confounds_of

MOST_PATIENTS = 3000
"""Of larger tables so many patients are drawn: an overlap is as clear from them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Company:
    """Every other column against the factor."""

    rows: tuple[FieldRow, ...]
    columns: tuple[Levels, ...]
    """Of the rows."""
    exams: int
    """That were looked at."""
    drawn: bool
    """Whether these were drawn from more."""


def company_of(table: ScoreTable, factor: Levels, others: Sequence[Levels], seed: int) -> Company | None:
    """Judge every other column; None without one."""
    if not others:
        return None
    chosen = factor.of_exam >= 0
    patients = np.unique(table.patient[chosen])
    drawn = patients.size > MOST_PATIENTS
    if drawn:
        kept = stream(seed, "audit", "patients").choice(patients, MOST_PATIENTS, replace=False)
        chosen &= np.isin(table.patient, kept)
    places = np.flatnonzero(chosen)
    _, patient = np.unique(table.patient[places], return_inverse=True)
    stage = Stage(
        labels=Labels(levels=factor.names, level=factor.of_exam[places], patient=patient.astype(np.int64)),
        values=tuple([levels.column.values[place] for place in places.tolist()] for levels in others),
    )
    fields = [levels.column.field for levels in others]
    found = confounds_of(stage, fields, seed, "audit")
    naming = Naming(stage, fields, seed, "audit")
    everyone = range(len(fields))
    alone = [naming.alone(place) for place in everyone]
    rest = naming.together([[other != place for other in everyone] for place in everyone])
    rows = tuple(
        FieldRow(
            field=field,
            nested=nested_reason(factor.settings, field.name),
            before=one,
            after=one,
            alone_before=alone[place],
            alone=alone[place],
            chance=naming.chance(place),
            others=rest[place],
            matched=True,
        )
        for place, (field, one) in enumerate(zip(fields, found, strict=True))
    )
    return Company(rows=rows, columns=tuple(others), exams=len(places), drawn=drawn)
