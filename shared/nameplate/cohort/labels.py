"""The user's own labels in a cohort: whether they can be learned, and in which levels and splits they are."""

from collections import Counter
from collections.abc import Sequence

from nameplate.cohort.split import SPLITS
from nameplate.errors import CohortError
from nameplate.steps.cohort import CohortJob, Member
from nameplate.steps.ingest import Exam


def check_values(exams: Sequence[Exam], job: CohortJob) -> None:
    """Raise CohortError unless every exam's value is one of two; it counts values and tells none."""
    labels = job.labels
    if labels is None:
        return
    given = [value for exam in exams if (value := exam.value_of(labels.column)) is not None]
    strange = [exam.value_of(labels.column) for exam in exams if labels.label_of(exam) is None]
    others = Counter(value for value in strange if value is not None)
    if others:
        raise CohortError(
            f"cohorts.{job.cohort}: labels {labels.column!r}: expected {labels.expected}, but"
            f" {others.total()} of {len(given)} exams with a value have another one"
            f" ({len(others)} different); datasets.labels.values names two values of your own"
        )
    if not given:
        raise CohortError(f"cohorts.{job.cohort}: labels {labels.column!r}: no exam has one")


def label_refusal(exam: Exam, job: CohortJob) -> str | None:
    """Why an exam has no label, or None."""
    if job.labels is None or job.labels.label_of(exam) is not None:
        return None
    return f"no label in {job.labels.column}"


def stratum(exam: Exam, job: CohortJob, outlined: int | None = None) -> str:
    """What each split gets its share of: the exams of a level and, where they are learned, of a label and of
    masks that show something (``outlined``) or nothing."""
    level = job.factor.described(exam)
    labelled = level if job.labels is None else f"{level}/{job.labels.label_of(exam)}"
    return labelled if outlined is None else f"{labelled}/{outlined}"


def check_classes(members: Sequence[Member], job: CohortJob) -> None:
    """Raise CohortError for a level that has one class alone in a split: nothing could be counted there."""
    if job.labels is None:
        return
    for level in job.factor.levels:
        counts = {
            split: Counter(
                member.label for member in members if member.level == level and member.split == split
            )
            for split in SPLITS
        }
        for split, of in counts.items():
            if not of[0] or not of[1]:
                all_of = sum(counts.values(), Counter())
                raise CohortError(
                    f"cohorts.{job.cohort}: {job.labels.column}: {split} has {of[1]} positive and {of[0]}"
                    f" negative exams of {level}, of {all_of[1]} and {all_of[0]} in all: every split needs 1"
                    " of each or more"
                )
