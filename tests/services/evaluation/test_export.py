import hashlib
from pathlib import Path

import pytest

from nameplate.errors import DamagedObject, UserError
from nameplate.job.result import Output, Result, write_result
from nameplate.store import Store, open_store
from nameplate.store.folder_tar import unpack_folder
from nameplate.store.parcel import decode
from nameplate_evaluation.export import export

FILES = {"report/index.html": b"<h1>bias</h1>", "report/tables/a.csv": b"a\n"}


def commit(store: Store, files: dict[str, bytes]) -> None:
    for key, data in files.items():
        store.put(key, data)
    outputs = tuple(
        Output(key=key, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for key, data in files.items()
    )
    write_result(store, Result(job="report", digest="d", code="0", outputs=outputs))


def test_the_committed_report_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(str(tmp_path / "store"))
    commit(store, FILES)
    store.put("report/left-over.csv", b"of an older report")
    assert export(["--store", str(tmp_path / "store")]) == 0
    (tmp_path / "report.tar").write_bytes(decode(capsys.readouterr().out.splitlines()))
    unpack_folder(tmp_path / "report.tar", tmp_path / "report")
    found = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in (tmp_path / "report").rglob("*.*")
    }
    assert found == FILES


def test_a_campaign_without_a_report_says_how_far_it_is(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    store.put("jobs/prediction/a/b.json", b"{}")
    store.put("jobs/cohort/study.json", b"{}")
    with pytest.raises(UserError, match=r"no report yet \(2 jobs are done, 1 of them predictions\)"):
        export(["--store", str(tmp_path / "store")])


def test_a_damaged_report_is_not_sent(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    commit(store, FILES)
    store.put("report/index.html", b"other")
    with pytest.raises(DamagedObject):
        export(["--store", str(tmp_path / "store")])


def test_a_committed_file_that_is_no_reports_is_not_sent(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    commit(store, {**FILES, "models/a/weights.pt": b"weights"})
    with pytest.raises(DamagedObject, match=r"models/a/weights\.pt is not a file of a report"):
        export(["--store", str(tmp_path / "store")])
