"""The first pod of a campaign: put its file into the store, and list the work left as chunks."""

import argparse
import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from nameplate.campaign import Campaign, parse_campaign
from nameplate.campaign.cohort_source import digests_of, sources_of
from nameplate.errors import UserError
from nameplate.job.committed import CAMPAIGN_KEY, campaign_digest, put_campaign
from nameplate.job.state import State, ask_again, current_state
from nameplate.plan.chunks import Chunk, arm_of, arms_of, chunks_of, parts_of, stages_of
from nameplate.plan.estimate import seconds_estimate
from nameplate.plan.pipeline import ARM_STEPS, STEPS
from nameplate.plan.plan import plan
from nameplate.service.arguments import add_chunk_size_arguments, add_store_argument
from nameplate.service.command import parser_of
from nameplate.service.pod import timed, write_outputs
from nameplate.steps import ingest, listing, report
from nameplate.steps.cell import Arm
from nameplate.steps.step import step_of
from nameplate.store import NoStore, NoSuchKey, Store, open_store
from nameplate_cluster.difference import difference, shown
from nameplate_cluster.pools import Pool, pool_of, read_pools

REPORT = report.STEP.name

MODELS_VARIABLE = "NAMEPLATE_MODEL_NAMES"
"""Environment variable with the names of the models that have pods here, with spaces between."""

logger = logging.getLogger(__name__)

MOST_SHOWN = 6
"""Settings of another file that a refusal names: it is one line of a log."""
FILE_VARIABLE = "NAMEPLATE_CAMPAIGN"
"""Environment variable with the text of the submitted campaign file."""


def plan_main(arguments: Sequence[str]) -> int:
    """``nameplate-cluster plan``: one file per output of the workflow; returns the exit code."""
    parser = parser_of(
        "nameplate-cluster plan",
        "Put a campaign's file into its store and write what is left to do, in chunks: one "
        "file per step, one per pool with its arms, the file's digest, and the report.",
        "nameplate-cluster plan demo --store s3://bucket/demo --pools pools.yaml --out /tmp/plan",
    )
    parser.add_argument("campaign", help="the campaign's name")
    add_store_argument(parser)
    parser.add_argument("--campaigns", type=Path, help="folder of campaign files, for a store without one")
    parser.add_argument("--pools", type=Path, required=True, help="pools of nodes for the training, YAML")
    parser.add_argument("--out", type=Path, required=True, help="folder for the outputs")
    parser.add_argument("--replace", default="", help="yes: in the place of another file of the campaign")
    parser.add_argument("--only", default="", help="only this step, from the results of the earlier ones")
    add_chunk_size_arguments(parser)
    parser.add_argument("--timing", type=Path, help="file for a line of JSON: where the time went")
    options = parser.parse_args(arguments)
    with timed(options.timing) as timing, timing.spent("plan_s"):
        _plan(options)
    return 0


def _plan(options: argparse.Namespace) -> None:
    only = _steps(options.only)
    pools = read_pools(options.pools)
    text = _text(options.campaign, options.store, options.campaigns)
    campaign = parse_campaign(text, f"campaign {options.campaign}")
    if campaign.name != options.campaign:
        raise UserError(f"the file of campaign {options.campaign} names itself {campaign.name!r}")
    if set(ARM_STEPS) & set(only):
        for arm in arms_of(plan(campaign, {}, {})):
            pool_of(arm, pools)  # an arm without one, or with two, is refused before anything is written
    if "challenge" in only:
        _check_models(campaign, os.environ.get(MODELS_VARIABLE))
    sources = sources_of(campaign, Path.cwd())
    digests = digests_of(sources)
    store = open_store(options.store)
    state = current_state(campaign, store, digests)
    _check_earlier(state, only)
    if not options.replace:
        _check_same(store, campaign, text)
    if listing.STEP.name in only and ask_again(store, sources):
        state = current_state(campaign, store, digests, asked_again=True)
    put_campaign(store, campaign, text)
    outputs = outputs_of(
        campaign, state, pools, only=only, target_seconds=options.chunk_seconds, most=options.max_chunks
    )
    write_outputs(options.out, digest=campaign_digest(text), **outputs)
    left = sum(job.id not in state.results for job in state.plan.jobs)
    logger.info("planned", extra={"campaign": campaign.name, "done": len(state.results), "left": left})


def _check_models(campaign: Campaign, installed: str | None) -> None:
    """Refuse a challenge of a model that has no pods here; ``installed`` is None where that is not known."""
    names = campaign.challenge.models if campaign.challenge is not None else {}
    for name in names:
        if installed is not None and name not in installed.split():
            there = f"there is {', '.join(installed.split())}" if installed else "there is none"
            raise UserError(
                f"challenge.models.{name}: this installation has no model of that name ({there}); "
                f"`models.{name}` in the chart's values gives it an image"
            )


