"""Campaigns that ship, and the selections that a plan grows by."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nameplate.campaign import Campaign, load_campaign, parse_campaign
from nameplate.plan.plan import cells_of
from nameplate.steps.cell import Cell
from nameplate.steps.selection import Selection

CAMPAIGNS = Path(__file__).parents[3] / "campaigns"


@pytest.fixture(scope="session")
def demo_text() -> str:
    return (CAMPAIGNS / "demo.yaml").read_text()


@pytest.fixture(scope="session")
def demo() -> Campaign:
    return load_campaign(CAMPAIGNS / "demo.yaml")


@pytest.fixture(scope="session")
def paper() -> Campaign:
    return load_campaign(CAMPAIGNS / "paper.yaml")


@pytest.fixture(scope="session")
def controlled(controlled_text: str) -> Campaign:
    """A study, and before it in the file a control derived from it."""
    return parse_campaign(controlled_text, "controlled")


@pytest.fixture(scope="session")
def make_selection() -> Callable[..., Selection]:
    """What a round of a cell came to: further seeds, or its end with these runs kept."""

    def make(
        cell: Cell, number: int, *, next_seeds: tuple[int, ...] = (), kept: tuple[int, ...] = ()
    ) -> Selection:
        return Selection(
            cell=cell,
            round=number,
            trained=2,
            converged=len(kept),
            kept=kept,
            next_seeds=next_seeds,
            finished="no" if next_seeds else "target" if kept else "limit",
        )

    return make


@pytest.fixture(scope="session")
def finished(
    make_selection: Callable[..., Selection],
) -> Callable[[Campaign], dict[Cell, tuple[Selection, ...]]]:
    """The selections of a campaign all of whose cells end with their first round, up to two runs kept."""

    def make(campaign: Campaign) -> dict[Cell, tuple[Selection, ...]]:
        first = {experiment.name: experiment.rounds.first for experiment in campaign.experiments}
        return {
            cell: (make_selection(cell, 0, kept=(1, 0) if first[cell.experiment] > 1 else (0,)),)
            for cell in cells_of(campaign)
        }

    return make
