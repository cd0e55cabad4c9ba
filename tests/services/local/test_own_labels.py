"""A campaign whose networks learn labels of the user's own, from the file to the report."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate_local.cli import main

DENSE = {"init_features": 4, "growth_rate": 2, "block_config": [1, 1], "bn_size": 1}


@pytest.fixture
def file(tmp_path: Path, tiny_text: str) -> Path:
    """Networks of two kinds learn the sex of simulated exams, which are in no table; with a control."""
    raw: dict[str, Any] = yaml.safe_load(tiny_text)
    raw["cohorts"]["control"] = {"role": "null-control", "from": "study", "shuffle": "factor"}
    raw["datasets"] = {"slices": 32, "labels": {"column": "sex", "values": ["M", "F"]}}
    own = raw["experiments"][1]
    own |= {"name": "own", "task": "labels", "cohorts": ["study", "control"]}
    own |= {"training_sets": ["GE", "Siemens"], "rounds": {"first": 2, "target": 2, "limit": 2}}
    own["training"]["epochs"] = 1
    del own["convergence"]["hard"]
    dense = {"kind": "monai", "name": "DenseNet", "arguments": DENSE}
    once = {"first": 1, "target": 1, "limit": 1}
    other = {"name": "dense", "cohorts": ["study"], "network": dense, "rounds": once}
    raw["experiments"] = [own, {**own, **other}]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def test_it_runs_to_the_report(
    file: Path, tmp_path: Path, run_campaign: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    store = tmp_path / "store"
    ran = run_campaign(file, store)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    members = [json.loads(line) for line in (store / "cohorts/study/members.jsonl").read_text().splitlines()]
    assert {(m["label"], m["sex"]) for m in members} == {(0, "M"), (1, "F")}
    for level in ("GE", "Siemens"):
        for split in ("train", "val", "test"):
            assert {m["label"] for m in members if (m["level"], m["split"]) == (level, split)} == {0, 1}
    for cohort in ("study", "control"):
        rows = (store / f"packs/{cohort}/own/sex/samples.jsonl").read_text().splitlines()
        samples = {row["exam"]: row["label"] for row in map(json.loads, rows)}
        assert samples == {member["exam"]: member["label"] for member in members}
    report = (store / "report" / "index.html").read_text()
    for words in ("Prevalence of sex", "Classification by own labels, trained on GE, experiment dense"):
        assert words in report
    assert "own-manufacturer advantage in AUROC" in report  # of the null control
    assert "With a sphere" not in report
    tables = [path.stem for path in (store / "report" / "tables").iterdir()]
    for name in ("labels-ge-own", "labels-ge-dense", "prevalence"):
        assert any(table.endswith(f"-{name}") for table in tables)


def test_the_plan_says_what_only_the_table_knows(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(file)]) == 0
    assert "own on study: only the data can tell (how many exams are positive" in capsys.readouterr().out
