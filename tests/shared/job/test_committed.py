"""A campaign as its store holds it: its file, the selections up to the last round, and what is not there."""

from pathlib import Path

import pytest

from nameplate.campaign import Campaign, parse_campaign
from nameplate.errors import StoreError, TryAgain, UserError
from nameplate.job.committed import (
    CAMPAIGN_KEY,
    campaign_digest,
    committed_selections,
    needed_results,
    put_campaign,
    read_campaign,
)
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result, committed_results, write_result
from nameplate.plan.plan import cells_of
from nameplate.steps import selection
from nameplate.steps.cell import Cell
from nameplate.steps.selection import SELECTION, Selection
from nameplate.store import Store


def _select(store: Store, tmp_path: Path, cell: Cell, number: int, next_seeds: tuple[int, ...]) -> Selection:
    made = Selection(
        cell=cell, round=number, trained=number + 1, converged=0, kept=(), next_seeds=next_seeds,
        finished="no" if next_seeds else "limit",
    )  # fmt: skip
    job = selection.job_id(cell, number)
    outputs = Outputs(job, store, tmp_path, lambda: False)
    SELECTION.write(outputs, made, cell=cell, round=number)
    write_result(store, Result(job=job, digest="d", code="0", outputs=outputs.written))
    return made


def test_a_campaign_comes_back_as_it_was_put(store: Store, campaign: Campaign, tiny_text: str) -> None:
    put_campaign(store, campaign, tiny_text)
    assert store.get(CAMPAIGN_KEY).decode() == tiny_text
    assert read_campaign(store) == campaign
    assert read_campaign(store, digest=campaign_digest(tiny_text)) == campaign


def test_a_file_that_has_changed_since_it_was_planned_is_refused(
    store: Store, campaign: Campaign, tiny_text: str
) -> None:
    put_campaign(store, campaign, tiny_text)
    with pytest.raises(UserError, match="has changed"):
        read_campaign(store, digest=campaign_digest(tiny_text + "\n"))


def test_a_store_without_a_campaign_is_one_line(store: Store) -> None:
    with pytest.raises(UserError, match=CAMPAIGN_KEY) as caught:
        read_campaign(store)
    assert len(str(caught.value).splitlines()) == 1


def test_the_store_of_another_campaign_is_refused_and_left_as_it_is(
    store: Store, campaign: Campaign, tiny_text: str
) -> None:
    put_campaign(store, campaign, tiny_text)
    text = tiny_text.replace("name: tiny", "name: other", 1)
    with pytest.raises(StoreError, match="'tiny', not 'other'"):
        put_campaign(store, parse_campaign(text, "other"), text)
    assert store.get(CAMPAIGN_KEY).decode() == tiny_text


@pytest.mark.parametrize("held", [b"name: tiny\nan_old_key: 1\n", b"\xff\xfe", b"[1, 2]"])
def test_a_file_that_cannot_be_read_any_more_is_replaced(
    held: bytes, store: Store, campaign: Campaign, tiny_text: str
) -> None:
    store.put(CAMPAIGN_KEY, held)
    put_campaign(store, campaign, tiny_text)
    assert store.get(CAMPAIGN_KEY).decode() == tiny_text


def test_the_same_file_is_not_written_again(
    store: Store, campaign: Campaign, tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_campaign(store, campaign, tiny_text)
    monkeypatch.delattr(type(store), "put")
    put_campaign(store, campaign, tiny_text)


def test_selections_end_with_the_last_round_whatever_lies_behind_it(
    store: Store, campaign: Campaign, tmp_path: Path
) -> None:
    """Behind it may lie what an earlier version of the campaign has left."""
    one, two, three = cells_of(campaign)[:3]
    first = _select(store, tmp_path, one, 0, (1,))
    last = _select(store, tmp_path, one, 1, ())
    _select(store, tmp_path, one, 2, ())
    waiting = _select(store, tmp_path, two, 0, (1, 2))
    _select(store, tmp_path, three, 1, ())  # a round without the one before it
    found = committed_selections(store, (three, two, one))
    assert found == {one: (first, last), two: (waiting,), three: ()}
    assert list(found) == [three, two, one]


def test_results_of_what_is_committed_in_the_order_asked_for(store: Store) -> None:
    for job in ("a/one", "b/two"):
        write_result(store, Result(job=job, digest=job, code="0", outputs=()))
    found = committed_results(store, ["b/two", "c/none", "a/one"])
    assert [(job, result.digest) for job, result in found.items()] == [("b/two", "b/two"), ("a/one", "a/one")]


@pytest.mark.parametrize(
    ("may_follow", "kind", "exit_code"), [(False, UserError, 2), (True, TryAgain, 75)]
)  # fmt: skip
def test_a_job_that_is_not_there_is_a_mistake_or_something_to_wait_for(
    may_follow: bool, kind: type[Exception], exit_code: int, store: Store
) -> None:
    write_result(store, Result(job="a/one", digest="d", code="0", outputs=()))
    assert list(needed_results(store, ["a/one"], may_follow=may_follow)) == ["a/one"]
    with pytest.raises(kind, match="b/two") as caught:
        needed_results(store, ["a/one", "b/two"], may_follow=may_follow)
    assert caught.value.exit_code == exit_code  # type: ignore[attr-defined]
