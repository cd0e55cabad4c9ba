"""What every service's process does around its work: arguments, logs, exit codes."""

import argparse
import importlib
import importlib.util
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from nameplate.campaign import Campaign, parse_campaign
from nameplate.errors import NameplateError, UserError
from nameplate.job import default_scratch, run_job
from nameplate.log import log_to_stderr
from nameplate.pipeline import STEPS, step_named
from nameplate.plan import cells_of, plan
from nameplate.records import Selection
from nameplate.result import Result, read_result
from nameplate.selections import read_selection
from nameplate.source import source_digests
from nameplate.store import NoSuchKey, Store, open_store
from nameplate.verb import Verb

logger = logging.getLogger(__name__)

CAMPAIGN_KEY = "campaign.yaml"


def verb_of(service: str) -> Verb | None:
    """What a service offers to a person; None where its work makes sense in a campaign only.

    Raises UserError that names the extra to install when the service is not installed.
    """
    module = f"nameplate_{service}"
    hint = f"the {service} service is not installed here: pip install 'nameplate[{service}]'"
    if importlib.util.find_spec(module) is None:
        raise UserError(hint)
    if importlib.util.find_spec(f"{module}.verb") is None:
        return None
    try:
        return importlib.import_module(f"{module}.verb").VERB  # type: ignore[no-any-return]
    except ModuleNotFoundError as error:
        raise UserError(f"{hint} ({error.name} is missing)") from error


def verb_parser(verb: Verb, prog: str) -> argparse.ArgumentParser:
    """The parser of one verb, with its example at the end of ``--help``."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=verb.description,
        epilog=f"example:\n  {verb.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_arguments(parser)
    return parser


def run_verb(verb: Verb, prog: str, arguments: Sequence[str]) -> int:
    """Parse a verb's arguments and run it."""
    return verb.run(verb_parser(verb, prog).parse_args(arguments))


def exit_code_of(main: Callable[[], int]) -> int:
    """Run a command and turn what it raises on purpose into a line on stderr and an exit code."""
    try:
        return main()
    except NameplateError as error:
        for line in str(error).splitlines():
            print(f"nameplate: {line}", file=sys.stderr)  # noqa: T201 (the edge of the program)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output has gone (head, less): not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("nameplate: stopped", file=sys.stderr)  # noqa: T201
        return 130


def service_main(service: str, arguments: Sequence[str] | None = None) -> int:
    """Entry point of one service alone: its verb, or ``job ID --store URL`` for a campaign's job."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    prog = f"nameplate-{service}"
    if given[:1] == ["job"]:
        return exit_code_of(lambda: job_command(prog, given[1:], service=service))

    def main() -> int:
        verb = verb_of(service)
        if verb is None:
            steps = ", ".join(step.name for step in STEPS if step.service == service)
            print(  # noqa: T201
                f"usage: {prog} job ID --store STORE\n\n"
                f"This service does the steps {steps} of a campaign.\n\n"
                f"example:\n  {prog} job {steps.partition(',')[0]}/... --store s3://bucket/campaign"
            )
            return 0 if given and set(given) <= {"-h", "--help"} else 2
        return run_verb(verb, prog, given)

    return exit_code_of(main)


def job_command(prog: str, arguments: Sequence[str], *, service: str | None = None) -> int:
    """``job ID --store URL``: do one job of the campaign that lies in the store, and commit it."""
    parser = argparse.ArgumentParser(
        prog=f"{prog} job",
        description="Do one job of a campaign whose file lies in the store, and commit its result. "
        "A job that is committed already is not done again. Exit codes: 0 done, 2 a mistake "
        "that no retry will mend, 75 try again (after a checkpoint, or the store did not answer).",
        epilog=f"example:\n  {prog} job cohort/study --store runs/demo",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("id", help="the job, as `nameplate plan --jobs` lists it")
    parser.add_argument("--store", required=True, help="a folder or s3://bucket/prefix")
    options = parser.parse_args(arguments)
    log_to_stderr()
    store = open_store(options.store, create=False)
    try:
        text = store.get(CAMPAIGN_KEY).decode()
    except NoSuchKey:
        raise UserError(f"{store.url}: holds no {CAMPAIGN_KEY}; `nameplate run` puts it there") from None
    campaign = parse_campaign(text, f"{store.url}/{CAMPAIGN_KEY}")
    folder = Path.cwd()
    # Only the ingest looks at source files; no other job may need them, or the key of the pseudonyms.
    sources = source_digests(campaign, folder) if options.id.startswith("ingest/") else {}
    made = plan(campaign, _selections(campaign, store), sources)
    try:
        job = made.job(options.id)
    except KeyError:
        raise UserError(f"{options.id}: the campaign has no such job, or not yet") from None
    if service is not None and step_named(job.step).service != service:
        raise UserError(f"{options.id}: a job of the service {step_named(job.step).service}, not {service}")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_job(
        job,
        campaign,
        folder,
        store,
        _results(store, job.needs),
        scratch_root=default_scratch(store),
        should_stop=stop.is_set,
    )
    return 0


def _selections(campaign: Campaign, store: Store) -> dict[str, tuple[Selection, ...]]:
    """The verdicts as they were committed, in the order of rounds."""
    found: dict[str, tuple[Selection, ...]] = {}
    for cell in cells_of(campaign):
        rounds: list[Selection] = []
        while (result := read_result(store, f"judge/{cell.id}/r{len(rounds):02d}")) is not None:
            rounds.append(read_selection(store, result))
            if not rounds[-1].next_seeds:
                break
        found[cell.id] = tuple(rounds)
    return found


def _results(store: Store, needs: Sequence[str]) -> dict[str, Result]:
    results = {}
    for need in needs:
        result = read_result(store, need)
        if result is None:
            raise UserError(f"{need}: not done yet, but needed")
        results[need] = result
    return results