def _check_same(store: Store, campaign: Campaign, text: str) -> None:
    """Refuse to put this file in the place of another one, perhaps another person's, of the same name."""
    try:
        stored = store.get(CAMPAIGN_KEY).decode()
        lines = difference(stored, text)
    except (NoSuchKey, UnicodeDecodeError):
        return
    # What belongs to a campaign of another name is refused with that file, whatever was asked.
    if lines and not any(line.startswith("-name: ") for line in lines):
        differing = "; ".join(shown(lines, MOST_SHOWN))
        raise UserError(
            f"{store.url} has another file of the campaign {campaign.name}: {differing}; submit with "
            "--replace (argo: -p replace=yes) to put this one in its place, or give it another name"
        )


def _check_earlier(state: State, only: Sequence[str]) -> None:
    """Refuse a stage whose earlier stages are not done for this exact file: pods trust what is committed."""
    if only == (REPORT,) and state.plan.open_cells:
        raise UserError("report: the training is not done for this campaign's file; submit training first")
    for job in state.plan.jobs:
        if job.step not in only or job.id in state.results:
            continue
        for need in job.needs:
            step = step_of(need)
            if step not in only and need not in state.results:
                raise UserError(
                    f"{job.step}: {step} is not done for this campaign's file ({need}); submit {step} first, "
                    "or the whole campaign"
                )


def _steps(only: str) -> tuple[str, ...]:
    """The steps that ``only`` asks for; the steps of an arm are one stage."""
    names = tuple(step.name for step in STEPS)
    if not only:
        return names
    if only not in names:
        raise UserError(f"only: expected one of {', '.join(names)}, got {only!r}")
    return ARM_STEPS if only in ARM_STEPS else (only,)


def _text(name: str, store_url: str, campaigns: Path | None) -> str:
    """The campaign's file: as submitted, else from the store, else as installed.

    Creates nothing in the store: a mistyped name must not leave one behind.
    """
    if text := os.environ.get(FILE_VARIABLE):
        return text
    with suppress(NoStore, NoSuchKey):
        try:
            return open_store(store_url, create=False).get(CAMPAIGN_KEY).decode()
        except UnicodeDecodeError:
            raise UserError(f"{store_url}/{CAMPAIGN_KEY}: not a text file") from None
    installed = sorted(path.stem for path in campaigns.glob("*.yaml")) if campaigns is not None else []
    if campaigns is None or name not in installed:
        offered = ", ".join(installed) or "none"
        raise UserError(
            f"no campaign {name!r}: {store_url} has none (installed: {offered}); "
            "submit a file with `nameplate submit FILE`"
        )
    return (campaigns / f"{name}.yaml").read_text(encoding="utf-8")


def outputs_of(
    campaign: Campaign,
    state: State,
    pools: tuple[Pool, ...],
    *,
    only: Sequence[str],
    target_seconds: float,
    most: int | None,
) -> dict[str, str]:
    """The outputs by name: JSON lists of chunks by step, and of arms by pool (``arms-<pool>``).

    A step that was left out or has nothing to do gets an empty list.
    """
    seconds = seconds_estimate(campaign)
    chunks: dict[str, list[str]] = {step.name: [] for step in STEPS if step.name not in ARM_STEPS}
    arms: dict[str, list[str]] = {pool.name: [] for pool in pools}
    for stage in stages_of(state.plan):
        if stage.arm is None and stage.step in only:
            # What may be asked only so many times at once is asked by so many pods.
            apart = _at_once(campaign) if stage.step == ingest.STEP.name else {}
            for part, fewest in parts_of(stage, apart):
                limit = min((count for count in (most, fewest) if count is not None), default=None)
                of_part = chunks_of(part, state.results, seconds, target_seconds=target_seconds, most=limit)
                chunks[stage.step] += map(str, of_part)
    if set(ARM_STEPS) & set(only):
        for arm in arms_of(state.plan):
            pool = pool_of(arm, pools)
            if not _is_finished(state, arm):
                arms[pool.name].append(str(arm))
    if REPORT in only and not chunks[REPORT] and REPORT not in state.results:
        # The report's job appears after the last selection, so during the run.
        chunks[REPORT] = [str(Chunk(REPORT, 1))]
    outputs = {step: json.dumps(names) for step, names in chunks.items()}
    return outputs | {f"arms-{name}": json.dumps(rows) for name, rows in arms.items()}


def _at_once(campaign: Campaign) -> dict[str, int]:
    """How many shards of a cohort may ask its source at the same time, where that is limited.

    Cohorts of one server share what it allows. Raises UserError where that is less than one each.
    """
    sources = {name: cohort.source for name, cohort in campaign.cohorts.items()}
    limited = {name: one for name, one in sources.items() if one is not None and one.at_once is not None}
    shares = {}
    for name, source in limited.items():
        same = [other for other, one in limited.items() if one.server == source.server]
        shares[name] = (source.at_once or 0) // len(same)
        if not shares[name]:
            raise UserError(
                f"cohorts {', '.join(same)}: ask one server, and would do so at the same time; let "
                f"source.limits.at_once of each be {len(same)} or more, or submit a campaign a cohort"
            )
    return shares


def _is_finished(state: State, arm: Arm) -> bool:
    """Whether every job of the arm is done; while jobs can follow, a selection is not."""
    return all(job.id in state.results for job in state.plan.jobs if arm_of(job) == arm)
