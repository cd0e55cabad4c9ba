from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nameplate_training import training_step
from nameplate_training.checkpoint import save_checkpoint


class Stopped(Exception):
    """The run ends here."""


class Epoch:
    def model_dump(self) -> dict[str, Any]:
        return {}


def test_a_checkpoint_is_stored_when_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[Path] = []
    outputs: Any = SimpleNamespace(
        load_checkpoints=lambda: tmp_path, save_checkpoints=stored.append, should_stop=lambda: False
    )
    counts: list[int] = []

    def trained(*_: Any, on_epoch: Any, **__: Any) -> None:
        for written in (False, True, False, False, True):
            if written:
                save_checkpoint(tmp_path, "run", {"number": len(counts)})
            on_epoch(Epoch())
            counts.append(len(stored))
        raise Stopped

    monkeypatch.setattr(training_step, "train_run", trained)
    monkeypatch.setattr(training_step, "fetch_pack", lambda *_: None)
    job: Any = SimpleNamespace(cell=None)
    with pytest.raises(Stopped):
        training_step.training(job, outputs, outputs)
    assert counts == [0, 1, 1, 1, 2]
    assert len(stored) == 2


def test_a_checkpoint_that_a_stopped_run_wrote_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[Path] = []
    outputs: Any = SimpleNamespace(
        load_checkpoints=lambda: tmp_path, save_checkpoints=stored.append, should_stop=lambda: True
    )

    def interrupted(*_: Any, **__: Any) -> None:
        save_checkpoint(tmp_path, "run", {"step": 3})
        raise Stopped

    def taken_away(*_: Any, **__: Any) -> None:
        raise Stopped

    monkeypatch.setattr(training_step, "fetch_pack", lambda *_: None)
    job: Any = SimpleNamespace(cell=None)
    for run, number in ((interrupted, 1), (taken_away, 1)):
        monkeypatch.setattr(training_step, "train_run", run)
        with pytest.raises(Stopped):
            training_step.training(job, outputs, outputs)
        assert len(stored) == number


@pytest.mark.parametrize(("outcome", "converged"), [("converged", 1), ("not-converged", 0), ("diverged", 0)])
def test_a_run_is_told_as_trained_and_perhaps_as_converged(
    outcome: str, converged: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, float] = {}
    outputs: Any = SimpleNamespace(
        load_checkpoints=lambda: tmp_path, save_checkpoints=lambda _: None, should_stop=lambda: False,
        write=lambda *_: None, tell=lambda **numbers: told.update(numbers),
    )  # fmt: skip
    trained = SimpleNamespace(weights=b"", predictions=(), run=SimpleNamespace(outcome=outcome))
    monkeypatch.setattr(training_step, "train_run", lambda *_, **__: trained)
    monkeypatch.setattr(training_step, "fetch_pack", lambda *_: None)
    for name in ("VALIDATION", "RUN", "WEIGHTS"):
        kept = SimpleNamespace(write=lambda *_, **__: None, key=lambda **_: name)
        monkeypatch.setattr(training_step, name, kept)
    job: Any = SimpleNamespace(cell=None, run="e/c/d/s/g1/s0")
    training_step.training(job, outputs, outputs)
    assert told == {"trained": 1, "converged": converged}
