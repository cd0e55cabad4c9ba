"""The step of a campaign: intracranial masks of one shard's exams."""

from nameplate import keys
from nameplate.image.volume import nifti_bytes, read_nifti
from nameplate.job import JobContext
from nameplate.records import Exam, MaskReport, from_jsonl, to_jsonl
from nameplate_skullstrip.strip import skullstrip as strip


def skullstrip(context: JobContext) -> None:
    """Write the mask of every exam of the shard, and what was found about it."""
    name, shard = context.parameter("cohort"), context.number("shard")
    settings = context.campaign.cohorts[name].skullstrip
    reports = []
    for exam in from_jsonl(Exam, context.read(keys.exams(name, shard))):
        stripped = strip(read_nifti(context.fetch(keys.image(name, exam.exam))), settings)
        context.write(keys.mask(name, exam.exam), nifti_bytes(stripped.mask))
        reports.append(
            MaskReport(
                exam=exam.exam,
                volume_ml=round(stripped.volume_ml, 3),
                flags=stripped.flags,
                usable=stripped.usable,
            )
        )
    context.write(keys.mask_reports(name, shard), to_jsonl(reports))
