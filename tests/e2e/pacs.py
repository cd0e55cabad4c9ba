#!/usr/bin/env python3
"""A campaign on a cluster whose exams are in a PACS: the account by a Secret, the address by a policy.

    make pacs-e2e

A real Orthanc with simulated exams, in a network namespace of its own beside the node. First the policy
allows an address that is not the PACS': the pod that lists waits, and goes on when the right one is allowed.
The whole campaign by DICOMweb must leave the same bytes as on this machine. Then exams come by C-MOVE, which
connects to the pods through a Service, and must be the same again.
"""

import argparse
import base64
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from installation import ROOT, Site, call, fingerprint, node_address, same_bytes, say, until

NAMESPACE = "nameplate-pacs"
PLUGIN = Path("/usr/lib/orthanc/libOrthancDicomWeb.so")
HERE, PACS = "10.197.0.1", "10.197.0.2"
HTTP, DICOM, RECEIVE, NODE_PORT = 18042, 14242, 11112, 31112
EXAMS = 40


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="leave the namespace")
    options = parser.parse_args()
    site = Site(NAMESPACE)
    password = secrets.token_hex(12)
    with site.visited(keep=options.keep) as folder, orthanc(folder, password):
        fill(folder, password)
        by_dicomweb(site, folder, password)
        by_c_move(site)
    say("all is well")
    return 0


