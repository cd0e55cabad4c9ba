"""The forge's workflows keep its schema, pin what they use, and hand no right to a step that needs none."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import ROOT

FOLDER = ROOT / ".github" / "workflows"
ZIZMOR = shutil.which("zizmor", path=str(Path(sys.executable).parent)) or shutil.which("zizmor")


def audit(*paths: Path) -> "subprocess.CompletedProcess[str]":
    assert ZIZMOR is not None
    options = ("--offline", "--strict-collection", "--persona=pedantic", "--no-progress")
    return subprocess.run([ZIZMOR, *options, *paths], capture_output=True, text=True, check=False)


@pytest.mark.skipif(ZIZMOR is None, reason="no zizmor program")
def test_the_auditor_has_nothing_to_say() -> None:
    ran = audit(*sorted(FOLDER.glob("*.yaml")))
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.skipif(ZIZMOR is None, reason="no zizmor program")
@pytest.mark.parametrize(("old", "new"), [("runs-on", "runs-onn"), (r"@[0-9a-f]{40} # ", "@")])
def test_the_auditor_looks(old: str, new: str, tmp_path: Path) -> None:
    file = tmp_path / "release.yaml"
    file.write_text(re.sub(old, new, (FOLDER / "release.yaml").read_text()))
    assert audit(file).returncode != 0


def test_every_program_of_this_repository_that_a_workflow_calls_is_there() -> None:
    called = {
        path
        for file in FOLDER.glob("*.yaml")
        for path in re.findall(r"(?<![\w/.-])((?:scripts|\.ci)/[\w-]+)", file.read_text())
    }
    assert called == {"scripts/release", ".ci/run"}
    assert all((ROOT / path).is_file() for path in called)
