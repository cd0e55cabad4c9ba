"""A report on what a store holds now, written to the user's folder; nothing is committed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nameplate.campaign import Campaign
from nameplate.job.committed import committed_selections, read_campaign
from nameplate.job.inputs import Committed
from nameplate.job.result import Result, committed_results
from nameplate.plan.plan import cells_of, plan
from nameplate.service.arguments import add_store_argument
from nameplate.service.command import parser_of
from nameplate.steps import report
from nameplate.steps.step import step_of
from nameplate.store import Store, open_store
from nameplate.whole import check_empty, write_whole
from nameplate_evaluation.load import load_results
from nameplate_evaluation.report import build_report


def report_main(arguments: Sequence[str]) -> int:
    """``report --store URL --out FOLDER``: the report on the campaign in the store, complete or not."""
    parser = parser_of(
        "nameplate-evaluation report",
        "Write the report on what a campaign's store holds, complete or not, to a folder. Committed results "
        "are taken as they are; `nameplate report CAMPAIGN` also checks that they are current.",
        "nameplate-evaluation report --store s3://bucket/demo --out report",
    )
    add_store_argument(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for the report; new or empty")
    options = parser.parse_args(arguments)
    check_empty(options.out)
    store = open_store(options.store, create=False)
    campaign = read_campaign(store)
    jobs = plan(campaign, committed_selections(store, cells_of(campaign)), {}).jobs
    needed = [job.id for job in jobs if job.step in report.STEP.needs]
    write_report(campaign, store, committed_results(store, needed), options.out)
    print(f"report: {options.out}/index.html")  # noqa: T201 (the command's output)
    return 0


def write_report(campaign: Campaign, store: Store, results: Mapping[str, Result], out: Path) -> None:
    """Build the report on these results and write it to ``out``, which appears whole or not at all.

    Raises UserError unless ``out`` is new or an empty folder, and can be written.
    """
    read = {job: result for job, result in results.items() if step_of(job) in report.STEP.needs}
    write_whole(out, build_report(load_results(report.shown(campaign), Committed(store, read))))
