"""The commands for campaigns on a cluster: submit, list, status, logs, stop, report."""

import argparse
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from nameplate.errors import UserError
from nameplate.plan.pipeline import STEPS
from nameplate.service.arguments import add_gpu_tflops_argument, add_set_argument
from nameplate.service.command import parser_of
from nameplate_cluster.client import CAMPAIGN_LABEL, Cluster, Json
from nameplate_cluster.connection import connect
from nameplate_cluster.workflow import campaign_of, name_of, newest_of

DESCRIPTIONS = {
    "submit": "Show what the campaign will do, check whether the cluster can do it, and run it there as an "
    "Argo workflow. When a check fails nothing is sent, and every problem is listed with what to do. Then "
    "waits for the first pod, which finds wrong credentials, a missing bucket or an image that cannot be "
    "pulled. Another file under the campaign's name is shown by its differences, and left alone without "
    "--replace.",
    "list": "List the campaigns of the namespace: state, pods done, when their newest workflow was submitted "
    "and by whom. Campaigns whose workflows were deleted after a while are not listed; their results stay.",
    "status": "Show the newest workflow of a campaign: pods by step, why some wait, which failed. Ends "
    "with 1 for a workflow that failed, whenever one looks.",
    "logs": "Print the log of a job (training/spheres/study/easy/GE/g0/s003) or of a whole step (training), "
    "as lines for a person or, with --json, as the pods wrote them. A log goes with its pod: where Argo "
    "archives logs, the place is named then.",
    "stop": "End a campaign's workflow. Its pods save their checkpoints and end; submit the same file again "
    "to resume.",
    "report": "Fetch the report of a campaign. This needs no access to its object store: a pod of the "
    "cluster prints the report, and it is checked and unpacked here.",
}

EXAMPLES = {
    "submit": "nameplate submit campaigns/demo.yaml -n nameplate --watch\n"
    "  nameplate submit campaigns/paper.yaml --set seed=7 --only training -n nameplate",
    "list": "nameplate list -n nameplate\n  nameplate list --all",
    "status": "nameplate status demo -n nameplate --watch",
    "logs": "nameplate logs demo training/spheres/study/easy/GE/g0/s000 -n nameplate --follow\n"
    "  nameplate logs demo training --workflow nameplate-demo-x7k2p",
    "stop": "nameplate stop demo -n nameplate",
    "report": "nameplate report demo -n nameplate --out report",
}

EPILOG = """
the cluster:
  a kubeconfig (KUBECONFIG, --context), inside a pod that pod's account, or an Argo Server:
  ARGO_SERVER=host:port, ARGO_TOKEN="Bearer ...", ARGO_SECURE, ARGO_INSECURE_SKIP_VERIFY;
  ARGO_INSTANCEID for another instance id of Argo's controller than the chart's workflow.instanceId
"""


def main(command: str, arguments: list[str]) -> int:
    """Run one command; returns the exit code, raises errors of ``nameplate.errors``."""
    # urllib3 warns about every attempt to connect; we report the outcome once.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    options = command_parser(command).parse_args(arguments)
    return COMMANDS[command](options)


def command_parser(command: str) -> argparse.ArgumentParser:
    """The arguments of one command."""
    parser = parser_of(f"nameplate {command}", DESCRIPTIONS[command], f"{EXAMPLES[command]}\n{EPILOG}")
    if command == "submit":
        parser.add_argument("campaign", type=Path, help="a campaign file (YAML)")
        add_set_argument(parser)
        names = [step.name for step in STEPS]
        parser.add_argument(
            "--only",
            default="",
            choices=names,
            metavar="STEP",
            help=f"only this step, from the results of the earlier ones: {', '.join(names)}",
        )
        parser.add_argument("--watch", action="store_true", help="show progress until the end")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="put this file in the place of another one under the campaign's name",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask before submitting")
        parser.add_argument(
            "--elastic",
            action="store_true",
            help="nodes are added when pods need them (autoscaler): skip the check of today's nodes",
        )
        add_gpu_tflops_argument(parser)
    elif command == "list":
        parser.add_argument(
            "--all", action="store_true", help="every workflow, not only each campaign's newest"
        )
    else:
        parser.add_argument("campaign", metavar="NAME", help="the name of a campaign")
    if command == "logs":
        parser.add_argument("what", metavar="JOB|STEP", help="the id of a job, or the name of a step")
        parser.add_argument("--follow", "-f", action="store_true", help="keep printing until it is done")
        parser.add_argument("--json", action="store_true", help="print the lines as the pods wrote them")
        parser.add_argument(
            "--workflow", metavar="WORKFLOW", help="of an earlier run (nameplate list --all names them)"
        )
    if command == "status":
        parser.add_argument("--watch", action="store_true", help="show progress until the end")
        parser.add_argument("--timings", action="store_true", help="show where the time went, by step")
    if command == "stop":
        parser.add_argument("--now", action="store_true", help="skip exit handlers (Argo's Terminate)")
    if command == "report":
        parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    parser.add_argument(
        "-n",
        "--namespace",
        help="namespace of the installation (default: NAMEPLATE_NAMESPACE, ARGO_NAMESPACE, that of the "
        "context, or nameplate)",
    )
    parser.add_argument("--context", help="context of the kubeconfig")
    return parser


