"""The step ``fingerprint``: what is measured in one shard's exams, at every stage of the chain."""

from nameplate.image.volume import read_nifti
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.fingerprint import MEASURED, FingerprintJob
from nameplate.steps.ingest import AS_READ, EXAMS, IMAGE
from nameplate.steps.measured import MeasuredExam, as_record
from nameplate.steps.skullstrip import MASK
from nameplate_fingerprint.stages import measured_stages


def fingerprint(job: FingerprintJob, inputs: Inputs, outputs: Outputs) -> None:
    """Write the numbers of every exam of the shard: those of the ingest, then those of the later stages."""
    as_read = {row.exam: row for row in AS_READ.read(inputs, cohort=job.cohort, shard=job.shard)}
    rows: list[MeasuredExam] = []
    for exam in EXAMS.read(inputs, cohort=job.cohort, shard=job.shard):
        image = read_nifti(inputs.fetch(IMAGE.key(cohort=job.cohort, exam=exam.exam)))
        mask = read_nifti(inputs.fetch(MASK.key(cohort=job.cohort, exam=exam.exam)))
        rows.append(as_read[exam.exam])
        stages = measured_stages(image, mask, job.window)
        rows += [as_record(exam.exam, stage, numbers) for stage, numbers in stages]
    MEASURED.write(outputs, rows, cohort=job.cohort, shard=job.shard)
