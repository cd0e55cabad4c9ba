"""A campaign as its store holds it: what a pod reads to know its work.

A pod trusts what is committed: checking whether every job of the campaign is current would cost more
than its own job. This is safe because its sender (the plan or a selection) has checked the campaign and
sends jobs in order: all that a job builds on is made before it starts, and it never reads the leftovers
of an earlier version of the campaign.
"""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from nameplate.campaign import Campaign, parse_campaign
from nameplate.errors import NameplateError, StoreError, TryAgain, UserError
from nameplate.job.result import READERS, Result, committed_results, read_result
from nameplate.job.state import read_selection
from nameplate.steps import selection
from nameplate.steps.cell import Cell
from nameplate.steps.selection import Selection
from nameplate.store import NoSuchKey, Store

CAMPAIGN_KEY = "campaign.yaml"


def campaign_digest(text: str) -> str:
    """SHA-256 of a campaign file's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_campaign(store: Store, *, digest: str | None = None) -> Campaign:
    """The campaign whose file the store holds; ``digest`` is the one its text must have."""
    try:
        text = store.get(CAMPAIGN_KEY).decode()
    except NoSuchKey:
        raise UserError(f"{store.url}: has no {CAMPAIGN_KEY}; `nameplate run` puts it there") from None
    if digest is not None and campaign_digest(text) != digest:
        raise UserError(
            f"{store.url}/{CAMPAIGN_KEY} has changed since this run was planned; submit the campaign again"
        )
    return parse_campaign(text, f"{store.url}/{CAMPAIGN_KEY}")


def put_campaign(store: Store, campaign: Campaign, text: str) -> None:
    """Put the campaign's file into its store; refuses a store that belongs to another campaign."""
    try:
        stored = store.get(CAMPAIGN_KEY)
    except NoSuchKey:
        stored = b""
    owner = campaign.name
    if stored:
        # A file of an older version may not be readable: then there is nothing to compare.
        with suppress(NameplateError, UnicodeDecodeError):
            owner = parse_campaign(stored.decode(), f"{store.url}/{CAMPAIGN_KEY}").name
    if owner != campaign.name:
        raise StoreError(f"{store.url}: holds the campaign {owner!r}, not {campaign.name!r}")
    if text.encode() != stored:
        store.put(CAMPAIGN_KEY, text.encode())


def committed_selections(store: Store, cells: Sequence[Cell]) -> dict[Cell, tuple[Selection, ...]]:
    """The committed selections of these cells, in the order of rounds."""

    def rounds_of(cell: Cell) -> tuple[Selection, ...]:
        rounds: list[Selection] = []
        while (result := read_result(store, selection.job_id(cell, len(rounds)))) is not None:
            rounds.append(read_selection(store, result))
            if not rounds[-1].next_seeds:
                break
        return tuple(rounds)

    with ThreadPoolExecutor(READERS) as pool:
        return dict(zip(cells, pool.map(rounds_of, cells), strict=True))


def needed_results(store: Store, jobs: Sequence[str], *, may_follow: bool = False) -> Mapping[str, Result]:
    """The results of all these jobs.

    A job that is not committed is the user's mistake or, with ``may_follow``, something to wait for:
    another copy of that job may be writing it again just now.
    """
    results = committed_results(store, jobs)
    for job in jobs:
        if job not in results:
            kind = TryAgain if may_follow else UserError
            raise kind(f"{job}: not done yet, but needed")
    return results
