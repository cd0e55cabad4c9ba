"""The example of docs/challenge.md is a model that works, and the page names what there is."""

import re
import sys
from pathlib import Path

from tests.services.challenge.exams import challenge, files, folder

from nameplate_challenge.arguments import HU, PLACES, RADII_MM

PAGE = (Path(__file__).parents[3] / "docs" / "challenge.md").read_text()


def test_the_examples_model_is_challenged(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "blob.py").write_text(example)
    images = folder(tmp_path / "images", count=2)
    assert challenge(images, tmp_path / "out", "--serve", f"{sys.executable} {tmp_path / 'blob.py'}") == 0
    written = files(tmp_path / "out")
    rows = [line.split(",") for line in written["scores.csv"].decode().splitlines()[1:]]
    untouched = {row[7]: float(row[3]) for row in rows if row[2] == "0"}
    assert len(rows) == 8
    assert all(float(row[3]) > untouched[row[7]] for row in rows if row[4] in ("16", "24"))


def test_the_defaults_are_those_of_the_page() -> None:
    radii, hu = (" ".join(f"{value:g}" for value in values) for values in (RADII_MM, HU))
    assert f"Radii `--radii-mm` ({radii}), contrasts `--hu` ({hu}), `--places` ({PLACES})" in " ".join(
        PAGE.split()
    )
    assert f"an exam has {1 + len(RADII_MM) * len(HU) * PLACES}." in " ".join(PAGE.split())
