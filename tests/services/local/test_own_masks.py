"""A campaign whose networks learn masks of the user's own, from the file to the report."""

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from outlined_cohort import (
    ABSENT,
    EMPTY,
    EXAMS,
    REFUSED,
    STRANGERS,
    Outlined,
    outlined_campaign,
    write_outlined,
)

from nameplate.image.volume import read_nifti
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_local.cli import main

KEY = "a key for these tests"


@pytest.fixture(scope="module")
def outlined(tmp_path_factory: pytest.TempPathFactory) -> Outlined:
    return write_outlined(tmp_path_factory.mktemp("outlined"))


@pytest.fixture
def file(tmp_path: Path, tiny_text: str, outlined: Outlined) -> Path:
    raw = outlined_campaign(tiny_text, outlined)
    raw["cohorts"]["control"] = {"role": "null-control", "from": "study", "shuffle": "factor"}
    own = raw["experiments"][0]
    monai = {"kind": "monai", "name": "SegResNet", "arguments": {"init_filters": 8}}
    once = {"rounds": {"first": 1, "target": 1, "limit": 1}, "training_sets": ["mixed"]}
    raw["experiments"] = [
        {**own, "cohorts": ["study", "control"]},
        {**own, "name": "other", "network": monai, **once},
    ]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def rows_of(store: Path, key: str) -> list[dict[str, Any]]:
    paths = sorted(store.glob(key))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_it_runs_to_a_dice_by_manufacturer(
    file: Path,
    outlined: Outlined,
    tmp_path: Path,
    run_campaign: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    store = tmp_path / "store"
    ran = run_campaign(file, store, NAMEPLATE_KEY=KEY)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    exam_of = [Pseudonyms(KEY.encode()).of("e", uid) for uid in outlined.uids]

    targets = {row["exam"]: row for row in rows_of(store, "cohorts/study/targets/*.jsonl")}
    assert set(targets) == set(exam_of) - {exam_of[ABSENT]}
    assert {exam_of.index(e): row["rule"] for e, row in targets.items() if row["rule"]} == REFUSED
    assert targets[exam_of[EMPTY]]["volume_ml"] == 0
    good = [n for n in range(EXAMS) if n not in (ABSENT, EMPTY, *REFUSED)]
    found = np.array([targets[exam_of[n]]["volume_ml"] for n in good])
    assert np.abs(found / np.array(outlined.volumes_ml)[good] - 1).max() < 0.25  # on voxels of about 8 mm

    members = {row["exam"]: row for row in rows_of(store, "cohorts/study/members.jsonl")}
    left_out = rows_of(store, "cohorts/study/refusals.jsonl")
    for_masks = {exam_of.index(row["exam"]): row["reason"] for row in left_out if row["step"] == "masks"}
    assert for_masks == {ABSENT: "no mask of its own"} | {
        number: f"its mask is refused: {rule}" for number, rule in REFUSED.items()
    }
    assert members[exam_of[EMPTY]]["outlined"] == 0
    assert {members[exam_of[n]]["outlined"] for n in good if exam_of[n] in members} == {1}
    ledger = rows_of(store, "cohorts/study/ledger/*.jsonl")
    assert sorted(row["rule"] for row in ledger if row["item"] == "mask") == sorted(REFUSED.values())
    assert [row["studies"] for row in ledger if row["item"] == "table"] == [STRANGERS]

    for cohort in ("study", "control"):
        samples = rows_of(store, f"packs/{cohort}/outline/hemorrhage/samples.jsonl")
        assert {row["exam"]: row["label"] for row in samples} == {
            exam: row["outlined"] for exam, row in members.items()
        }
        masks = np.load(store / f"packs/{cohort}/outline/hemorrhage/masks.npy")
        for row, packed in zip(samples, masks, strict=True):
            assert bool(packed.any()) == (row["label"] == 1)
            # A lesion, not the brain that is left for `region: brain`.
            brain = read_nifti(store / row["mask"]).array
            assert packed.sum() < 0.2 * np.count_nonzero(brain)

    report = (store / "report" / "index.html").read_text()
    for words in (
        "Segmentation of hemorrhage, Dice",
        "Masks: prevalence and volume of hemorrhage",
        "Own-manufacturer advantage in segmentation of hemorrhage",
        "No claim is made where nothing is classified: in segmentation of hemorrhage, the advantage of the",
        "In segmentation of hemorrhage the advantage is",
        "Two empty masks agree",
        "masks: its mask is refused: mask-place",
    ):
        assert words in report, words
    for words in ("phere", "Brain segmentation", str(outlined.masks)):
        assert words not in report.split('<section id="evidence">')[0], words
    assert str(outlined.masks) not in report
    (path,) = (store / "report" / "tables").glob("*-dice-of-own-masks.csv")
    with path.open(newline="") as table:
        dice = list(csv.DictReader(table))
    assert len(dice) == 4
    for row in dice:
        assert 0 <= float(row["ge_mean"]) <= 1
        assert 0 <= float(row["siemens_mean"]) <= 1
    held = [path.read_bytes() for path in store.rglob("*") if path.is_file()]
    assert not any(b"1.2.840.99999" in data for data in held)


def test_the_plan_counts_it(file: Path, outlined: Outlined, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(file)]) == 0
    told = capsys.readouterr().out
    assert f"cohort study (study, folder {outlined.dicom}, masks {outlined.masks})" in told
    assert "outline/study/hemorrhage/GE" in told
    assert "outline on study: only the data can tell (how much Dice differs" in told


@pytest.mark.slow
def test_masks_that_are_not_there_are_one_line(
    file: Path, tmp_path: Path, run_campaign: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "none").mkdir()
    for place, said in (("none", "holds no NIfTI files"), ("nowhere", "no such folder")):
        more = ("--set", f"cohorts.study.masks={tmp_path / place}")
        ran = run_campaign(file, tmp_path / "store", *more, NAMEPLATE_KEY=KEY)
        assert ran.returncode == 2
        assert f"cohorts.study.masks: {tmp_path / place}: {said}" in ran.stderr
        assert "Traceback" not in ran.stderr
