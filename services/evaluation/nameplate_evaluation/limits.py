"""What no result of a campaign shows: printed in every report, whatever the answer."""

from nameplate_evaluation.analysis import Analysis


def limits_of(analysis: Analysis) -> tuple[str, ...]:
    """One sentence a limit."""
    factor = analysis.campaign.factor.name
    cohorts = [name for name, cohort in analysis.campaign.cohorts.items() if cohort.role == "study"]
    simulated = any(analysis.campaign.exams_of(name).phantom is not None for name in cohorts)
    lines = ["Anything about real scanners: the exams are simulated."] if simulated else []
    lines += [
        f"The {factor} apart from what comes with it: kernel, dose, protocol, software and site differ along"
        " with it, and each could be the cause.",
        f"Other {factor}s, or other models and software of these.",
        "Other lesions, networks or ways of training than those of the campaign file.",
        "Harm to patients: a lower AUROC on simulated lesions is not a missed diagnosis.",
        "That there is no effect, where none is claimed: it may be smaller than what could be found.",
    ]
    return tuple(lines)
