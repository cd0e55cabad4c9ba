"""A campaign as its store holds it: what a pod reads before it knows what to do.

A pod trusts what is committed: checking whether every job of the campaign is current would cost more
than the job. It may, because whoever sends it (the plan, the selection) has walked the campaign and
sends the jobs in order: the selections and results that a job builds on are made before it starts, and
those of an earlier version of the campaign, later in the chain, are never reached by it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from nameplate.campaign import Campaign, parse_campaign
from nameplate.errors import NameplateError, StoreError, TryAgain, UserError
from nameplate.job.result import Result, read_result
from nameplate.job.state import read_selection
from nameplate.steps import selection
from nameplate.steps.cell import Cell
from nameplate.steps.selection import Selection
from nameplate.store import NoSuchKey, Store

CAMPAIGN_KEY = "campaign.yaml"
READERS = 8
"""Records that are read side by side: each is small, and far away."""


def campaign_digest(text: str) -> str:
    """SHA-256 of a campaign file's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_campaign(store: Store, *, digest: str | None = None) -> Campaign:
    """The campaign whose file the store holds; ``digest`` is the one that its text must have."""
    try:
        text = store.get(CAMPAIGN_KEY).decode()
    except NoSuchKey:
        raise UserError(f"{store.url}: holds no {CAMPAIGN_KEY}; `nameplate run` puts it there") from None
    if digest is not None and campaign_digest(text) != digest:
        raise UserError(
            f"{store.url}/{CAMPAIGN_KEY} has changed since this run was planned; submit the campaign again"
        )
    return parse_campaign(text, f"{store.url}/{CAMPAIGN_KEY}")


def put_campaign(store: Store, campaign: Campaign, text: str) -> None:
    """Put the campaign's file into its store; refuses a store that belongs to another campaign."""
    try:
        held = store.get(CAMPAIGN_KEY)
    except NoSuchKey:
        held = b""
    there = campaign.name
    if held:
        # One written by an older version is nothing to compare with.
        with suppress(NameplateError, UnicodeDecodeError):
            there = parse_campaign(held.decode(), f"{store.url}/{CAMPAIGN_KEY}").name
    if there != campaign.name:
        raise StoreError(f"{store.url}: holds the campaign {there!r}, not {campaign.name!r}")
    if text.encode() != held:
        store.put(CAMPAIGN_KEY, text.encode())


def committed_selections(store: Store, cells: Sequence[Cell]) -> dict[Cell, tuple[Selection, ...]]:
    """The selections of these cells as they were committed, in the order of rounds."""

    def rounds_of(cell: Cell) -> tuple[Selection, ...]:
        rounds: list[Selection] = []
        while (result := read_result(store, selection.job_id(cell, len(rounds)))) is not None:
            rounds.append(read_selection(store, result))
            if not rounds[-1].next_seeds:
                break
        return tuple(rounds)

    with ThreadPoolExecutor(READERS) as pool:
        return dict(zip(cells, pool.map(rounds_of, cells), strict=True))


def committed_results(store: Store, jobs: Sequence[str]) -> dict[str, Result]:
    """The results of those among these jobs that are committed, by job id."""
    with ThreadPoolExecutor(READERS) as pool:
        found = zip(jobs, pool.map(lambda job: read_result(store, job), jobs), strict=True)
        return {job: result for job, result in found if result is not None}


def needed_results(store: Store, jobs: Sequence[str], *, may_follow: bool = False) -> Mapping[str, Result]:
    """The results of all these jobs.

    A job that is not committed is the user's mistake, or, with ``may_follow``, something to wait for:
    another copy of that job may just be writing it again.
    """
    results = committed_results(store, jobs)
    for job in jobs:
        if job not in results:
            kind = TryAgain if may_follow else UserError
            raise kind(f"{job}: not done yet, but needed")
    return results
