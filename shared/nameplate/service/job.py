"""``job ID --store URL``: one job of a campaign in a process of its own."""

from collections.abc import Sequence

from nameplate.errors import UserError
from nameplate.job.committed import committed_selections, needed_results, read_campaign
from nameplate.job.run import default_scratch, run_job
from nameplate.plan.pipeline import STEPS
from nameplate.plan.plan import cells_of, plan
from nameplate.service.arguments import add_store_argument
from nameplate.service.command import parser_of
from nameplate.service.log import log_to_stderr
from nameplate.service.pod import digests_for, sources_for, stop_on_sigterm
from nameplate.steps.step import step_of
from nameplate.store import open_store


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
        digests = digests_for(step.name, sources)
        job = plan(campaign, committed_selections(store, cells_of(campaign)), digests).job(options.id)
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
