"""Masks of the user's own through an ingest: whose they are, what is said of the others, and resuming."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.services.ingest.sharded import run_shard

from nameplate.campaign.ingest import IngestSettings
from nameplate.image.volume import Volume, read_nifti, write_nifti
from nameplate_ingest.command import COMMAND
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.ingest import IngestSummary, ingest_folder

KEY = b"a key for these tests"
SMALL = IngestSettings(matrix=64)
AFFINE = np.diag([2.0, 2.0, 2.5, 1.0])
AFFINE[:3, 3] = -100, -100, -80
FIRST, SECOND, THIRD = "1.2.3.1", "1.2.3.2", "1.2.3.3"


def rod(shift: int = 0) -> Volume:
    """The bright rod of the test's heads, that at LPS (20, -30), on a grid of its own."""
    i, j, _ = np.indices((101, 101, 64))
    x, y = AFFINE[0, 0] * i + AFFINE[0, 3], AFFINE[1, 1] * j + AFFINE[1, 3]
    inside = ((x + 20 + shift) ** 2 + (y - 30) ** 2 < 64) & (np.indices((101, 101, 64))[2] > 20)
    return Volume(inside.astype(np.uint8), AFFINE)


@pytest.fixture
def archive(folder: Any, make_series: Any) -> Path:
    """Three studies, each in a folder of its own below one that all share."""
    for number, study in enumerate((FIRST, SECOND, THIRD)):
        place = folder.path / "all" / f"S{number}"
        place.mkdir(parents=True)
        patient = f"PATIENT{number}"
        for n, dataset in enumerate(make_series(study=study, series=f"{study}.1", PatientID=patient)):
            dataset.save_as(place / f"{n:03d}", enforce_file_format=True)
    path: Path = folder.path
    return path


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    place = tmp_path / "masks"
    place.mkdir()
    return place


def run(source: Path, masks: Path | None, out: Path, **options: Any) -> IngestSummary:
    return ingest_folder(source, out, SMALL, key=KEY, masks=masks, **options)


def rows(out: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / name).read_text().splitlines()]


def exam(study: str) -> str:
    return Pseudonyms(KEY).of("e", study)


def test_a_mask_lies_over_what_it_shows(archive: Path, masks: Path, tmp_path: Path) -> None:
    write_nifti(masks / "S0_mask.nii.gz", rod())
    write_nifti(masks / f"{SECOND}.nii.gz", rod())
    write_nifti(masks / f"{exam(THIRD)}.nii.gz", rod())
    summary = run(archive, masks, tmp_path / "out")
    assert (summary.exams, summary.targets, summary.unknown_masks) == (3, 3, 0)
    for study in (FIRST, SECOND, THIRD):
        image = read_nifti(tmp_path / "out" / "images" / f"{exam(study)}.nii.gz")
        target = read_nifti(tmp_path / "out" / "targets" / f"{exam(study)}.nii.gz")
        assert target.array.dtype == np.uint8
        assert (target.affine == image.affine).all()
        inside = image.array[target.array == 1]
        assert len(inside) > 100
        assert np.median(inside) == 80  # the rod's HU; the brain around it has 35
    volumes = [row["volume_ml"] for row in rows(tmp_path / "out", "targets.jsonl")]
    assert np.allclose(volumes, rod().array.sum() * rod().voxel_ml, rtol=0.1)


