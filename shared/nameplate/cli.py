"""The command line: ``nameplate run|plan|status|report|job`` and the verbs of the services.

What only one verb needs is imported when that verb runs: help and small verbs start at once.
"""

import argparse
import importlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nameplate
from nameplate.arguments import add_gpu_tflops_argument, add_set_argument
from nameplate.campaign import Campaign, parse_campaign
from nameplate.errors import NameplateError, UserError
from nameplate.job import CommittedReader
from nameplate.local import LocalRunner, Outcome
from nameplate.overrides import load_with_overrides
from nameplate.pipeline import step_named
from nameplate.plan import plan
from nameplate.progress import Progress
from nameplate.service import exit_code_of, job_command, run_verb, verb_of
from nameplate.source import source_digests
from nameplate.state import current_state
from nameplate.status import status_lines
from nameplate.store import Store, open_store
from nameplate.stored import CAMPAIGN_KEY, put_campaign

VERBS = {
    "phantom": "simulate a cohort of head CTs and write it as DICOM studies",
    "ingest": "turn a folder of DICOM files into one NIfTI volume an exam, and a ledger",
    "skullstrip": "find the intracranial mask of a head CT",
    "synthesis": "put a sphere of known size, place and contrast into a brain",
}

CLUSTER_VERBS = ("submit", "logs", "stop")

DESCRIPTION = """\
How much does the scanner's manufacturer bias a head-CT network, and how does that grow
with the difficulty of the task? A campaign file says everything; `nameplate run` answers.

campaigns
  run CAMPAIGN      do everything, from DICOM to the report; goes on where it was stopped
  plan CAMPAIGN     what would be done: cohort, jobs, GPU-hours, bytes; does nothing
  status CAMPAIGN   how far it is
  report CAMPAIGN   make the report anew from what is in the store
  job ID            do one job of a campaign that lies in a store

the same on a Kubernetes cluster with Argo Workflows (NAME is the campaign's name)
  submit CAMPAIGN   check the campaign against the cluster and run it there
  status NAME       how far it is, and what waits or failed
  logs NAME JOB     the log of a job or a step
  stop NAME         end it; checkpoints are kept, and submitting again goes on
  report NAME       fetch its report

one thing alone
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``nameplate``; returns the exit code (0 done, 2 the user's mistake, 75 try again)."""
    return exit_code_of(lambda: _main(list(sys.argv[1:] if arguments is None else arguments)))


def _main(arguments: list[str]) -> int:
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command in VERBS:
        verb = verb_of(command)
        assert verb is not None
        return run_verb(verb, f"nameplate {command}", rest)
    if command == "job":
        return job_command("nameplate", rest)
    if command in CLUSTER_VERBS or (command in ("status", "report") and _is_on_cluster(rest)):
        return _cluster_verb(command, rest)
    if command in ("status", "report") and {"-n", "--namespace"} & set(rest):
        raise UserError(
            f"{command}: a file's campaign is asked on this machine, a cluster's by its name: "
            f"nameplate {command} NAME -n NAMESPACE"
        )
    campaign_verbs = {"run": _run, "plan": _plan, "status": _status, "report": _report}
    if command in campaign_verbs:
        options = _campaign_parser(command).parse_args(rest)
        campaign, text = load_with_overrides(options.campaign, options.set)
        return campaign_verbs[command](options, campaign, text)
    if command in ("--version", "-V"):
        print(f"nameplate {nameplate.__version__}")
        return 0
    verbs = "".join(f"  {name:<17} {summary}\n" for name, summary in VERBS.items())
    page = (
        f"usage: nameplate VERB ... (nameplate VERB --help teaches each)\n\n{DESCRIPTION}{verbs}\n"
        "example:\n  nameplate run campaigns/demo.yaml\n"
    )
    if command in ("", "-h", "--help", "help"):
        print(page, end="")
        return 0 if command else 2
    raise UserError(f"no verb {command!r}; see nameplate --help")


def _is_on_cluster(arguments: Sequence[str]) -> bool:
    """Whether ``status`` or ``report`` is asked of a campaign's name, and not of a file."""
    name = arguments[0] if arguments else ""
    is_name = re.fullmatch(r"[a-z][a-z0-9-]*", name) is not None
    return is_name and "--store" not in arguments and not Path(name).is_file()


def _cluster_verb(command: str, arguments: list[str]) -> int:
    verb_of("cluster")  # says what to install where it is not
    verbs = importlib.import_module("nameplate_cluster.verbs")
    return int(verbs.main(command, arguments))


