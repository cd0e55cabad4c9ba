"""The command line: ``nameplate run|plan|status|report|job`` and the commands of the services.

Imports that only one command needs wait until that command runs, so help and small commands start at
once. Other services are named as text and imported on demand, so only some need to be installed.
"""

import argparse
import importlib
import importlib.util
import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import nameplate
from nameplate.campaign import Campaign, parse_campaign
from nameplate.campaign.cohort_source import digests_of, sources_of
from nameplate.campaign.experiment import LearningSettings
from nameplate.campaign.overrides import load_with_overrides
from nameplate.errors import NameplateError, UserError
from nameplate.job.committed import CAMPAIGN_KEY, put_campaign
from nameplate.job.state import ask_again, current_state
from nameplate.pack.cost import Cost
from nameplate.pack.shapes import Size
from nameplate.plan.estimate import Count
from nameplate.plan.plan import plan
from nameplate.service.arguments import add_gpu_tflops_argument, add_set_argument
from nameplate.service.command import command_of, parser_of, run_command
from nameplate.service.job import job_command
from nameplate.steps import report
from nameplate.store import Store, open_store
from nameplate.whole import check_empty

SERVICE_COMMANDS = {
    "phantom": "simulate a cohort of head CTs and write it as DICOM studies",
    "census": "count what a PACS, an archive or a folder has, before a pixel moves",
    "ingest": "turn exams from where they are into one NIfTI volume each, and a ledger",
    "skullstrip": "find the intracranial mask of a head CT",
    "fingerprint": "measure what tells scanners apart in a folder of head CTs",
    "synthesis": "put a sphere of known size, place and contrast into a brain",
    "audit": "hold a table of any model's scores against the scanners that the exams came from",
    "challenge": "plant lesions in your exams and report what your own model finds of them",
}
IN_SERVICE = {"audit": "evaluation", "census": "ingest"}
"""Commands that are a package of a service with another name."""

CLUSTER_COMMANDS = ("submit", "list", "logs", "stop")

DESCRIPTION = """\
How much does the scanner's manufacturer bias a head-CT network, and does the bias grow with
the difficulty of the task? A campaign file holds every setting; `nameplate run` answers.

campaigns
  run CAMPAIGN      do everything, from DICOM to the report; resumes where it stopped
  plan CAMPAIGN     show what would be done and could be found: jobs, GPU-hours, effects; runs nothing
  status CAMPAIGN   show its progress
  report CAMPAIGN   make the report again from what is in the store
  job ID            do one job of a campaign that is in a store

the same on a Kubernetes cluster with Argo Workflows (NAME is the campaign's name)
  submit CAMPAIGN   check the campaign against the cluster and run it there
  list              list the campaigns there: state, when and by whom
  status NAME       show its progress, and what waits or failed
  logs NAME JOB     show the log of a job or a step
  stop NAME         end it; checkpoints are kept, and submitting again resumes it
  report NAME       fetch its report

single tools
"""


def run(arguments: list[str]) -> int:
    """Do what the words of a command line say; returns the exit code."""
    name, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if name in SERVICE_COMMANDS:
        command = command_of(IN_SERVICE.get(name, name), name if name in IN_SERVICE else "")
        assert command is not None
        return run_command(command, f"nameplate {name}", rest)
    if name == "job":
        return job_command("nameplate", rest)
    if name in CLUSTER_COMMANDS or (name in ("status", "report") and _is_on_cluster(rest)):
        return _cluster_command(name, rest)
    if name in ("status", "report") and {"-n", "--namespace"} & set(rest):
        raise UserError(
            f"{name}: give the campaign's file for a run on this machine, or its name for a run on a "
            f"cluster: nameplate {name} NAME -n NAMESPACE"
        )
    campaign_commands = {"run": _run, "plan": _plan, "status": _status, "report": _report}
    if name in campaign_commands:
        options = _campaign_parser(name).parse_args(rest)
        campaign, text = load_with_overrides(options.campaign, options.set)
        return campaign_commands[name](options, campaign, text)
    if name in ("--version", "-V"):
        print(f"nameplate {nameplate.__version__}")
        return 0
    tools = "".join(f"  {tool:<17} {summary}\n" for tool, summary in SERVICE_COMMANDS.items())
    page = (
        f"usage: nameplate COMMAND ... (nameplate COMMAND --help explains each)\n\n{DESCRIPTION}{tools}\n"
        "example:\n  nameplate run campaigns/demo.yaml\n"
    )
    if name in ("", "-h", "--help", "help"):
        print(page, end="")
        return 0 if name else 2
    raise UserError(f"no command {name!r}; see nameplate --help")


def _is_on_cluster(arguments: Sequence[str]) -> bool:
    """Whether ``status`` or ``report`` is given a campaign's name instead of a file."""
    name = arguments[0] if arguments else ""
    is_name = re.fullmatch(r"[a-z][a-z0-9-]*", name) is not None
    return is_name and "--store" not in arguments and not Path(name).is_file()


def _cluster_command(name: str, arguments: list[str]) -> int:
    command_of("cluster")  # says what to install if it is missing
    commands = importlib.import_module("nameplate_cluster.commands")
    return int(commands.main(name, arguments))


