"""The judges' verdicts that lie in a store."""

from nameplate.campaign import Campaign
from nameplate.plan import cells_of
from nameplate.records import Selection
from nameplate.result import read_result
from nameplate.store import Store


def committed_selections(campaign: Campaign, store: Store) -> dict[str, tuple[Selection, ...]]:
    """Verdicts by cell id, in the order of rounds, as far as they are committed."""
    found: dict[str, tuple[Selection, ...]] = {}
    for cell in cells_of(campaign):
        rounds: list[Selection] = []
        while (result := read_result(store, f"judge/{cell.id}/r{len(rounds):02d}")) is not None:
            rounds.append(Selection.model_validate_json(store.get(result.outputs[0].key)))
            if not rounds[-1].next_seeds:
                break
        found[cell.id] = tuple(rounds)
    return found
