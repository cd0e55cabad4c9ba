"""What no result of a campaign shows: printed in every report, whatever the answer."""

from nameplate_evaluation.analysis import Analysis

_CONFOUNDERS = {
    "manufacturer": ("manufacturer",),
    "kernel": ("kernel", "kernel_class"),
    "dose": ("exposure_mas",),
    "protocol": (),
    "software": ("software",),
    "site": ("institution",),
}
"""What may come with a factor, and the fields that are that thing themselves."""


def limits_of(analysis: Analysis) -> tuple[str, ...]:
    """One sentence a limit."""
    factor = analysis.campaign.factor
    with_it = [name for name, fields in _CONFOUNDERS.items() if factor.name not in fields]
    cohorts = [name for name, cohort in analysis.campaign.cohorts.items() if cohort.role == "study"]
    simulated = any(analysis.campaign.exams_of(name).phantom is not None for name in cohorts)
    lines = ["Anything about real scanners: the exams are simulated."] if simulated else []
    lines += [
        f"The {factor.title} apart from what comes with it: {', '.join(with_it[:-1])} and {with_it[-1]}"
        " may differ along with it, and each could be the cause.",
        f"Other {factor.plural}, or other models and software of these."
        if factor.name == "manufacturer"
        else f"Other {factor.plural} than those compared.",
        "Other lesions, networks or ways of training than those of the campaign file.",
        "Harm to patients: a lower AUROC on simulated lesions is not a missed diagnosis."
        if analysis.campaign.datasets.spheres.difficulties
        else "Harm to patients: a lower AUROC or Dice is not a missed diagnosis.",
        "That there is no effect, where none is claimed: it may be smaller than what could be found.",
    ]
    return tuple(lines)
