"""The user's own masks in a cohort: which exams have one that can be learned, and in which splits."""

from collections.abc import Mapping, Sequence

from nameplate.cohort.split import SPLITS
from nameplate.errors import CohortError
from nameplate.steps.cohort import Member
from nameplate.steps.ingest import Exam, Target

Targets = Mapping[str, Target]
"""By exam; None in place of it for a cohort without masks of the user's."""


def check_targets(exams: Sequence[Exam], targets: Targets | None, cohort: str) -> None:
    """Raise CohortError where no exam has a mask: the names of most likely all of them are wrong."""
    if targets is not None and not any(exam.exam in targets for exam in exams):
        raise CohortError(
            f"cohorts.{cohort}.masks: no mask is called after any of the {len(exams)} exams: expected"
            " <study>.nii.gz, with the StudyInstanceUID, a folder above the study, or the exam's pseudonym"
        )


def target_refusal(exam: Exam, targets: Targets | None) -> str | None:
    """Why an exam has no mask that can be learned, or None."""
    if targets is None:
        return None
    target = targets.get(exam.exam)
    if target is None:
        return "no mask of its own"
    return None if target.usable else f"its mask is refused: {target.rule}"


def outlined(exam: Exam, targets: Targets | None) -> int | None:
    """1 where the exam's mask shows something, 0 where it is empty; None for a cohort without masks."""
    return None if targets is None else int(targets[exam.exam].volume_ml > 0)


def check_outlined(
    members: Sequence[Member], targets: Targets | None, levels: Sequence[str], cohort: str
) -> None:
    """Raise CohortError for a level with nothing to outline in a split: its Dice would be of empty masks."""
    if targets is None:
        return
    for level in levels:
        of_level = [member for member in members if member.level == level]
        for split in SPLITS:
            if not any(member.outlined for member in of_level if member.split == split):
                raise CohortError(
                    f"cohorts.{cohort}: masks: {split} has no exam of {level} whose mask shows anything, of"
                    f" {sum(bool(m.outlined) for m in of_level)} in all: every split needs 1 or more"
                )
