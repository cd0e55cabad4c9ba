"""A report made from what a store holds now, into a folder of the user's; nothing is committed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nameplate.campaign import Campaign
from nameplate.job.committed import committed_results, committed_selections, read_campaign
from nameplate.job.inputs import Committed
from nameplate.job.result import Result
from nameplate.plan.plan import cells_of, plan
from nameplate.service.command import parser_of
from nameplate.steps import report
from nameplate.steps.step import step_of
from nameplate.store import Store, open_store
from nameplate.whole import check_empty, write_whole
from nameplate_evaluation.load import load_results
from nameplate_evaluation.report import build_report


def report_main(arguments: Sequence[str]) -> int:
    """``report --store URL --out FOLDER``: the report of the campaign in the store, complete or not."""
    parser = parser_of(
        "nameplate-evaluation report",
        "Make the report of a campaign from what its store holds, complete or not, into a folder. What is "
        "committed is taken as it is; `nameplate report CAMPAIGN` also checks that it is current.",
        "nameplate-evaluation report --store s3://bucket/demo --out report",
    )
    parser.add_argument("--store", required=True, help="a folder or s3://bucket/prefix")
    parser.add_argument("--out", type=Path, required=True, help="folder for the report; new or empty")
    options = parser.parse_args(arguments)
    check_empty(options.out)
    store = open_store(options.store, create=False)
    campaign = read_campaign(store)
    jobs = plan(campaign, committed_selections(store, cells_of(campaign)), {}).jobs
    needed = [job.id for job in jobs if job.step in report.STEP.needs]
    write_report(campaign, store, committed_results(store, needed), options.out)
    print(f"report: {options.out}/index.html")  # noqa: T201 (the command's answer)
    return 0


def write_report(campaign: Campaign, store: Store, results: Mapping[str, Result], out: Path) -> None:
    """Build the report on these results and write it to ``out``, which appears whole or not at all.

    Raises UserError when ``out`` is not an empty folder or a new one, or cannot be written.
    """
    read = {job: result for job, result in results.items() if step_of(job) in report.STEP.needs}
    write_whole(out, build_report(load_results(campaign, Committed(store, read))))