def _campaign_parser(command: str) -> argparse.ArgumentParser:
    descriptions = {
        "run": "Do every job of the campaign on this machine and write its report. What is committed "
        "already is not done again; stop it whenever you like (Ctrl-C, or pull the plug): the same "
        "command goes on where it was and ends in the same results.",
        "plan": "Show what the campaign would do: the cohort's split, the jobs of each step, trainings "
        "expected and at most, GPU-hours and bytes. Needs no data and writes nothing.",
        "status": "Show how far the campaign is: jobs done by step, and the converged runs of each cell. "
        "With the name of a campaign in place of a file: of its workflow on a cluster (nameplate status "
        "demo --help).",
        "report": "Make the report anew from what is in the store, complete or not. With the name of a "
        "campaign in place of a file: fetch it from a cluster (nameplate report demo --help).",
    }
    examples = {
        "run": "nameplate run campaigns/demo.yaml --workers 2\n"
        "  nameplate run campaigns/paper.yaml --set cohorts.study.folder=/data/ncct --store s3://bias/paper",
        "plan": "nameplate plan campaigns/paper.yaml",
        "status": "nameplate status campaigns/demo.yaml",
        "report": "nameplate report campaigns/demo.yaml --out /tmp/report",
    }
    parser = argparse.ArgumentParser(
        prog=f"nameplate {command}",
        description=descriptions[command],
        epilog=f"example:\n  {examples[command]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("campaign", type=Path, help="a campaign file (YAML)")
    add_set_argument(parser)
    parser.add_argument(
        "--store",
        help="where everything lies: a folder or s3://bucket/prefix (default: runs/<campaign>); S3 is "
        "reached by AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
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
        parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text}")
    return value


def _store_url(options: argparse.Namespace, campaign: Campaign) -> str:
    return options.store or f"runs/{campaign.name}"


def _open_for(campaign: Campaign, text: str, url: str) -> Store:
    """The store, with this campaign in it; refuses one that belongs to another campaign."""
    store = open_store(url)
    put_campaign(store, campaign, text)
    return store


def _run(options: argparse.Namespace, campaign: Campaign, text: str) -> int:
    from nameplate.estimate import seconds_estimate

    folder = options.campaign.resolve().parent
    sources = source_digests(campaign, folder)
    url = _store_url(options, campaign)
    store = _open_for(campaign, text, url)
    local = store.folder("logs")
    logs = options.logs or local or Path("runs") / campaign.name / "logs"
    # A fixed number of threads a process: more would fight for the cores, and results would differ.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    with Progress(seconds_estimate(campaign), options.workers) as progress:
        runner = LocalRunner(
            campaign,
            folder,
            store,
            sources=sources,
            logs=logs,
            workers=options.workers,
            progress=progress,
        )
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            outcome = runner.run()
        except KeyboardInterrupt:
            progress.say("stopped; the same command goes on from here")
            return 130
    return _close(outcome, store, campaign)


def _close(outcome: Outcome, store: Store, campaign: Campaign) -> int:
    """Say what the run came to; exit 1 when a job failed."""
    for failure in outcome.failed:
        print(f"failed: {failure.job.id}: {failure.message}\n        log: {failure.log}")
    if outcome.failed:
        print(
            f"{outcome.done} jobs done, {outcome.current} were done before, {len(outcome.failed)} failed, "
            f"{outcome.waiting} wait for them; mend what the log says and run the same command again"
        )
        codes = {failure.exit_code for failure in outcome.failed}
        return codes.pop() if len(codes) == 1 else 1
    if outcome.done:
        print(f"{outcome.done} jobs done, {outcome.current} were done before")
    else:
        print(f"nothing to do: all {outcome.current} jobs of {campaign.name} are done")
    print(f"report: {store.url}/report/index.html")
    return 0


def _plan(options: argparse.Namespace, campaign: Campaign, text: str) -> int:  # noqa: ARG001
    from nameplate.estimate import plan_summary

    if options.jobs:
        for job in plan(campaign, {}, {}).jobs:
            print(job.id)
        return 0
    print("\n".join(plan_summary(campaign, gpu_tflops=options.gpu_tflops)))
    return 0


def _status(options: argparse.Namespace, campaign: Campaign, text: str) -> int:  # noqa: ARG001
    store = open_store(_store_url(options, campaign), create=False)
    _warn_of_other_settings(campaign, store)
    sources = source_digests(campaign, options.campaign.resolve().parent)
    print("\n".join(status_lines(campaign, store, sources)))
    return 0


def _warn_of_other_settings(campaign: Campaign, store: Store) -> None:
    """Say so when the store was last run with other settings: its jobs count as not done then."""
    try:
        there = parse_campaign(store.get(CAMPAIGN_KEY).decode(), CAMPAIGN_KEY)
    except (NameplateError, UnicodeDecodeError):
        return
    if there != campaign:
        print(f"note: {store.url} was last run with other settings; repeat the --set of that run")


def _report(options: argparse.Namespace, campaign: Campaign, text: str) -> int:  # noqa: ARG001
    verb_of("evaluation")  # says what to install where it is not
    from nameplate_evaluation.load import load_results
    from nameplate_evaluation.report import build_report

    out = Path(options.out).resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: not an empty folder")
    store = open_store(_store_url(options, campaign), create=False)
    sources = source_digests(campaign, options.campaign.resolve().parent)
    _warn_of_other_settings(campaign, store)
    read = step_named("report").needs
    results = {
        job: result
        for job, result in current_state(campaign, store, sources).results.items()
        if job.partition("/")[0] in read
    }
    files = build_report(load_results(campaign, CommittedReader(store, results)))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".report-", dir=out.parent) as temporary:
            whole = Path(temporary) / "report"
            for name, data in files.items():
                path = whole / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            if out.exists():
                out.rmdir()
            whole.rename(out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from error
    print(f"report: {options.out}/index.html")
    return 0
