"""Connections that the pods of a namespace really make, held against what its NetworkPolicies allow.

Seen by the connection tracking of the node that this machine is (``conntrack -E``, as root); elsewhere
nothing is observed, and that is said.
"""

import ipaddress
import json
import os
import re
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from types import TracebackType

from installation import Json, call, say

WORKFLOW = "workflows.argoproj.io/workflow"
"""Label of a workflow's pods."""

UNUSED = {("tcp", 53)}
"""Allowed and rarely used: DNS falls back to TCP for answers that are too long for a datagram."""


@dataclass(frozen=True, order=True)
class Flow:
    """Who opened a connection to whom."""

    source: str
    target: str
    protocol: str
    port: int


@dataclass
class Flows:
    """Watches while the block runs."""

    namespace: str
    seen: set[Flow] = field(default_factory=set)
    _pods: dict[str, Json] = field(default_factory=dict)
    _raw: set[tuple[str, str, str, int]] = field(default_factory=set)
    _process: subprocess.Popen[str] | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Flows":
        if shutil.which("conntrack") is None or os.geteuid() != 0:
            return self
        command = ["stdbuf", "-oL", "conntrack", "-E", "-e", "NEW", "-o", "extended"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for work in (self._read, self._look):
            self._threads.append(threading.Thread(target=work, daemon=True))
            self._threads[-1].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        self._stop.set()
        self._process.terminate()
        for thread in self._threads:
            thread.join(10)
        for source, target, protocol, port in self._raw:
            if source in self._pods:
                self.seen.add(Flow(self._name(source), self._name(target), protocol, port))

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # The answer's addresses are the real ones, behind a Service's.
            ends = re.findall(r"src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)", line)
            protocol = re.search(r"\b(tcp|udp)\b", line)
            if len(ends) == 2 and protocol is not None:
                (source, *_), (target, _, port, _) = ends
                self._raw.add((source, target, protocol[1], int(port)))

    def _look(self) -> None:
        while not self._stop.wait(0.7):
            found = json.loads(call("kubectl", "-n", self.namespace, "get", "pods", "-o", "json"))
            for pod in found["items"]:
                if address := pod["status"].get("podIP"):
                    self._pods[address] = pod

    def _name(self, address: str) -> str:
        pod = self._pods.get(address)
        if pod is None:
            return address
        return str(pod["metadata"]["labels"].get("app.kubernetes.io/component", "?"))

    def compare(self) -> None:
        """Print the flows; raises for a rule that nothing used and a flow that no rule stands for."""
        if self._process is None:
            say("flows: not observed (no conntrack here, or not root)")
            return
        policies = json.loads(call("kubectl", "-n", self.namespace, "get", "networkpolicies", "-o", "json"))
        rules: dict[tuple[str, int, str, int], int] = {}
        for policy in policies["items"]:
            for position, rule in enumerate(policy["spec"].get("egress") or []):
                for port in rule["ports"]:
                    rules[policy["metadata"]["name"], position, port["protocol"].lower(), port["port"]] = 0
        strangers = []
        for source, target, protocol, port in self._raw:
            if source not in self._pods:
                continue
            matched = False
            for policy in policies["items"]:
                if not _selects(policy["spec"]["podSelector"], self._pods[source]):
                    continue
                for position, rule in enumerate(policy["spec"].get("egress") or []):
                    key = (policy["metadata"]["name"], position, protocol, port)
                    if key in rules and self._reaches(rule, target):
                        rules[key] += 1
                        matched = True
            if not matched:
                strangers.append(Flow(self._name(source), self._name(target), protocol, port))
        by_target: dict[tuple[str, str, int], set[str]] = {}
        for flow in sorted(self.seen):
            by_target.setdefault((flow.target, flow.protocol, flow.port), set()).add(flow.source)
        say("flows that were seen")
        for (target, protocol, port), sources in sorted(by_target.items()):
            say(f"  to {target} {protocol}/{port} from {', '.join(sorted(sources))}")
        campaigns = [a for a, pod in self._pods.items() if WORKFLOW in pod["metadata"]["labels"]]
        silent = {self._name(address) for address in campaigns} - {flow.source for flow in self.seen}
        if silent:
            raise RuntimeError(f"no connection was seen of {sorted(silent)}: the watch has missed something")
        idle = [key for key, count in rules.items() if count == 0 and key[2:] not in UNUSED]
        if strangers or idle:
            raise RuntimeError(f"flows without a rule: {strangers}; rules without a flow: {idle}")
        say("every flow has its rule, every rule its flow (but DNS over TCP, for long answers)")

    def _reaches(self, rule: Json, address: str) -> bool:
        if not rule.get("to"):
            return True
        for peer in rule["to"]:
            if "ipBlock" in peer:
                if ipaddress.ip_address(address) in ipaddress.ip_network(peer["ipBlock"]["cidr"]):
                    return True
            elif address in self._pods and _selects(peer["podSelector"], self._pods[address]):
                return True
        return False


def _selects(selector: Json, pod: Json) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
