"""The edge of every process: its arguments, and its exit code."""

import os
import sys
from collections.abc import Callable, Sequence

from nameplate.errors import NameplateError
from nameplate.service.arithmetic import settle_arithmetic
from nameplate.service.command import command_of, run_command


def exit_code_of(main: Callable[[], int]) -> int:
    """Run a command and turn its own errors into a line on stderr and an exit code.

    Of every service's entry it is the first call, so that no numerical library is loaded before.
    """
    settle_arithmetic()
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
    return exit_code_of(lambda: _run(service, given))


def _run(service: str, given: Sequence[str]) -> int:
    prog = f"nameplate-{service}"
    # What jobs of a campaign need is imported for them alone: it takes longer than a person's command on one
    # exam, which needs none of it.
    if given[:1] == ["job"]:
        from nameplate.service.job import job_command

        return job_command(prog, given[1:], service=service)
    if given[:1] == ["chunk"]:
        from nameplate.service.chunk import chunk_command

        return chunk_command(prog, given[1:], service=service)
    if given[:1] == ["arm"]:
        from nameplate.plan.pipeline import step_named
        from nameplate.service.arm import arm_command

        if step_named("selection").service == service:
            return arm_command(prog, given[1:])
    command = command_of(service)
    if command is not None:
        return run_command(command, prog, given)
    from nameplate.plan.pipeline import STEPS, step_named

    arm = ", arm ARM" if service == step_named("selection").service else ""
    steps = ", ".join(step.name for step in STEPS if step.service == service)
    print(  # noqa: T201
        f"usage: {prog} job ID --store STORE   (and chunk CHUNK{arm}, in a pod)\n\n"
        f"This service does the steps {steps} of a campaign.\n\n"
        f"example:\n  {prog} job {steps.partition(',')[0]}/... --store s3://bucket/campaign"
    )
    return 0 if given and set(given) <= {"-h", "--help"} else 2
