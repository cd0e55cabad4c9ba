"""Outputs are named with what was really stored; checkpoints outlive the machine that wrote them."""

import hashlib
from pathlib import Path

import pytest

from nameplate.errors import StoreError
from nameplate.job.outputs import Outputs
from nameplate.job.result import Output
from nameplate.store import Store

JOB = "training/e/s1"


def _outputs(store: Store, scratch: Path, job: str = JOB) -> Outputs:
    scratch.mkdir(exist_ok=True)
    return Outputs(job, store, scratch, lambda: False)


def _output(key: str, data: bytes) -> Output:
    return Output(key=key, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def test_what_was_written_is_named_in_order_of_key(without_folders: Store, tmp_path: Path) -> None:
    outputs = _outputs(without_folders, tmp_path / "scratch")
    (tmp_path / "file").write_bytes(b"a file")
    outputs.write("made/b", b"first")
    outputs.write_file("made/a", tmp_path / "file")
    outputs.write("made/b", b"and again")
    assert outputs.written == (_output("made/a", b"a file"), _output("made/b", b"and again"))
    assert without_folders.get("made/a") == b"a file"
    assert without_folders.get("made/b") == b"and again"


def test_what_could_not_be_stored_was_not_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = _outputs(store, tmp_path / "scratch")
    (tmp_path / "file").write_bytes(b"x")

    def full(key: str, data: object) -> None:
        raise StoreError("the store is full")

    monkeypatch.setattr(store, "put", full)
    monkeypatch.setattr(store, "put_file", full)
    with pytest.raises(StoreError):
        outputs.write("made/a", b"x")
    with pytest.raises(StoreError):
        outputs.write_file("made/b", tmp_path / "file")
    assert outputs.written == ()


def test_checkpoints_come_back_on_another_machine(without_folders: Store, tmp_path: Path) -> None:
    here = _outputs(without_folders, tmp_path / "here")
    folder = here.load_checkpoints()
    assert list(folder.iterdir()) == []
    (folder / "last.pt").write_bytes(b"epoch 1")
    (folder / "history.json").write_bytes(b"[1]")
    (folder / ".tmp-half").write_bytes(b"half")
    here.save_checkpoints(folder)
    (folder / "last.pt").write_bytes(b"epoch 2")
    here.save_checkpoints(folder)

    there = _outputs(without_folders, tmp_path / "there").load_checkpoints()
    assert there.is_relative_to(tmp_path / "there")
    found = {path.name: path.read_bytes() for path in there.iterdir()}
    assert found == {"last.pt": b"epoch 2", "history.json": b"[1]"}
    assert here.written == ()  # no outputs: they are not committed


def test_checkpoints_are_of_one_job(without_folders: Store, tmp_path: Path) -> None:
    for job in (JOB, f"{JOB}0"):
        outputs = _outputs(without_folders, tmp_path / job.replace("/", "-"), job)
        folder = outputs.load_checkpoints()
        (folder / "last.pt").write_bytes(job.encode())
        outputs.save_checkpoints(folder)
    _outputs(without_folders, tmp_path / "one").drop_checkpoints()
    assert list(_outputs(without_folders, tmp_path / "two").load_checkpoints().iterdir()) == []
    (left,) = _outputs(without_folders, tmp_path / "three", f"{JOB}0").load_checkpoints().iterdir()
    assert left.read_bytes() == f"{JOB}0".encode()


def test_a_store_in_a_folder_keeps_checkpoints_where_they_are(store: Store, tmp_path: Path) -> None:
    outputs = _outputs(store, tmp_path / "scratch")
    folder = outputs.load_checkpoints()
    assert folder.is_relative_to(store.url)
    (folder / "last.pt").write_bytes(b"epoch 1")
    assert _outputs(store, tmp_path / "again").load_checkpoints() == folder
    outputs.drop_checkpoints()
    assert not (folder / "last.pt").exists()