def test_what_is_wrong_is_a_row_and_every_exam_goes_on(archive: Path, masks: Path, tmp_path: Path) -> None:
    write_nifti(masks / "S0.nii.gz", rod())
    write_nifti(masks / "S0_seg.nii.gz", rod())
    (masks / "S1.nii.gz").write_bytes(b"no file of the kind")
    write_nifti(masks / "all.nii.gz", rod())
    write_nifti(masks / "DOE-JANE.nii.gz", rod())
    summary = run(archive, masks, tmp_path / "out")
    assert (summary.exams, summary.targets, summary.unknown_masks) == (3, 0, 1)
    told = {row["exam"]: row["rule"] for row in rows(tmp_path / "out", "targets.jsonl")}
    assert told == dict.fromkeys(map(exam, (FIRST, SECOND, THIRD)), "mask-shared")
    (masks / "all.nii.gz").unlink()
    run(archive, masks, tmp_path / "again")
    told = {row["exam"]: row["rule"] for row in rows(tmp_path / "again", "targets.jsonl")}
    assert told == {exam(FIRST): "mask-twice", exam(SECOND): "mask-unreadable"}
    ledger = rows(tmp_path / "again", "ledger.jsonl")
    of_masks = [row for row in ledger if row["item"] == "mask"]
    assert {row["rule"]: row["files"] for row in of_masks} == {"mask-twice": 2, "mask-unreadable": 1}
    assert len({row["id"] for row in of_masks}) == 2
    unknown = ledger[-1]
    assert (unknown["item"], unknown["rule"], unknown["studies"]) == ("table", "mask-not-in-folder", 1)
    assert not list((tmp_path / "again" / "targets").glob("*"))
    written = b"".join(p.read_bytes() for p in (tmp_path / "again").rglob("*") if p.is_file())
    assert b"DOE-JANE" not in written


def test_shards_and_workers_change_nothing(archive: Path, masks: Path, tmp_path: Path) -> None:
    for name in ("S0", "S1", "S2", "all", "unknown"):
        write_nifti(masks / f"{name}.nii.gz", rod())
    run(archive, masks, tmp_path / "out", workers=2)
    parts = [run_shard(archive, tmp_path / f"part-{n}", SMALL, KEY, (n, 2), masks=masks) for n in range(2)]
    # A mask that is called after studies of two shards passes in neither; one shard tells what is of none.
    assert [part.unknown_masks for part in parts] == [1, 0]
    assert min(part.studies for part in parts) > 0
    whole = rows(tmp_path / "out", "targets.jsonl")
    found = [row for n in range(2) for row in rows(tmp_path / f"part-{n}", "targets.jsonl")]
    assert sorted(found, key=str) == sorted(whole, key=str)
    assert {row["rule"] for row in whole} == {"mask-shared"}


def test_a_changed_mask_does_its_study_again_and_no_other(
    archive: Path, masks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_nifti(masks / "S0.nii.gz", rod())
    write_nifti(masks / "S1.nii.gz", rod())
    assert run(archive, masks, out, resumable=True).earlier == 0
    assert run(archive, masks, out, resumable=True).earlier == 3
    before = (out / "targets" / f"{exam(FIRST)}.nii.gz").read_bytes()
    write_nifti(masks / "S0.nii.gz", rod(shift=30))
    assert run(archive, masks, out, resumable=True).earlier == 2
    after = (out / "targets" / f"{exam(FIRST)}.nii.gz").read_bytes()
    assert after != before
    (out / "targets" / f"{exam(FIRST)}.nii.gz").write_bytes(before)
    assert run(archive, masks, out, resumable=True).earlier == 2
    assert (out / "targets" / f"{exam(FIRST)}.nii.gz").read_bytes() == after
    (masks / "S0.nii.gz").unlink()
    assert run(archive, masks, out, resumable=True).targets == 1
    assert [path.name for path in (out / "targets").iterdir()] == [f"{exam(SECOND)}.nii.gz"]


def test_without_masks_nothing_of_them_is_written(archive: Path, tmp_path: Path) -> None:
    assert run(archive, None, tmp_path / "out").targets is None
    assert not (tmp_path / "out" / "targets").exists()
    assert not (tmp_path / "out" / "targets.jsonl").exists()


def test_the_command_counts_them(
    archive: Path, masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from argparse import ArgumentParser

    for name in ("S0", "S1", "unknown"):
        write_nifti(masks / f"{name}.nii.gz", rod())
    (tmp_path / "key").write_bytes(KEY)
    parser = ArgumentParser()
    COMMAND.add_arguments(parser)
    words = [str(archive), "--out", str(tmp_path / "out"), "--masks", str(masks), "--matrix", "64"]
    assert COMMAND.run(parser.parse_args([*words, "--key-file", str(tmp_path / "key")])) == 0
    told = capsys.readouterr().out
    assert "exams with a mask: 2\n" in told
    assert "masks that are called after no study: 1\n" in told
