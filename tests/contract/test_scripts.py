"""Scripts that no other test starts still find what they import."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "tests/e2e").glob("*.py")))


@pytest.mark.parametrize("script", [path.relative_to(ROOT).as_posix() for path in SCRIPTS])
def test_every_script_can_be_imported(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (ROOT, (ROOT / script).parent):
        monkeypatch.syspath_prepend(str(place))
    runpy.run_path(str(ROOT / script), run_name="imported")
