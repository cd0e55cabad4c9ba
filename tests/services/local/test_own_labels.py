"""A campaign whose networks learn labels of the user's own, from the file to the report."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate_local.cli import main
from nameplate_phantom.simulation import write_cohort

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


@pytest.mark.slow
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
    for table in ("labels-ge-own", "labels-ge-dense", "prevalence"):
        assert list((store / "report" / "tables").glob(f"table-?-{table}.csv"))


def test_the_plan_says_what_only_the_table_knows(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(file)]) == 0
    assert "own on study: only the data can tell (how many exams are positive" in capsys.readouterr().out


UNLABELLED, STRANGERS = 2, 3


@pytest.fixture
def folder_file(file: Path) -> Path:
    """A folder of simulated studies; its table lacks two of them, and has three that are not there."""
    folder = file.parent / "ncct"
    folder.mkdir()
    settings = PhantomSettings(exams=34, matrix=64, thin_mm=5.0)
    write_cohort(settings, seed=7, cohort="study", out=folder, numbers=range(34))
    studies = sorted(path.name for path in folder.iterdir() if path.name != "truth")
    rows = [(study, ("no", "yes")[n // 2 % 2]) for n, study in enumerate(studies[UNLABELLED:])]
    rows += [(f"1.2.840.99999.{n}", "yes") for n in range(STRANGERS)]
    with (file.parent / "labels.csv").open("w", newline="") as table:
        csv.writer(table).writerows([("study", "bleed"), *rows])
    raw = yaml.safe_load(file.read_text())
    study = raw["cohorts"]["study"]
    del study["phantom"]
    raw["cohorts"] = {
        "study": {**study, "folder": "ncct", "split": {"train": 0.5, "val": 0.25, "test": 0.25}}
    }
    raw["datasets"]["labels"] = {"table": "labels.csv", "column": "bleed"}
    own = {**raw["experiments"][0], "cohorts": ["study"], "rounds": {"first": 1, "target": 1, "limit": 1}}
    raw["experiments"] = [own]
    file.write_text(yaml.safe_dump(raw))
    return file


@pytest.mark.slow
def test_a_folder_with_a_table_runs_to_the_report_and_counts_who_is_not_there(
    folder_file: Path, tmp_path: Path, run_campaign: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    store = tmp_path / "store"
    ran = run_campaign(folder_file, store, NAMEPLATE_KEY="a key for these tests")
    assert ran.returncode == 0, ran.stdout + ran.stderr

    def rows(key: str) -> list[dict[str, Any]]:
        return [
            json.loads(line) for path in sorted(store.glob(key)) for line in path.read_text().splitlines()
        ]

    exams = {exam["exam"]: exam["fields"].get("bleed") for exam in rows("cohorts/study/exams/*.jsonl")}
    members = {member["exam"]: member["label"] for member in rows("cohorts/study/members.jsonl")}
    assert len(exams) == 34
    assert members
    assert all({"no": 0, "yes": 1}[exams[exam]] == label for exam, label in members.items())
    refused = rows("cohorts/study/refusals.jsonl")
    assert [row["exam"] for row in refused if row["step"] == "labels"] == sorted(
        exam for exam, told in exams.items() if told is None
    )
    ledger = rows("cohorts/study/ledger/*.jsonl")
    assert [row["studies"] for row in ledger if row["item"] == "table"] == [STRANGERS]
    (path,) = (store / "report" / "tables").glob("*-losses-by-manufacturer.csv")
    with path.open(newline="") as table:
        losses = {row["reason"]: row for row in csv.DictReader(table)}
    assert losses["not-in-folder"]["studies"] == losses["any reason"]["studies"] == str(STRANGERS)
    lost = losses["labels: no label in bleed"]
    assert int(lost["GE_lost"]) + int(lost["Siemens_lost"]) == UNLABELLED
    held = [path.read_bytes() for path in store.rglob("*") if path.is_file()]
    assert not any(b"1.2.840.99999" in data for data in held)
