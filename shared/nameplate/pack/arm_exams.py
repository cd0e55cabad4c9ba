"""How many training exams an arm uses: known before there is a pack, where the campaign says enough."""

from collections.abc import Mapping

from nameplate.campaign.experiment import ArmSettings
from nameplate.errors import CohortError


def arm_exams(arm: ArmSettings, by_level: Mapping[str, int], *, experiment: str, cohort: str) -> int:
    """The number of exams that each run of the arm learns from.

    ``by_level`` are the training exams of every level of the factor. 'one-level' is the mean over the
    arm's levels, rounded down. Raises CohortError for an arm that wants more exams than there are.
    """
    levels = by_level if arm.levels is None else arm.levels
    there = sum(by_level.get(level, 0) for level in levels)
    if arm.exams is None:
        return there
    wanted = there // len(levels) if arm.exams == "one-level" else arm.exams
    if wanted > there:
        whose = "" if arm.levels is None else f" of {', '.join(arm.levels)}"
        raise CohortError(
            f"experiments.{experiment}.arms.{arm.name}.exams: {wanted} training exams{whose} are wanted, "
            f"cohort {cohort} has {there}"
        )
    return wanted