def _connect(options: argparse.Namespace) -> Cluster:
    return connect(options.namespace, options.context)


def newest_workflow(cluster: Cluster, campaign: str) -> Json:
    """The most recently submitted workflow of a campaign; UserError when there is none."""
    workflows = cluster.workflows(f"{CAMPAIGN_LABEL}={campaign}")
    if not workflows:
        raise UserError(
            f"no workflow of a campaign {campaign!r} in the namespace {cluster.namespace} (-n names another; "
            "finished ones are deleted after a while, their results stay)"
        )
    return cluster.workflow(name_of(newest_of(workflows)))


def _submit(options: argparse.Namespace) -> int:
    from nameplate.campaign.overrides import load_with_overrides
    from nameplate_cluster import checks, submit
    from nameplate_cluster.watch import say

    campaign, text = load_with_overrides(options.campaign, options.set)
    for line in submit.plan_lines(campaign, options.only, options.gpu_tflops):
        say(line)
    cluster = _connect(options)
    findings = checks.check(
        cluster, campaign, text, options.only, elastic=options.elastic, replace=options.replace
    )
    for note in findings.notes:
        say(f"note: {note}")
    for line in findings.difference:
        say(f"  {line}")
    if findings.problems:
        raise UserError("\n".join(findings.problems))
    say(f"checked against {cluster.place}, namespace {cluster.namespace}: all checks passed")
    if not options.yes and sys.stdin.isatty() and sys.stdout.isatty():
        answer = input("submit? [Y/n] ").strip().lower()
        if answer not in ("", "y", "yes"):
            say("not submitted")
            return 0
    return submit.submit(
        cluster, campaign, text, only=options.only, watch=options.watch, replace=options.replace
    )


def _status(options: argparse.Namespace) -> int:
    from nameplate_cluster.http_errors import NotAllowed
    from nameplate_cluster.logs import failure_reasons
    from nameplate_cluster.submit import watch_to_the_end
    from nameplate_cluster.timings import scheduled_of, timing_lines
    from nameplate_cluster.watch import say, status_text, with_queues
    from nameplate_cluster.workflow import is_over, phase_of

    cluster = _connect(options)
    workflow = newest_workflow(cluster, options.campaign)
    if options.watch and not is_over(workflow):
        try:
            watch_to_the_end(cluster, name_of(workflow), stop_without_image=False)
        except KeyboardInterrupt:
            say("no longer watching; the workflow keeps running")
            return 130
        workflow = cluster.workflow(name_of(workflow))
    workflow = with_queues(cluster, workflow)
    for line in status_text(workflow, datetime.now(UTC), failure_reasons(cluster, workflow)):
        say(line)
    if options.timings:
        try:
            scheduled = scheduled_of(cluster.pods(name_of(workflow)))
        except NotAllowed:
            scheduled = {}
        for line in timing_lines(workflow, scheduled):
            say(line)
    # The same whenever one looks: a pipeline asks once it is over.
    return 1 if is_over(workflow) and phase_of(workflow) != "Succeeded" else 0


def _logs(options: argparse.Namespace) -> int:
    from nameplate_cluster.logs import show_logs
    from nameplate_cluster.watch import say

    cluster = _connect(options)
    if options.workflow:
        workflow = cluster.workflow(options.workflow)
        if (campaign := campaign_of(workflow)) != options.campaign:
            raise UserError(
                f"--workflow {options.workflow}: of the campaign {campaign!r}, not {options.campaign!r}"
            )
    else:
        workflow = newest_workflow(cluster, options.campaign)
    return show_logs(cluster, workflow, options.what, follow=options.follow, raw=options.json, say=say)


def _list(options: argparse.Namespace) -> int:
    from nameplate_cluster.listing import lines_of
    from nameplate_cluster.watch import say

    cluster = _connect(options)
    workflows = cluster.workflows(CAMPAIGN_LABEL)
    for line in lines_of(workflows, every=options.all):
        say(line)
    if not workflows:
        say(f"no campaigns in the namespace {cluster.namespace} (-n names another)")
    return 0


def _stop(options: argparse.Namespace) -> int:
    from nameplate_cluster.stop import stop

    cluster = _connect(options)
    return stop(cluster, newest_workflow(cluster, options.campaign), options.campaign, now=options.now)


def _report(options: argparse.Namespace) -> int:
    from nameplate_cluster.fetch_report import report

    return report(_connect(options), options.campaign, options.out)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "submit": _submit,
    "list": _list,
    "status": _status,
    "logs": _logs,
    "stop": _stop,
    "report": _report,
}