@contextmanager
def orthanc(folder: Path, password: str) -> Iterator[None]:
    """It listens at every address it has: so it has one of its own, which this machine and pods can reach."""
    call("ip", "netns", "add", NAMESPACE)
    process = None
    try:
        call(
            "ip", "link", "add", "nameplate-pacs", "type", "veth", "peer", "name", "eth0", "netns", NAMESPACE
        )
        call("ip", "addr", "add", f"{HERE}/24", "dev", "nameplate-pacs")
        call("ip", "link", "set", "nameplate-pacs", "up")
        inside = ("ip", "-n", NAMESPACE)
        call(*inside, "link", "set", "lo", "up")
        call(*inside, "addr", "add", f"{PACS}/24", "dev", "eth0")
        call(*inside, "link", "set", "eth0", "up")
        call(*inside, "route", "add", "default", "via", HERE)
        settings = {
            "StorageDirectory": str(folder / "orthanc"),
            "IndexDirectory": str(folder / "orthanc"),
            "Plugins": [str(next(PLUGIN.parent.glob(f"{PLUGIN.name}*")))],
            "RemoteAccessAllowed": True,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {"nameplate": password},
            "HttpPort": HTTP,
            "DicomAet": "ORTHANC",
            "DicomPort": DICOM,
            "DicomModalities": {
                "nameplate": {
                    "AET": "NAMEPLATE",
                    "Host": node_address(),
                    "Port": NODE_PORT,
                    "AllowMove": True,
                    "AllowFind": True,
                }
            },
            # Pods come with addresses of their own, or of their node.
            "DicomCheckModalityHost": False,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        (folder / "orthanc.json").write_text(json.dumps(settings))
        with (folder / "orthanc.log").open("wb") as log:
            command = ["ip", "netns", "exec", NAMESPACE, "Orthanc", str(folder / "orthanc.json")]
            process = subprocess.Popen(command, stdout=log, stderr=log)
        until(30, "an answer of Orthanc", lambda: answers(password), 0.3)
        yield
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        call("ip", "netns", "delete", NAMESPACE)
        call("ip", "link", "delete", "nameplate-pacs", check=False)


def http(path: str, password: str, data: bytes | None = None) -> bytes:
    given = base64.b64encode(f"nameplate:{password}".encode()).decode()
    request = urllib.request.Request(f"http://{PACS}:{HTTP}{path}", data, {"Authorization": f"Basic {given}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        content: bytes = answer.read()
        return content


def answers(password: str) -> bool:
    try:
        return bool(http("/system", password))
    except OSError:
        return False


def fill(folder: Path, password: str) -> None:
    """Simulated exams into the PACS."""
    call(
        sys.executable, "-m", "nameplate_local", "phantom", "--exams", str(EXAMS), "--seed", "7", "--out",
        str(folder / "dicom"), "--matrix", "64", "--thin-mm", "5",
    )  # fmt: skip
    count = 0
    for path in sorted(path for path in (folder / "dicom").rglob("*") if path.is_file()):
        if (data := path.read_bytes())[128:132] == b"DICM":
            http("/instances", password, data)
            count += 1
    say(f"{EXAMS} exams, {count} files in a PACS at {PACS}")


def campaign(source: dict[str, object], name: str) -> str:
    """The small campaign with this source."""
    raw = yaml.safe_load((ROOT / "tests" / "tiny.yaml").read_text())
    del raw["cohorts"]["study"]["phantom"]
    raw["name"] = name
    days = {"since": "1990-01-01", "until": "2035-12-31", "window_days": 366, "account": "pacs"}
    raw["cohorts"]["study"] |= {"source": {**source, **days}, "shards": 4}
    return yaml.safe_dump(raw)


def values(address: str) -> list[str]:
    """The chart's values for a PACS at this address."""
    return [
        "sources.pacs.existingSecret=pacs-account",
        f"sources.pacs.cidrs={{{address}/32}}",
        f"sources.pacs.ports={{{HTTP},{DICOM}}}",
        f"sources.pacs.receive.port={RECEIVE}",
        "sources.pacs.receive.type=NodePort",
        f"sources.pacs.receive.nodePort={NODE_PORT}",
        f"sources.pacs.receive.cidrs={{{address}/32}}",
    ]


def by_dicomweb(site: Site, folder: Path, password: str) -> None:
    """The whole campaign, which waits for the policy."""
    site.create()
    given = ["--from-literal=USERNAME=nameplate", f"--from-literal=PASSWORD={password}"]
    site.kubectl("create", "secret", "generic", "pacs-account", *given)
    say("install, with another address than the PACS'")
    site.install(*values("10.197.0.9"), create=False)
    text = campaign({"kind": "dicomweb", "url": f"http://{PACS}:{HTTP}/dicom-web"}, "tiny")
    workflow = site.submit("tiny", text=text)

    def waits() -> str:
        pods = site.pods(workflow, "listing", "Running")
        return next((line for pod in pods for line in site.log(pod["metadata"]["name"]).splitlines()
                     if "did not answer" in line), "")  # fmt: skip

    until(120, "the pod that lists, without an answer", waits)
    say(f"  it waits: {json.loads(waits())['reason']}")
    say("the right address")
    started = time.monotonic()
    site.install(*values(PACS), create=False)
    site.finish(workflow)
    say(f"  done in {time.monotonic() - started:.0f} s")
    logs = site.kubectl(
        "logs", "-l", "app.kubernetes.io/part-of=nameplate", "--tail=-1", "--prefix", check=False
    )
    assert password not in logs
    key = site.get("secret", "nameplate-patient-key")["data"]["NAMEPLATE_KEY"]
    os.environ["NAMEPLATE_KEY"] = base64.b64decode(key).decode()
    os.environ["NAMEPLATE_SOURCE_PACS_USERNAME"] = "nameplate"
    os.environ["NAMEPLATE_SOURCE_PACS_PASSWORD"] = password
    file = folder / "tiny.yaml"
    file.write_text(text)
    same_bytes(site, file, folder / "local")


def by_c_move(site: Site) -> None:
    """Exams by C-MOVE to the pods, and the same bytes of them."""
    say("the same exams by C-MOVE")
    source = {"kind": "dimse", "host": PACS, "port": DICOM, "called": "ORTHANC", "retrieve": "move"}
    text = campaign({**source, "receive_port": RECEIVE}, "moved")
    for only in ("listing", "ingest"):
        site.finish(site.submit("moved", text=text, only=only))
    folders = ("cohorts/study/images/", "cohorts/study/exams/", "cohorts/study/ledger/")
    with site.store("tiny") as store:
        one = fingerprint(store, folders=folders)
    with site.store("moved") as store:
        other = fingerprint(store, folders=folders)
    assert one == other, [key for key in one if one[key] != other.get(key)][:5]
    say(f"  {len(other)} objects, the same bytes as by DICOMweb")


if __name__ == "__main__":
    sys.exit(main())
