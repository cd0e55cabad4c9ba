"""The step ``cohort``: the exams that passed ingest and skull stripping, matched, balanced and split."""

from nameplate.cohort import make_cohort, with_pseudo_levels
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.cohort import MEMBERS, REFUSALS, CohortJob
from nameplate.steps.ingest import EXAMS, TARGETS
from nameplate.steps.skullstrip import REPORTS


def cohort(job: CohortJob, inputs: Inputs, outputs: Outputs) -> None:
    """Make the cohort; a derived one has the members of another, and refuses none."""
    if job.other is not None:
        members = MEMBERS.read(inputs, cohort=job.other)
        MEMBERS.write(outputs, with_pseudo_levels(members, job), cohort=job.cohort)
        REFUSALS.write(outputs, (), cohort=job.cohort)
        return
    exams = EXAMS.read_all(inputs, cohort=job.cohort)
    masks = {report.exam: report for report in REPORTS.read_all(inputs, cohort=job.cohort)}
    # Ingest has these only where the user gave masks, and then networks learn them.
    has_targets = bool(TARGETS.keys(inputs, cohort=job.cohort))
    targets = {target.exam: target for target in TARGETS.read_all(inputs, cohort=job.cohort)}
    chosen = make_cohort(exams, masks, job, targets if has_targets else None)
    MEMBERS.write(outputs, chosen.members, cohort=job.cohort)
    REFUSALS.write(outputs, chosen.refusals, cohort=job.cohort)
