"""The step ``report``: figures, tests and pages on everything that is committed."""

import json

from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.report import FILE, ReportJob
from nameplate_evaluation.gauges import gauges_of
from nameplate_evaluation.load import load_results
from nameplate_evaluation.report import build_report


def report(job: ReportJob, inputs: Inputs, outputs: Outputs) -> None:
    """Write the report, and tell the numbers of its answer."""
    files = build_report(load_results(job.campaign, inputs))
    for name, data in files.items():
        outputs.write(FILE.key(file=name), data)
    outputs.tell(**gauges_of(json.loads(files["metrics.json"]), job.campaign))
