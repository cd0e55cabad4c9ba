"""The step of a campaign: the report, from everything that is committed."""

from nameplate import keys
from nameplate.job import JobContext
from nameplate_evaluation.load import load_results
from nameplate_evaluation.report import build_report


def report(context: JobContext) -> None:
    """Write the report."""
    results = load_results(context.campaign, context)
    for name, data in build_report(results).items():
        context.write(keys.report(name), data)
