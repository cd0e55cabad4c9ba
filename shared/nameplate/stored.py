"""A campaign as it lies in its store: what a pod reads before it knows what to do.

A pod trusts what is committed: looking whether every job of the campaign is current would cost more
than the job. It may, because whoever sends it (the plan, the judge) has walked the campaign and sends
the jobs in order: the verdicts and results that a job builds on are made before it starts, and those
of an earlier version of the campaign, later in the chain, are never reached by it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from nameplate.campaign import Campaign, parse_campaign
from nameplate.errors import NameplateError, StoreError, TryAgain, UserError
from nameplate.plan import Cell
from nameplate.records import Selection
from nameplate.result import Result, read_result
from nameplate.state import read_selection
from nameplate.store import NoSuchKey, Store

CAMPAIGN_KEY = "campaign.yaml"
READERS = 8
"""Records that are read side by side: each is small, and far away."""


def campaign_digest(text: str) -> str:
    """SHA-256 of a campaign file's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_campaign(store: Store, *, digest: str | None = None) -> Campaign:
    """The campaign whose file lies in the store; ``digest`` is the one that its text must have."""
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


def committed_selections(store: Store, cells: Sequence[Cell]) -> dict[str, tuple[Selection, ...]]:
    """The verdicts on these cells as they were committed, by cell id, in the order of rounds."""

    def of(cell: Cell) -> tuple[Selection, ...]:
        rounds: list[Selection] = []
        while (result := read_result(store, f"judge/{cell.id}/r{len(rounds):02d}")) is not None:
            rounds.append(read_selection(store, result))
            if not rounds[-1].next_seeds:
                break
        return tuple(rounds)

    with ThreadPoolExecutor(READERS) as pool:
        return dict(zip((cell.id for cell in cells), pool.map(of, cells), strict=True))


def committed_results(store: Store, jobs: Sequence[str], *, may_follow: bool = False) -> Mapping[str, Result]:
    """The results of these jobs.

    A job that is not committed is the user's mistake, or, with ``may_follow``, something to wait for:
    another copy of that job may just be writing it anew.
    """
    with ThreadPoolExecutor(READERS) as pool:
        found = dict(zip(jobs, pool.map(lambda job: read_result(store, job), jobs), strict=True))
    for job, result in found.items():
        if result is None:
            kind = TryAgain if may_follow else UserError
            raise kind(f"{job}: not done yet, but needed")
    return {job: result for job, result in found.items() if result is not None}
