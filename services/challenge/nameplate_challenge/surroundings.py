"""What a model's processes are given beside the image."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nameplate.errors import UserError
from nameplate.service.arithmetic import SETTLED

KEPT = ("PATH", "LANG", "LC_ALL", "TZ")
"""Variables that a model's process has from ours, beside those that it is given."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The same for every case."""

    folder: Path
    """Where a process that serves many cases works."""
    environment: Mapping[str, str]
    seconds: float
    """That an answer may take."""
    start_seconds: float
    """That the first answer of a process which serves many cases may take more."""


def environment_of(home: Path) -> dict[str, str]:
    """The variables of a model's process that it is not given; ``home`` is made, and its own."""
    home.mkdir()
    return kept() | own_home(home)


def kept() -> dict[str, str]:
    """Our variables that a process of a model has, too."""
    return {name: os.environ[name] for name in KEPT if name in os.environ}


def own_home(home: Path) -> dict[str, str]:
    """The variables by which a process keeps its files in one folder."""
    return {"HOME": str(home), "TMPDIR": str(home)}


def given(items: Iterable[str]) -> dict[str, str]:
    """The variables of NAME and NAME=VALUE. Raises UserError for a NAME that is not set here."""
    found: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals and name in SETTLED:
            raise UserError(f"--env: {name} is set by nameplate for itself; {name}=VALUE sets the model's")
        if not equals and name not in os.environ:
            raise UserError(f"--env: there is no variable {name} here; NAME=VALUE sets one")
        found[name] = value if equals else os.environ[name]
    return found
