"""``nameplate fingerprint`` on folders: what it prints and writes, and what one bad file costs."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from tests.services.fingerprint.scene import head

from nameplate.errors import UserError
from nameplate.image.volume import write_nifti
from nameplate.records import from_jsonl, to_jsonl
from nameplate.service.command import run_command
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam
from nameplate_fingerprint.command import COMMAND


def _run(*words: object) -> int:
    return run_command(COMMAND, "nameplate fingerprint", [str(word) for word in words])


def _exam(name: str, maker: str) -> Exam:
    return Exam(
        exam=name, patient="p", image="", manufacturer=maker, model="Optima", software="", kernel="STANDARD",
        institution="", age=None, sex=None, kvp=None, exposure_mas=None, thickness_mm=5.0,
        gaps_mm=(5.0,), pixel_mm=2.5, tilt_degrees=0.0, source_slices=16, slices=16,
    )  # fmt: skip


def _folder(path: Path, names: tuple[str, ...], *, masks: str = "") -> Path:
    """Images of these names; ``masks`` is what their masks' names end in, if they have any."""
    path.mkdir(parents=True)
    for number, name in enumerate(names):
        image, mask = head(number)
        write_nifti(path / f"{name}.nii.gz", image)
        if masks:
            write_nifti(path / f"{name}{masks}.nii.gz", mask)
    return path


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_of_an_ingest_gives_exams_stages_and_scanners(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _folder(tmp_path / "exams" / "images", ("e0", "e1", "e2"))
    makers = zip(("e0", "e1", "e2"), ("GE", "GE", "Siemens"), strict=True)
    (tmp_path / "exams" / "exams.jsonl").write_bytes(to_jsonl(_exam(*one) for one in makers))
    as_read = [MeasuredExam(exam=f"e{n}", stage="as read", numbers={"noise_sd": n + 1.0}) for n in range(3)]
    (tmp_path / "exams" / "as-read.jsonl").write_bytes(to_jsonl(as_read))
    assert _run(tmp_path / "exams", "--out", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "3 exams measured in the scanner's own pixels" in printed
    assert sum(line.startswith("e") for line in printed.splitlines()) == 4  # a heading and three exams
    rows = from_jsonl(MeasuredExam, (tmp_path / "out" / "measures.jsonl").read_bytes())
    assert [row.stage for row in rows[:4]] == ["as read", "nifti", "windowed", "brain alone"]
    assert rows[4] == as_read[1]
    table = _csv(tmp_path / "out" / "measures.csv")
    assert len(table) == 12
    assert (table[0]["noise_sd"], table[4]["noise_sd"]) == ("1", "2")
    scanners = _csv(tmp_path / "out" / "scanners.csv")
    native = [one for one in scanners if one["stage"] == "as read"]
    assert [(one["manufacturer"], one["exams"], one["noise_sd"]) for one in native] == [
        ("GE", "2", "1.5"),
        ("Siemens", "1", "3"),
    ]
    assert len(scanners) == 8


def test_masks_beside_in_a_folder_and_made_on_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beside = _folder(tmp_path / "beside", ("a",), masks="_mask")
    bare, masks = _folder(tmp_path / "bare", ("a",)), _folder(tmp_path / "masks", ())
    write_nifti(masks / "a.nii.gz", head(0)[1])
    assert _run(beside, "--out", tmp_path / "1") == 0
    assert _run(bare, "--masks", masks, "--out", tmp_path / "2") == 0
    assert _run(bare, "--out", tmp_path / "3") == 0
    one, two, made = ((tmp_path / name / "measures.jsonl").read_bytes() for name in "123")
    assert one == two
    assert {row.exam for row in from_jsonl(MeasuredExam, made)} == {"a"}
    assert not (tmp_path / "1" / "scanners.csv").exists()
    assert "measured in the images as they are" in capsys.readouterr().out
    assert sorted(path.name for path in bare.iterdir()) == ["a.nii.gz"]


def test_more_processes_give_the_same_bytes(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "heads", ("a", "b", "c"), masks="_mask")
    assert _run(folder, "--out", tmp_path / "1") == 0
    assert _run(folder, "--out", tmp_path / "2", "--workers", "2") == 0
    for name in ("measures.jsonl", "measures.csv", "refused.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_damaged_file_costs_its_own_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _folder(tmp_path / "heads", ("a", "b", "c"), masks="_mask")
    (folder / "b.nii.gz").write_bytes((folder / "b.nii.gz").read_bytes()[:500])
    write_nifti(folder / "c_mask.nii.gz", head(0, matrix=40)[1])
    assert _run(folder, "--out", tmp_path / "out") == 0
    assert "not measured:" in capsys.readouterr().out
    refused = _csv(tmp_path / "out" / "refused.csv")
    assert [row["image"] for row in refused] == ["b", "c"]
    assert refused[0]["reason"].startswith("not a readable 3-D NIfTI image")
    assert refused[1]["reason"] == "a mask of another size than its image"
    assert len(_csv(tmp_path / "out" / "measures.csv")) == 3
    (folder / "a.nii.gz").write_bytes(b"nothing")
    assert _run(folder) == 2


def test_voxels_that_are_no_numbers_and_have_no_size_are_refused(tmp_path: Path) -> None:
    import nibabel as nib

    folder = _folder(tmp_path / "heads", ("a",), masks="_mask")
    colours = np.zeros((8, 8, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(colours, np.eye(4)), folder / "colour.nii.gz")
    write_nifti(folder / "flat.nii.gz", head()[0])
    data = bytearray(gzip.decompress((folder / "flat.nii.gz").read_bytes()))
    data[280 + 2 * 16 : 280 + 3 * 16] = np.zeros(4, "<f4").tobytes()  # the sform's row for z
    data[252:254] = bytes(2)  # no qform
    (folder / "flat.nii.gz").write_bytes(gzip.compress(bytes(data)))
    assert _run(folder, "--out", tmp_path / "out") == 0
    assert {row["image"] for row in _csv(tmp_path / "out" / "refused.csv")} == {"colour", "flat"}


def test_mistakes_are_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _folder(tmp_path / "heads", ("a", "b"))
    with pytest.raises(UserError, match="no such folder"):
        _run(tmp_path / "absent")
    with pytest.raises(UserError, match=r"no file that ends in \.nii"):
        _run(tmp_path)
    with pytest.raises(UserError, match="2 masks are missing, the first is a"):
        _run(folder, "--masks", tmp_path)
    with pytest.raises(UserError, match="--window"):
        _run(folder, "--window", "0", "40")
    with pytest.raises(UserError, match="--workers"):
        _run(folder, "--workers", "0")
    (tmp_path / "exams.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match=r"exams\.jsonl: not a file of Exam rows"):
        _run(folder, "--table", tmp_path / "exams.jsonl")
    (folder / "a.nii").write_bytes(b"")
    with pytest.raises(UserError, match="two files are called a"):
        _run(folder)


def test_without_the_skullstrip_service_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nameplate.service.command as command

    real = command.importlib.util.find_spec
    monkeypatch.setattr(
        command.importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "nameplate_skullstrip" else real(name, *rest),
    )
    with pytest.raises(UserError, match=r"nameplate\[skullstrip\].*or give --masks FOLDER"):
        _run(_folder(tmp_path / "heads", ("a",)))
