from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nameplate.errors import UserError
from nameplate_cluster import commands
from nameplate_cluster.argo_server import ArgoServer
from nameplate_cluster.connection import connect
from nameplate_cluster.workflow import attempts_of


@pytest.fixture
def there(cluster: Any, recorded: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Verbs that reach a cluster with one finished campaign."""
    cluster.listed = [recorded("stopped"), recorded("done"), recorded("no-credentials")]
    cluster.story = [recorded("done")]
    monkeypatch.setattr(commands, "connect", lambda namespace, context: cluster)
    return cluster


@pytest.mark.parametrize("command", list(commands.COMMANDS))
def test_every_command_teaches_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        commands.main(command, ["--help"])
    assert caught.value.code == 0
    page = capsys.readouterr().out
    assert "ARGO_SERVER" in page
    assert f"nameplate {command}" in page


def test_status_of_the_newest_workflow(there: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.newest_workflow(there, "demo")["metadata"]["name"] == "nameplate-demo-59dwf"
    assert commands.main("status", ["demo", "--timings"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("demo: done after 2:12")
    assert "over 5 s per pod" in said


@pytest.mark.parametrize(("name", "code"), [("done", 0), ("no-credentials", 1), ("stopped", 1)])
@pytest.mark.parametrize("watch", [False, True])
def test_the_exit_code_of_status_is_how_the_campaign_ended(
    name: str, code: int, watch: bool, there: Any, recorded: Callable[[str], Any]
) -> None:
    there.listed = [recorded(name)]
    there.story = [recorded(name)]
    assert commands.main("status", ["demo", *(["--watch"] if watch else [])]) == code


def test_the_list(there: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main("list", []) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert commands.main("list", ["--all"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    there.listed = []
    assert commands.main("list", []) == 0
    assert capsys.readouterr().out.startswith("no campaigns in the namespace hospital")


def test_the_log_of_an_earlier_workflow(there: Any, capsys: pytest.CaptureFixture[str]) -> None:
    there.logs = {attempt.pod: ["a line"] for attempt in attempts_of(there.story[0])}
    assert commands.main("logs", ["demo", "plan", "--workflow", "nameplate-demo-59dwf"]) == 0
    assert capsys.readouterr().out == "a line\n"
    assert ("list", "nameplate.dev/campaign=demo") not in there.told
    with pytest.raises(
        UserError, match="--workflow nameplate-demo-59dwf: of the campaign 'demo', not 'paper'"
    ):
        commands.main("logs", ["paper", "plan", "--workflow", "nameplate-demo-59dwf"])


def test_a_campaign_that_never_ran(there: Any) -> None:
    there.listed = []
    with pytest.raises(UserError, match="no workflow of a campaign 'other' in the namespace hospital"):
        commands.main("status", ["other"])


def test_a_refused_submission_sends_nothing(there: Any, capsys: pytest.CaptureFixture[str]) -> None:
    there.listed = []
    demo = Path(__file__).parents[3] / "campaigns" / "demo.yaml"
    with pytest.raises(UserError, match="helm install"):
        commands.main("submit", [str(demo), "--yes"])
    assert not [what for what, *_ in there.told if what == "create"]
    assert capsys.readouterr().out.startswith("campaign demo:")


def test_the_way_to_an_argo_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGO_SERVER", "argo.hospital:2746")
    monkeypatch.setenv("ARGO_TOKEN", "Bearer secret-token")
    monkeypatch.setenv("ARGO_NAMESPACE", "ct")
    found = connect(None, None)
    assert isinstance(found, ArgoServer)
    assert (found.namespace, found.place) == ("ct", "the Argo Server argo.hospital:2746")
    monkeypatch.setenv("NAMEPLATE_NAMESPACE", "nearer")
    assert connect(None, None).namespace == "nearer"
    assert connect("other", None).namespace == "other"
    monkeypatch.setenv("ARGO_SERVER", "https://argo.hospital")
    with pytest.raises(UserError, match="host:port"):
        connect(None, None)


def test_no_way_to_a_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ARGO_SERVER", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(UserError, match="set KUBECONFIG"):
        connect(None, None)
    (tmp_path / "none").write_text("{")
    with pytest.raises(UserError, match="kubeconfig"):
        connect(None, None)
