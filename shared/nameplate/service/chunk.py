"""What a cluster's pod does: the jobs of one chunk, one after another, each with its own commit."""

import logging
from collections.abc import Callable, Sequence

from nameplate.campaign import Campaign
from nameplate.errors import NameplateError, StoreError, StoreUnreachable, TryAgain, UserError
from nameplate.job.attempts import Attempts
from nameplate.job.committed import committed_selections, needed_results, read_campaign
from nameplate.job.run import default_scratch, run_job
from nameplate.job.timing import Timing
from nameplate.plan.chunks import Chunk, jobs_of
from nameplate.plan.pipeline import step_named
from nameplate.plan.plan import cells_of, plan
from nameplate.service.arguments import add_pod_arguments
from nameplate.service.command import parser_of
from nameplate.service.pod import digests_for, sources_for, stop_on_sigterm, timed
from nameplate.steps.cell import Cell
from nameplate.store import open_store

logger = logging.getLogger(__name__)


def chunk_command(prog: str, arguments: Sequence[str], *, service: str) -> int:
    """``chunk CHUNK --store URL``, run by a cluster's pod: do the jobs of one chunk."""
    parser = parser_of(
        f"{prog} chunk",
        "Do some consecutive jobs of a campaign whose file is in the store, one after another, each with "
        "its own commit. Jobs that are already committed are not done again. Exit codes as for `job`.",
        f"{prog} chunk {service}/study/000+4 --store s3://bucket/demo",
    )
    parser.add_argument("chunk", help="the first job and a count, as the campaign's plan names it")
    add_pod_arguments(parser)
    parser.add_argument(
        "--attempt", type=int, default=0, help="how often this pod was tried before (default: 0)"
    )
    parser.add_argument(
        "--retries",
        type=int,
        default=3,
        metavar="N",
        help="give up when so many further attempts in a row made no progress (default: 3)",
    )
    options = parser.parse_args(arguments)
    with timed(options.timing) as timing:
        run_chunk(
            Chunk.parse(options.chunk),
            options.store,
            service=service,
            digest=options.digest,
            attempt=options.attempt,
            retries=options.retries,
            store_timeout=options.store_timeout,
            should_stop=stop_on_sigterm(),
            timing=timing,
        )
    return 0


def run_chunk(
    chunk: Chunk,
    store_url: str,
    *,
    service: str,
    digest: str | None,
    attempt: int = 0,
    retries: int = 3,
    store_timeout: float,
    should_stop: Callable[[], bool],
    timing: Timing,
) -> None:
    """Do the jobs of a chunk that are not committed yet.

    A failed job does not stop the others. At the end, a failure that may pass is raised in preference to
    a mistake, so that the chunk is tried again. ``digest`` is that of the campaign's text; a store may
    fail to answer for ``store_timeout`` seconds. Attempt ``attempt`` (0 is the first) ends in a UserError
    when the ``retries`` before it, in a row, made no progress.
    """
    try:
        step = step_named(chunk.step)
    except KeyError:
        raise UserError(f"{chunk}: no step {chunk.step!r}") from None
    if step.service != service:
        raise UserError(f"{chunk}: belongs to the service {step.service}, not {service}")
    with timing.spent("plan_s"):
        store = open_store(store_url, create=False, timeout=store_timeout, should_stop=should_stop)
        attempts = Attempts(store, str(chunk), number=attempt, retries=retries)
        attempts.begin()
        campaign = read_campaign(store, digest=digest)
        sources = sources_for(step.name, campaign)
        selections = committed_selections(store, _cells_behind(chunk, campaign))
        jobs = jobs_of(plan(campaign, selections, digests_for(step.name, sources)), chunk)
    failures: list[Exception] = []
    for job in jobs:
        if should_stop():
            raise TryAgain(f"asked to stop before {job.id}; the jobs before it are committed")
        try:
            with timing.spent("commit_s"):
                run_job(
                    job,
                    store,
                    needed_results(store, job.needs, may_follow=True),
                    source=sources.get(job.cohort or ""),
                    scratch_root=default_scratch(store),
                    should_stop=should_stop,
                    on_progress=attempts.progress,
                    timing=timing,
                )
            timing.jobs += 1
        except NameplateError as error:
            logger.error("failed", extra={"job": job.id, "reason": str(error)})
            if isinstance(error, StoreError | StoreUnreachable) or should_stop():
                raise  # no other job could do better
            failures.append(error)
        except Exception as error:
            logger.exception("failed by a bug", extra={"job": job.id})
            failures.append(error)
    if not failures:
        attempts.end()
    else:
        raise min(failures, key=lambda failure: not isinstance(failure, TryAgain))


def _cells_behind(chunk: Chunk, campaign: Campaign) -> tuple[Cell, ...]:
    """The cells whose selections define a chunk: its arm's, or all of them for the report."""
    cells = cells_of(campaign)
    match step_named(chunk.step).scope:
        case "cohort":
            return ()
        case "campaign":
            return cells
    rest = chunk.first.partition("/")[2]
    arms = {cell.arm for cell in cells if rest == str(cell) or rest.startswith(f"{cell}/")}
    return tuple(cell for cell in cells if cell.arm in arms)