def _campaign_parser(command: str) -> argparse.ArgumentParser:
    descriptions = {
        "run": "Do every job of the campaign on this machine and write its report. Jobs that are already "
        "committed are not done again. Stop it whenever you like (Ctrl-C, or pull the plug): the same "
        "command resumes it and ends in the same results.",
        "plan": "Show what the campaign would do: the cohort's split, the jobs of each step, trainings "
        "expected and at most, GPU-hours, bytes, and the least effects that it would find. Needs no data and "
        "writes nothing.",
        "status": "Show the campaign's progress: jobs done by step, and the converged runs of each cell. "
        "With a campaign's name in place of a file: the progress of its workflow on a cluster (nameplate "
        "status demo --help).",
        "report": "Make the report again from what is in the store, complete or not. With a campaign's name "
        "in place of a file: fetch it from a cluster (nameplate report demo --help).",
    }
    examples = {
        "run": "nameplate run campaigns/demo.yaml --workers 2\n"
        "  nameplate run campaigns/paper.yaml --set cohorts.study.folder=/data/ncct --store s3://bias/paper",
        "plan": "nameplate plan campaigns/paper.yaml",
        "status": "nameplate status campaigns/demo.yaml",
        "report": "nameplate report campaigns/demo.yaml --out /tmp/report",
    }
    parser = parser_of(f"nameplate {command}", descriptions[command], examples[command])
    parser.add_argument("campaign", type=Path, help="a campaign file (YAML)")
    add_set_argument(parser)
    parser.add_argument(
        "--store",
        help="where everything is kept: a folder or s3://bucket/prefix (default: runs/<campaign>); S3 "
        "needs AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )
    if command == "run":
        parser.add_argument(
            "--workers", type=_positive, default=os.cpu_count() or 1, help="processes (default: all cores)"
        )
        parser.add_argument("--logs", type=Path, help="folder of the jobs' logs (default: beside the store)")
    if command == "plan":
        parser.add_argument("--jobs", action="store_true", help="list the id of every job")
        add_gpu_tflops_argument(parser)
    if command == "report":
        parser.add_argument("--out", type=Path, required=True, help="folder for the report; new or empty")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text}")
    return value


def _store_url(options: argparse.Namespace, campaign: Campaign) -> str:
    return options.store or f"runs/{campaign.name}"


def _run(options: argparse.Namespace, campaign: Campaign, text: str) -> int:
    from nameplate.plan.estimate import costs_of, seconds_estimate
    from nameplate_local.progress import Progress
    from nameplate_local.runner import LocalRunner

    # First: it refuses what cannot be done, and nothing is made yet.
    seconds = seconds_estimate(campaign, costs_of(campaign, _count()))
    sources = sources_of(campaign, options.campaign.resolve().parent)
    digests_of(sources)  # refuses a source that is not there, before a store is made
    store = open_store(_store_url(options, campaign))
    put_campaign(store, campaign, text)
    ask_again(store, sources)
    logs = options.logs or store.folder("logs") or Path("runs") / campaign.name / "logs"
    with Progress(campaign, seconds, options.workers) as progress:
        runner = LocalRunner(
            campaign, store, sources=sources, logs=logs, workers=options.workers, progress=progress
        )
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            outcome = runner.run()
        except KeyboardInterrupt:
            progress.say("stopped; the same command resumes from here")
            return 130
    for failure in outcome.failed:
        print(f"failed: {failure.job.id}: {failure.message}\n        log: {failure.log}")
    if outcome.failed:
        print(
            f"{outcome.done} jobs done, {outcome.current} were done before, {len(outcome.failed)} failed, "
            f"{outcome.waiting} wait for them; fix what the log reports and run the same command again"
        )
        codes = {failure.exit_code for failure in outcome.failed}
        return codes.pop() if len(codes) == 1 else 1
    if outcome.done:
        print(f"{outcome.done} jobs done, {outcome.current} were done before")
    else:
        print(f"nothing to do: all {outcome.current} jobs of {campaign.name} are done")
    print(f"report: {store.url}/{report.FILE.key(file='index.html')}")
    return 0


def _plan(options: argparse.Namespace, campaign: Campaign, text: str) -> int:  # noqa: ARG001
    from nameplate.plan.summary import plan_summary

    if options.jobs:
        for job in plan(campaign, {}, {}).jobs:
            print(job.id)
        return 0
    print("\n".join(plan_summary(campaign, gpu_tflops=options.gpu_tflops, count=_count())))
    return 0


def _count() -> Count | None:
    """What checks and counts networks that nameplate did not write; None where there is no torch to ask."""
    if any(importlib.util.find_spec(name) is None for name in ("torch", "nameplate_training")):
        return None

    def count(learning: LearningSettings, spatial: Size) -> Cost:
        # Not before there is such a network: the import takes seconds.
        cost: Cost = importlib.import_module("nameplate_training.count").counted(learning, spatial)
        return cost

    return count


def _status(options: argparse.Namespace, campaign: Campaign, text: str) -> int:  # noqa: ARG001
    from nameplate_local.status import status_lines

    store = open_store(_store_url(options, campaign), create=False)
    _warn_of_other_settings(campaign, store)
    sources = sources_of(campaign, options.campaign.resolve().parent)
    print("\n".join(status_lines(campaign, store, digests_of(sources))))
    return 0


def _warn_of_other_settings(campaign: Campaign, store: Store) -> None:
    """Warn when the store was last run with other settings: its jobs then count as not done."""
    try:
        stored = parse_campaign(store.get(CAMPAIGN_KEY).decode(), CAMPAIGN_KEY)
    except (NameplateError, UnicodeDecodeError):
        return
    if stored != campaign:
        print(f"note: {store.url} was last run with other settings; repeat the --set of that run")


def _report(options: argparse.Namespace, campaign: Campaign, text: str) -> int:  # noqa: ARG001
    command_of("evaluation")  # says what to install if it is missing
    fresh = importlib.import_module("nameplate_evaluation.fresh_report")
    check_empty(options.out)
    store = open_store(_store_url(options, campaign), create=False)
    sources = sources_of(campaign, options.campaign.resolve().parent)
    _warn_of_other_settings(campaign, store)
    results = current_state(campaign, store, digests_of(sources)).results
    fresh.write_report(campaign, store, results, options.out)
    print(f"report: {options.out}/index.html")
    return 0
