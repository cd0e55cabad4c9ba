"""What every service's process does around its work: arguments, logs, exit codes."""

import argparse
import importlib
import importlib.util
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from nameplate.batch import run_batch
from nameplate.errors import NameplateError, UserError
from nameplate.job import default_scratch, run_job
from nameplate.log import log_to_stderr
from nameplate.pipeline import STEPS, step_named
from nameplate.plan import cells_of, plan
from nameplate.source import source_digests
from nameplate.stages import Batch
from nameplate.store import open_store
from nameplate.stored import committed_results, committed_selections, read_campaign
from nameplate.timing import Timing, seconds_since_start
from nameplate.verb import Verb

logger = logging.getLogger(__name__)


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
    if given[:1] == ["batch"]:
        return exit_code_of(lambda: batch_command(prog, given[1:], service=service))
    if given[:1] == ["line"] and step_named("judge").service == service:
        return exit_code_of(lambda: line_command(prog, given[1:]))

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
    campaign = read_campaign(store)
    folder = Path.cwd()
    # Only the ingest looks at source files; no other job may need them, or the key of the pseudonyms.
    sources = source_digests(campaign, folder) if options.id.startswith("ingest/") else {}
    made = plan(campaign, committed_selections(store, cells_of(campaign)), sources)
    try:
        job = made.job(options.id)
    except KeyError:
        raise UserError(f"{options.id}: the campaign has no such job, or not yet") from None
    if service is not None and step_named(job.step).service != service:
        raise UserError(f"{options.id}: a job of the service {step_named(job.step).service}, not {service}")
    run_job(
        job,
        campaign,
        folder,
        store,
        committed_results(store, job.needs),
        scratch_root=default_scratch(store),
        should_stop=stop_on_sigterm(),
    )
    return 0


def batch_command(prog: str, arguments: Sequence[str], *, service: str) -> int:
    """``batch BATCH --store URL``: do the jobs of one batch; what a pod of a cluster runs."""
    parser = argparse.ArgumentParser(
        prog=f"{prog} batch",
        description="Do some consecutive jobs of a campaign whose file lies in the store, one after the "
        "other, each with its own commit. What is committed already is not done again. Exit codes as "
        "those of `job`.",
        epilog=f"example:\n  {prog} batch phantom/study/000+4 --store s3://bucket/demo",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("batch", help="the first job and a count, as the campaign's plan names it")
    _add_pod_arguments(parser)
    options = parser.parse_args(arguments)
    with timed(options.timing) as timing:
        run_batch(
            Batch.parse(options.batch),
            options.store,
            service=service,
            digest=options.digest,
            patience=options.patience,
            should_stop=stop_on_sigterm(),
            timing=timing,
        )
    return 0


def line_command(prog: str, arguments: Sequence[str]) -> int:
    """``line LINE --store URL``: judge a line's runs and say what follows; what a judge's pod runs."""
    from nameplate.line import MOST_TURNS, judge_line

    parser = argparse.ArgumentParser(
        prog=f"{prog} line",
        description="Judge the runs of one experiment on one training set, and write what comes next: the "
        "batches of another round, or those of the evaluation.",
        epilog=f"example:\n  {prog} line spheres/GE --store s3://bucket/demo --out /tmp/turn",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("line", help="experiment/training set")
    _add_pod_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for training, evaluation and more")
    parser.add_argument("--turn", type=int, default=0, help="how often this line was judged before")
    add_batch_size_arguments(parser)
    options = parser.parse_args(arguments)
    if options.turn >= MOST_TURNS:
        raise UserError(f"{options.line}: {MOST_TURNS} rounds in one run; submit the campaign again to go on")
    with timed(options.timing) as timing:
        turn = judge_line(
            options.line,
            options.store,
            digest=options.digest,
            patience=options.patience,
            should_stop=stop_on_sigterm(),
            target_seconds=options.batch_seconds,
            most=options.most_batches,
            timing=timing,
        )
    write_outputs(
        options.out,
        training=json.dumps([str(batch) for batch in turn.training]),
        evaluation=json.dumps([str(batch) for batch in turn.evaluation]),
        more="yes" if turn.training else "no",
        turn=str(options.turn + 1),
    )
    return 0


def add_batch_size_arguments(parser: argparse.ArgumentParser) -> None:
    """How many jobs a pod gets."""
    parser.add_argument(
        "--batch-seconds",
        type=float,
        default=60,
        help="small jobs are put together until a batch takes about so long (default: 60)",
    )
    parser.add_argument(
        "--most-batches", type=int, help="most batches of one step, in a round of all lines together"
    )


def write_outputs(folder: Path, **outputs: str) -> None:
    """One file an output, for a workflow to read."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in outputs.items():
        (folder / name).write_text(text)


def _add_pod_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", required=True, help="a folder or s3://bucket/prefix")
    parser.add_argument("--digest", help="SHA-256 that the campaign's file must have")
    parser.add_argument("--timing", type=Path, help="file for a line of JSON: where the time went")
    parser.add_argument(
        "--patience",
        type=float,
        default=0,
        metavar="SECONDS",
        help="how long a store may be silent before the process gives up (default: 0)",
    )


@contextmanager
def timed(file: Path | None) -> Iterator[Timing]:
    """Log as JSON from now on, and at the end also where the time went."""
    log_to_stderr()
    timing = Timing(start_s=seconds_since_start())
    try:
        yield timing
    finally:
        logger.info("time spent", extra=asdict(timing))
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(timing.json())


def stop_on_sigterm() -> Callable[[], bool]:
    """Catch SIGTERM from now on; the function says whether it has come."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    return stop.is_set
