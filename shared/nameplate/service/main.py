"""The edge of every process: its arguments, and its exit code."""

import os
import sys
from collections.abc import Callable, Sequence

from nameplate.errors import NameplateError, UserError
from nameplate.job.committed import committed_selections, needed_results, read_campaign
from nameplate.job.run import default_scratch, run_job
from nameplate.plan.pipeline import STEPS, step_named
from nameplate.plan.plan import cells_of, plan
from nameplate.service.arguments import add_store_argument
from nameplate.service.arm import arm_command
from nameplate.service.chunk import chunk_command
from nameplate.service.command import command_of, parser_of, run_command
from nameplate.service.log import log_to_stderr
from nameplate.service.pod import sources_for, stop_on_sigterm
from nameplate.steps.step import step_of
from nameplate.store import open_store


def exit_code_of(main: Callable[[], int]) -> int:
    """Run a command and turn its own errors into a line on stderr and an exit code."""
    try:
        return main()
    except NameplateError as error:
        for line in str(error).splitlines():
            print(f"nameplate: {line}", file=sys.stderr)  # noqa: T201 (the edge of the program)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output is gone (head, less): not our error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("nameplate: stopped", file=sys.stderr)  # noqa: T201
        return 130


def service_main(service: str, arguments: Sequence[str] | None = None) -> int:
    """Entry point of one service: its command, or ``job ID --store URL`` for a campaign's job."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    prog = f"nameplate-{service}"
    if given[:1] == ["job"]:
        return exit_code_of(lambda: job_command(prog, given[1:], service=service))
    if given[:1] == ["chunk"]:
        return exit_code_of(lambda: chunk_command(prog, given[1:], service=service))
    if given[:1] == ["arm"] and step_named("selection").service == service:
        return exit_code_of(lambda: arm_command(prog, given[1:]))

    def main() -> int:
        command = command_of(service)
        if command is None:
            arm = ", arm ARM" if service == step_named("selection").service else ""
            steps = ", ".join(step.name for step in STEPS if step.service == service)
            print(  # noqa: T201
                f"usage: {prog} job ID --store STORE   (and chunk CHUNK{arm}, in a pod)\n\n"
                f"This service does the steps {steps} of a campaign.\n\n"
                f"example:\n  {prog} job {steps.partition(',')[0]}/... --store s3://bucket/campaign"
            )
            return 0 if given and set(given) <= {"-h", "--help"} else 2
        return run_command(command, prog, given)

    return exit_code_of(main)


def job_command(prog: str, arguments: Sequence[str], *, service: str | None = None) -> int:
    """``job ID --store URL``: do one job of the campaign in the store, and commit it."""
    parser = parser_of(
        f"{prog} job",
        "Do one job of a campaign whose file is in the store, and commit its result. "
        "A job that is already committed is not done again. Exit codes: 0 done, 2 a mistake "
        "that no retry will fix, 75 try again (after a checkpoint, or the store did not answer).",
        f"{prog} job cohort/study --store runs/demo",
    )
    parser.add_argument("id", help="the job, as `nameplate plan --jobs` lists it")
    add_store_argument(parser)
    options = parser.parse_args(arguments)
    log_to_stderr()
    store = open_store(options.store, create=False)
    campaign = read_campaign(store)
    no_such_job = UserError(f"{options.id}: the campaign has no such job, or not yet")
    step = next((step for step in STEPS if step.name == step_of(options.id)), None)
    if step is None:
        raise no_such_job
    if service is not None and step.service != service:
        raise UserError(f"{options.id}: belongs to the service {step.service}, not {service}")
    sources = sources_for(step.name, campaign)
    try:
        job = plan(campaign, committed_selections(store, cells_of(campaign)), sources).job(options.id)
    except KeyError:
        raise no_such_job from None
    run_job(
        job,
        store,
        needed_results(store, job.needs),
        source=sources.get(job.cohort or ""),
        scratch_root=default_scratch(store),
        should_stop=stop_on_sigterm(),
    )
    return 0
