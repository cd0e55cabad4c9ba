import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nameplate.errors import DamagedObject, NameplateError, UserError
from nameplate.store.folder_tar import pack_folder
from nameplate.store.parcel import Torn, encode
from nameplate_cluster.fetch_report import report, write_report
from nameplate_cluster.workflow import attempts_of

FILES = {"index.html": b"<h1>bias</h1>", "tables/a.csv": b"a,b\n1,2\n"}


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    for name, data in FILES.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    pack_folder(tmp_path / "source", tmp_path / "report.tar")
    return (tmp_path / "report.tar").read_bytes()


@pytest.fixture
def printed(cluster: Any, node: Callable[..., Any], workflow: Callable[..., Any], archive: bytes) -> Any:
    """A cluster whose pod has printed the report."""
    cluster.there = {"nameplate-report": {}}
    done = workflow(node("export(0)", "report", phase="Succeeded"), phase="Succeeded")
    cluster.story = [done]
    cluster.logs[attempts_of(done)[0].pod] = ["time= level=INFO msg=x", *encode(archive), "time="]
    return cluster


def test_the_report_arrives_and_the_workflow_goes(printed: Any, tmp_path: Path) -> None:
    out = tmp_path / "new" / "report"
    assert report(printed, "demo", out) == 0
    assert {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.*")} == FILES
    (_, manifest), (deleted, name) = printed.told
    assert manifest["spec"]["entrypoint"] == "export"
    assert (deleted, name) == ("delete", "nameplate-report-of-demo-x7k2p")


def test_a_torn_log_leaves_nothing_behind(printed: Any, tmp_path: Path) -> None:
    for lines in printed.logs.values():
        del lines[2]
    with pytest.raises(Torn, match="try again"):
        report(printed, "demo", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert printed.told[-1][0] == "delete"


def test_a_campaign_without_a_report(
    printed: Any, node: Callable[..., Any], workflow: Callable[..., Any], tmp_path: Path
) -> None:
    failed = node("export(0)", "report", phase="Failed", outputs={"exitCode": "2"}, message="exit code 2")
    printed.story = [workflow(failed, phase="Failed")]
    pod = attempts_of(printed.story[0])[0].pod
    printed.logs[pod] = [json.dumps({"event": "failed", "reason": "no report yet (3 jobs are done)"})]
    with pytest.raises(NameplateError, match=r"no report: no report yet \(3 jobs") as caught:
        report(printed, "demo", tmp_path / "out")
    assert caught.value.exit_code == 2


def test_a_folder_with_files_is_not_touched(printed: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="not an empty folder"):
        report(printed, "demo", tmp_path)
    assert printed.told == []


def test_an_installation_without_the_template(cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="helm install"):
        report(cluster, "demo", tmp_path / "out")


def test_what_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(DamagedObject):
        write_report(b"not a tar" * 100, tmp_path / "out")
    assert not (tmp_path / "out").exists()
