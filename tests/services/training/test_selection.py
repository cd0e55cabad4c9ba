import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.campaign.experiment import RoundSettings
from nameplate.errors import UserError
from nameplate.steps.cell import Cell
from nameplate.steps.training import Run
from nameplate_training.selection import select_runs

EASY = Cell(experiment="spheres", cohort="study", dataset="easy", training_set="mixed", group=0)
SIX = RoundSettings(first=10, target=6, keep=6, limit=40)


def run(
    seed: int, outcome: str = "converged", accuracy: float = 0.9, area: float | None = 0.9, **other
) -> Run:  # type: ignore[no-untyped-def]
    values = {
        "cell": EASY, "seed": seed, "round": 0, "outcome": outcome, "reasons": (), "val_accuracy": accuracy,
        "val_auroc": area, "sensitivity": None, "specificity": None, "loss_drop": 0.5, "late_rise": 0.0,
        "parameters": 1, "norm_batch": 8, "device": "cpu", "train_exams": 9, "versions": {}, "history": (),
    }  # fmt: skip
    return Run(**{**values, **other})


def test_the_best_are_kept_best_first() -> None:
    runs = [run(0, area=0.8), run(1, area=0.99), run(2, accuracy=0.95), run(3, "not-converged", 1.0, 1.0)]
    selection = select_runs(runs, RoundSettings(first=4, target=3, keep=2, limit=9), 0)
    assert selection.kept == (1, 2)
    assert (selection.finished, selection.next_seeds) == ("target", ())
    assert (selection.trained, selection.converged) == (4, 3)
    assert selection.cell == EASY


def test_all_converged_runs_are_kept_best_first_however_many() -> None:
    runs = [run(0, area=0.8), run(1, area=0.99), run(2, accuracy=0.95), run(3, "not-converged", 1.0, 1.0)]
    selection = select_runs(runs, RoundSettings(first=4, target=2, limit=9), 0)
    assert selection.kept == (1, 2, 0)
    assert selection.finished == "target"
    none = select_runs([run(0, "diverged")], RoundSettings(first=1, target=1, limit=1), 0)
    assert (none.kept, none.finished) == ((), "limit")


def test_dice_alone_ranks_segmentation_and_ties_go_to_the_older_seed() -> None:
    runs = [run(seed, accuracy=dice, area=None) for seed, dice in ((0, 0.9), (1, 0.97), (2, 0.97))]
    assert select_runs(runs, RoundSettings(first=3, target=3, keep=3, limit=3), 0).kept == (1, 2, 0)


def test_the_next_round_is_as_large_as_the_rate_calls_for() -> None:
    half = [run(seed, "converged" if seed % 2 else "not-converged") for seed in range(10)]
    selection = select_runs(half, SIX, 0)
    assert selection.finished == "no"
    # One is missing; at (5 + 1) in (10 + 2), two runs should bring it.
    assert selection.next_seeds == (10, 11)
    none = [run(seed, "diverged") for seed in range(10)]
    assert select_runs(none, SIX, 0).next_seeds == tuple(range(10, 20))


def test_the_limit_ends_it_and_keeps_what_there_is() -> None:
    runs = [run(seed, "converged" if seed < 3 else "not-converged") for seed in range(40)]
    selection = select_runs(runs, SIX, 4)
    assert (selection.finished, selection.kept, selection.round) == ("limit", (0, 1, 2), 4)
    near = select_runs(runs[:38], SIX, 3)
    assert near.next_seeds == (38, 39)


@given(st.data(), st.integers(1, 12), st.integers(1, 12), st.integers(0, 30))
def test_rounds_always_end_within_the_limit(data, first: int, target: int, more: int) -> None:  # type: ignore[no-untyped-def]
    rounds = RoundSettings(first=first, target=target, keep=1, limit=max(first, target) + more)
    runs: list[Run] = []
    following: tuple[int, ...] = tuple(range(first))
    for number in range(rounds.limit + 1):
        runs += [run(seed, data.draw(st.sampled_from(["converged", "diverged"]))) for seed in following]
        selection = select_runs(data.draw(st.permutations(runs)), rounds, number)
        following = selection.next_seeds
        assert (selection.finished == "no") == bool(following)
        assert len({one.seed for one in runs}) == len(runs) <= rounds.limit
        if not following:
            break
    assert not following
    assert selection.converged >= rounds.target or len(runs) == rounds.limit


def test_runs_must_be_of_one_cell() -> None:
    with pytest.raises(UserError, match="2 cells"):
        select_runs([run(0), run(1, cell=EASY.model_copy(update={"dataset": "hard"}))], SIX, 0)
    with pytest.raises(UserError, match="one run per seed"):
        select_runs([run(0), run(0)], SIX, 0)
    with pytest.raises(UserError, match="0 cells"):
        select_runs([], SIX, 0)
