"""Twins: exams of one head, one of each level of the factor, that enter a cohort together or not at all."""

from collections.abc import Mapping, Sequence

from nameplate.campaign.factor import FieldLevels
from nameplate.steps.ingest import Exam


def twin_sets(usable: Mapping[str, Sequence[Exam]]) -> list[tuple[Exam, ...]]:
    """The exams of every head that has exactly one of each level, in the order of the mapping's levels."""
    return [
        tuple(rows[0] for rows in by_level.values())
        for by_level in _heads(usable).values()
        if all(len(rows) == 1 for rows in by_level.values())
    ]


def lone_twins(usable: Mapping[str, Sequence[Exam]], same: Sequence[FieldLevels] = ()) -> dict[str, str]:
    """Why each exam of every other head cannot take part, by exam; and those of heads whose twins do not
    agree in the fields ``same``."""
    reasons: dict[str, str] = {}
    for by_level in _heads(usable).values():
        exams = [exam for rows in by_level.values() for exam in rows]
        differing = [field.noun for field in same if len({field.level_of(exam) for exam in exams}) > 1]
        for level, rows in by_level.items():
            if len(rows) != 1:
                trouble = "no usable twin" if not rows else "more than one twin"
                for exam in exams:
                    reasons.setdefault(exam.exam, f"{trouble} of {level}")
        if differing:
            for exam in exams:
                reasons.setdefault(exam.exam, f"its twin has another {' and '.join(differing)}")
    return reasons


def _heads(usable: Mapping[str, Sequence[Exam]]) -> dict[str, dict[str, list[Exam]]]:
    """The exams of each patient, by level, patients in order."""
    patients = sorted({exam.patient for rows in usable.values() for exam in rows})
    heads: dict[str, dict[str, list[Exam]]] = {
        patient: {level: [] for level in usable} for patient in patients
    }
    for level, rows in usable.items():
        for exam in rows:
            heads[exam.patient][level].append(exam)
    return heads
