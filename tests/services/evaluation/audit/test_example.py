"""The worked example of docs/audit.md: its table is made by the project, its screen is what is printed."""

import re
import subprocess
import sys
from pathlib import Path

from nameplate_local.cli import main

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "audit.md"


def test_the_table_is_the_one_that_the_script_makes(tmp_path):
    out = tmp_path / "scores.csv"
    subprocess.run([sys.executable, str(ROOT / "scripts" / "example_scores"), str(out)], check=True)
    assert out.read_bytes() == (ROOT / "docs" / "examples" / "scores.csv").read_bytes()


def test_the_page_shows_what_the_command_prints(tmp_path, monkeypatch, capsys):
    block = next(
        b for b in re.findall(r"```\n(.*?)```", PAGE.read_text(), re.DOTALL) if b.startswith("$ nameplate")
    )
    command, _, shown = block.partition("\n")
    arguments = command.removeprefix("$ nameplate ").split()
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0
    assert capsys.readouterr().out == shown
    page = (tmp_path / "audit" / "index.html").read_text()
    text = " ".join(PAGE.read_text().split())
    within = re.search(r"<dt>Within kernel</dt><dd>(GE minus Siemens.*?)</dd>", page).group(1)
    assert f"Within kernel, {within}" in text
