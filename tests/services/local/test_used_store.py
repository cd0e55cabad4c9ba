"""A store that was used for other settings gives what a fresh one gives."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow


def _campaign(tiny_text: str, levels: list[str]) -> str:
    """The first experiment alone, one run of one epoch."""
    raw = yaml.safe_load(tiny_text)
    raw["factor"] = {"levels": levels}
    raw["experiments"] = raw["experiments"][:1]
    raw["experiments"][0]["training"]["epochs"] = 1
    raw["experiments"][0]["rounds"] = {"first": 1, "target": 1, "keep": 1, "limit": 1}
    return yaml.safe_dump(raw)


@pytest.fixture(scope="module")
def run_text(run_campaign: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[[str, Path], str]:
    """Run the campaign of a text in a store; what it printed."""

    def run(text: str, store: Path) -> str:
        file = store.with_suffix(".yaml")
        file.write_text(text)
        ran = run_campaign(file, store)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return run


@pytest.fixture(scope="module")
def used(
    tmp_path_factory: pytest.TempPathFactory, tiny_text: str, run_text: Callable[[str, Path], str]
) -> tuple[Path, str]:
    """A store run with two levels, then with the same ones swapped; what the second run printed."""
    store = tmp_path_factory.mktemp("used") / "store"
    run_text(_campaign(tiny_text, ["GE", "Siemens"]), store)
    return store, run_text(_campaign(tiny_text, ["Siemens", "GE"]), store)


def test_swapped_levels_redo_what_depends_on_them_and_nothing_else(used: tuple[Path, str]) -> None:
    steps = {word.partition("/")[0] for line in used[1].splitlines() for word in line.split() if "/" in word}
    assert {"cohort", "synthesis", "pack", "training", "prediction"} <= steps
    assert not {"phantom", "ingest", "skullstrip"} & steps


def test_a_used_store_ends_in_the_bytes_of_a_fresh_one(
    used: tuple[Path, str],
    tiny_text: str,
    tmp_path: Path,
    run_text: Callable[[str, Path], str],
    digests_of: Callable[[Path], dict[str, str]],
) -> None:
    fresh = tmp_path / "store"
    run_text(_campaign(tiny_text, ["Siemens", "GE"]), fresh)
    assert digests_of(used[0]) == digests_of(fresh)
