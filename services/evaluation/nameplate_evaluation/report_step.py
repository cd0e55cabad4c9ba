"""The step ``report``: figures, tests and pages on everything that is committed."""

from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.report import FILE, ReportJob
from nameplate_evaluation.load import load_results
from nameplate_evaluation.report import build_report


def report(job: ReportJob, inputs: Inputs, outputs: Outputs) -> None:
    """Write the report."""
    for name, data in build_report(load_results(job.campaign, inputs)).items():
        outputs.write(FILE.key(file=name), data)
