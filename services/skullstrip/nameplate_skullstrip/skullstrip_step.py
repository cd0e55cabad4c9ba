"""The step ``skullstrip``: intracranial masks of one shard's exams."""

from nameplate.image.volume import nifti_bytes, read_nifti
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.ingest import EXAMS, IMAGE
from nameplate.steps.skullstrip import MASK, REPORTS, MaskReport, SkullstripJob
from nameplate_skullstrip.strip import skullstrip as strip


def skullstrip(job: SkullstripJob, inputs: Inputs, outputs: Outputs) -> None:
    """Write the mask of every exam of the shard, and the findings about it."""
    reports = []
    for exam in EXAMS.read(inputs, cohort=job.cohort, shard=job.shard):
        image = read_nifti(inputs.fetch(IMAGE.key(cohort=job.cohort, exam=exam.exam)))
        stripped = strip(image, job.skullstrip)
        outputs.write(MASK.key(cohort=job.cohort, exam=exam.exam), nifti_bytes(stripped.mask))
        reports.append(
            MaskReport(
                exam=exam.exam,
                volume_ml=round(stripped.volume_ml, 3),
                flags=stripped.flags,
                usable=stripped.usable,
            )
        )
    REPORTS.write(outputs, reports, cohort=job.cohort, shard=job.shard)
