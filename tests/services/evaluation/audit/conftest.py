"""Tables of scores in files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from drawn_scores import write_csv


@pytest.fixture
def csv_of(tmp_path: Path) -> Callable[..., Path]:
    """Write rows as a CSV file of this name."""

    def write(rows: Sequence[Mapping[str, Any]], name: str = "scores.csv", delimiter: str = ",") -> Path:
        return write_csv(tmp_path / name, rows, delimiter)

    return write
