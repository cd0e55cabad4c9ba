#!/usr/bin/env python3
"""Models in pods of their own: challenged, cut off from everybody, killed in the middle; same bytes as here.

    make challenge-e2e

Two models, one run for every case and one that serves many, both in nameplate's own image (any image with a
shell would do) and both asked by a small campaign. Their pods try to reach the store, the API server, DNS and
the world; one is deleted while it is asked. Every object is held against the same campaign run on this
machine.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from installation import ROOT, Site, call, same_bytes, say, until

NAMESPACE = "nameplate-challenge"
CAMPAIGN = ROOT / "tests" / "tiny.yaml"
MODELS = r"""
challenge:
  models:
    once:
      command: >-
        python3 -S -c "import sys, zlib;
        print(zlib.crc32(open(sys.argv[1], 'rb').read()) % 1000 / 1000)" {image}
    served:
      serve: >-
        python3 -S -u -c "import json, sys, time, zlib;
        [(time.sleep(0.2), print(zlib.crc32(open(json.loads(line)['image'], 'rb').read()) % 1000 / 1000))
        for line in sys.stdin]"
  grid: {radii_mm: [4.0, 8.0, 16.0], hu: [30.0], places: 1}
  resamples: 100
"""
VALUES = [
    f"models.{name}.{key}={value}"
    for name in ("once", "served")
    for key, value in (
        ("image", "nameplate/challenge:0.1.0"),
        ("resources.requests.cpu", "50m"),
        ("resources.requests.memory", "64Mi"),
        ("resources.limits.memory", "512Mi"),
    )
]
REACH = """
import socket, sys
host, port = sys.argv[1:]
try:
    socket.create_connection((host, int(port)), 5)
except OSError as error:
    print(type(error).__name__)
else:
    print("reached")
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="leave the namespace")
    options = parser.parse_args()
    site = Site(NAMESPACE)
    text = CAMPAIGN.read_text() + MODELS
    with site.visited(keep=options.keep) as folder:
        say("a campaign with a model that this installation does not have")
        site.install()
        refused = site.finish(site.submit("tiny", text=text), wanted="Failed")
        plan = next(pod for pod in site.pods(refused["metadata"]["name"], "plan"))
        said = [line for line in site.log(plan["metadata"]["name"]).splitlines() if "nameplate: " in line]
        say(f"  {said}")
        wanted = (
            "nameplate: challenge.models.once: this installation has no model of that name (there is none)"
        )
        assert any(line.startswith(wanted) for line in said), said

        say("install both, in a restricted namespace")
        site.install(*VALUES, create=False)
        unreachable(site)
        challenged(site, text, folder)
    say("all is well")
    return 0


def model_pods(site: Site, name: str) -> list[str]:
    """Names of a model's pods that run."""
    found = site.get("pods", "-l", f"nameplate.dev/model={name}", "--field-selector=status.phase=Running")
    return [pod["metadata"]["name"] for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]


def unreachable(site: Site) -> None:
    """Neither container of a model's pod gets anywhere."""
    say("what a model's pod can reach")
    (pod,) = model_pods(site, "once")
    service = site.get("service", "nameplate-minio")["spec"]["clusterIP"]
    api = json.loads(call("kubectl", "get", "endpointslice", "-n", "default", "kubernetes", "-o", "json"))
    address, port = api["endpoints"][0]["addresses"][0], str(api["ports"][0]["port"])
    names = site.kubectl("exec", pod, "-c", "model", "--", "cat", "/etc/resolv.conf")
    dns = next(line.split()[1] for line in names.splitlines() if line.startswith("nameserver"))
    for container in ("model", "attendant"):
        for what, host, number in (
            ("the store", service, "9000"),
            ("the API server", address, port),
            ("DNS", dns, "53"),
            ("the world", "1.1.1.1", "443"),
        ):
            command = ("python3", "-S", "-c", REACH, host, number)
            said = site.kubectl("exec", pod, "-c", container, "--", *command).strip()
            say(f"  {container}: {what}: {said}")
            assert said != "reached", (container, what)
    token = site.kubectl("exec", pod, "-c", "model", "--", "ls", "/var/run/secrets", check=False)
    assert not token.strip(), token


def challenged(site: Site, text: str, folder: Path) -> None:
    """The campaign, with a model's pod deleted in the middle; the same bytes as on this machine."""
    say("the campaign")
    workflow = site.submit("tiny", text=text)
    until(900, "a case of the served model", lambda: is_asked(site), 0.2)
    (pod,) = model_pods(site, "served")
    say(f"  {pod} is deleted while it is asked")
    site.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    site.finish(workflow)
    campaign = folder / "tiny.yaml"
    campaign.write_text(text)
    same_bytes(site, campaign, folder / "local")
    command = [sys.executable, "-m", "nameplate_local", "report", "tiny", "-n", NAMESPACE, "--out"]
    subprocess.run([*command, str(folder / "report")], check=True, cwd=ROOT)
    assert (folder / "report" / "challenge" / "study" / "served" / "index.html").is_file()


def is_asked(site: Site) -> bool:
    """Whether the served model's container has a case before it."""
    for pod in model_pods(site, "served"):
        listed = site.kubectl("exec", pod, "-c", "model", "--", "ls", "/exchange", check=False)
        if "case-" in listed:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
