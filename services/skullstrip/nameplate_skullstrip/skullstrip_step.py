"""The step ``skullstrip``: intracranial masks of one shard's exams."""

import numpy as np

from nameplate.image.thumbnail import exam_picture
from nameplate.image.volume import Volume, nifti_bytes, read_nifti
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.ingest import EXAMS, IMAGE
from nameplate.steps.skullstrip import MASK, PICTURE, REPORTS, MaskReport, SkullstripJob
from nameplate_skullstrip.strip import skullstrip as strip


def skullstrip(job: SkullstripJob, inputs: Inputs, outputs: Outputs) -> None:
    """Write the mask and the picture of every exam of the shard, and the findings about it."""
    reports = []
    for exam in EXAMS.read(inputs, cohort=job.cohort, shard=job.shard):
        image = read_nifti(inputs.fetch(IMAGE.key(cohort=job.cohort, exam=exam.exam)))
        stripped = strip(image, job.skullstrip)
        outputs.write(MASK.key(cohort=job.cohort, exam=exam.exam), nifti_bytes(stripped.mask))
        picture = exam_picture(image, stripped.mask)
        outputs.write(PICTURE.key(cohort=job.cohort, exam=exam.exam), picture)
        reports.append(
            MaskReport(
                exam=exam.exam,
                volume_ml=round(stripped.volume_ml, 3),
                flags=stripped.flags,
                usable=stripped.usable,
                brain_hu=_median(image, stripped.mask),
            )
        )
    REPORTS.write(outputs, reports, cohort=job.cohort, shard=job.shard)


def _median(image: Volume, mask: Volume) -> float | None:
    """Median HU inside the mask, to a tenth; None if it is empty."""
    inside = image.array[mask.array != 0]
    return round(float(np.median(inside)), 1) if inside.size else None
