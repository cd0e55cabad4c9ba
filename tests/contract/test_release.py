"""scripts/release: what it refuses, what it says of an image, and the chart that names images by digest."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from chart import CHART, HELM, ROOT, every_pod, helm
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from scripts import script

DIGEST = "sha256:" + "5b" * 32
BASE = f"python:3.11-slim-bookworm@{DIGEST}"
CHART_TEXT = (CHART / "Chart.yaml").read_text()


@pytest.fixture(scope="module")
def release() -> ModuleType:
    return script("release")


def test_a_clean_tagged_commit_may_be_released(release: ModuleType) -> None:
    assert release.problems("0.1.0", CHART_TEXT, "", "v0.1.0\nlatest\n", BASE) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"version": "0.2.0", "tags": "v0.2.0"}, "Chart.yaml: version: expected 0.2.0, as in pyproject.toml"),
        ({"changes": " M README.md\n?? x\n"}, "the checkout has changes: README.md, x"),
        ({"tags": "v0.1.0-rc1"}, "the commit has no tag v0.1.0"),
        ({"base": "python:3.11-slim-bookworm"}, "python:3.11-slim-bookworm: expected a digest behind it"),
    ],
)
def test_what_a_release_needs(release: ModuleType, changed: dict[str, str], said: str) -> None:
    facts = {"version": "0.1.0", "chart": CHART_TEXT, "changes": "", "tags": "v0.1.0", "base": BASE}
    found = release.problems(**{**facts, **changed})
    assert any(line.startswith(said) for line in found), found


def test_the_versions_of_this_checkout_agree(release: ModuleType) -> None:
    version = re.search(r'^version = "(\S+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert release.problems(version[1], CHART_TEXT, "", f"v{version[1]}", BASE) == []


def test_annotations_say_where_an_image_is_from(release: ModuleType) -> None:
    said = release.annotations("0.1.0", "411117d", 1_795_809_474, "https://forge.example.org/n", "What?")
    assert {key.removeprefix("org.opencontainers.image."): value for key, value in said.items()} == {
        "title": "nameplate-SERVICE",
        "description": "What?",
        "licenses": "Apache-2.0",
        "version": "0.1.0",
        "revision": "411117d",
        "created": "2026-11-27T19:57:54Z",
        "source": "https://forge.example.org/n",
    }
    assert "org.opencontainers.image.source" not in release.annotations("0.1.0", "4", 0, "", "What?")


def test_the_lock_is_one_image(release: ModuleType) -> None:
    assert release.locked((ROOT / "images.lock").read_text()).startswith("python:3.11-slim-bookworm")
    with pytest.raises(release.Refused, match="expected one line with an image, got 2"):
        release.locked("# a comment\na:1\nb:2\n")


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("python:3.11", ("registry-1.docker.io", "library/python", "3.11")),
        ("site/python", ("registry-1.docker.io", "site/python", "latest")),
        (f"localhost/a/b:1@{DIGEST}", ("localhost", "a/b", "1")),
        ("registry.example.org:5000/hub/python:3", ("registry.example.org:5000", "hub/python", "3")),
    ],
)
def test_the_parts_of_a_name(release: ModuleType, image: str, parts: tuple[str, str, str]) -> None:
    assert release.parts_of(image) == parts


class Registry(BaseHTTPRequestHandler):
    """As Docker Hub: nobody without a token, which anybody is given."""

    def do_GET(self) -> None:
        assert self.path == "/token?service=hub&scope=repository%3Alibrary%2Fpython%3Apull"
        self._answer(200, body=json.dumps({"token": "t0ken"}).encode())

    def do_HEAD(self) -> None:
        if self.headers.get("Authorization") != "Bearer t0ken":
            port = self.server.server_address[1]
            scope = "repository:library/python:pull"
            asked = f'Bearer realm="http://127.0.0.1:{port}/token",service="hub",scope="{scope}"'
            self._answer(401, {"WWW-Authenticate": asked})
        elif self.path != "/v2/library/python/manifests/3.11-slim-bookworm":
            self._answer(404)
        else:
            assert "oci.image.index" in self.headers["Accept"]
            self._answer(200, {"Docker-Content-Digest": DIGEST})

    def _answer(self, code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(code)
        for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def registry() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_the_lock_is_filled_by_what_the_registry_says(
    release: ModuleType, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "images.lock"
    lock.write_text("# Why.\npython:3.11-slim-bookworm\n")
    monkeypatch.setattr(release, "LOCK", lock)
    mirror = f"{registry}/library/python:3.11-slim-bookworm"
    monkeypatch.setenv("PYTHON_IMAGE", mirror)
    release.pin(plain_http=True)
    assert lock.read_text() == f"# Why.\n{mirror}@{DIGEST}\n"
    monkeypatch.delenv("PYTHON_IMAGE")
    release.pin(plain_http=True)
    assert lock.read_text() == f"# Why.\n{mirror}@{DIGEST}\n"


def test_an_image_that_is_not_there(release: ModuleType, registry: str) -> None:
    with pytest.raises(release.Refused, match="its registry answered 404"):
        release.digest_at_registry(f"{registry}/library/python:4", plain_http=True)


@pytest.mark.skipif(HELM is None, reason="no helm program")
def test_the_chart_of_a_release_names_every_image_by_digest(release: ModuleType, tmp_path: Path) -> None:
    assert HELM is not None
    tags = {name: f"0.1.0@{DIGEST}" for name in release.services() if name != "local"}
    text = release.values_of_release(
        (CHART / "values.yaml").read_text(), "registry.example.org/research", "nameplate-SERVICE", tags
    )
    values = tmp_path / "values.yaml"
    values.write_text(text)
    ran = helm("template", "nameplate", str(CHART), "-f", str(values))
    assert ran.returncode == 0, ran.stderr
    objects = [thing for thing in yaml.safe_load_all(ran.stdout) if thing]
    images = {c["image"] for _, pod, _ in every_pod(objects) for c in pod["containers"] if "image" in c}
    ours = {image for image in images if "minio" not in image}
    assert len(ours) == len(tags)
    for image in ours:
        assert re.fullmatch(rf"registry\.example\.org/research/nameplate-\w+:0\.1\.0@{DIGEST}", image), image
    assert [image.partition("/")[0] for image in images - ours] == ["quay.io"]


def test_a_list_of_packages_is_cyclonedx() -> None:
    packages = script("image-packages")
    found = {
        "rows": [
            ["debian", "libc6", "2.36-9+deb12u1", "LGPL-2.1", False],
            ["python", "Jinja2", "3.1.6", "BSD-3-Clause", True],
            ["python", "argo-workflows", "6.7.18", "?", False],
            ["python", "nobody_knows", "1", "?", False],
            ["python", "pip", "23.0", "MIT", False],
            ["python", "pip", "23.0", "MIT", False],
        ],
        "system": ["debian", "12"],
    }
    made = packages.cyclonedx("registry.example.org/nameplate/training:0.1.0", found, "2026-11-27T19:57:54Z")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made)) is None
    assert [part["purl"] for part in made["components"]] == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?distro=debian-12",
        "pkg:pypi/jinja2@3.1.6",
        "pkg:pypi/argo-workflows@6.7.18",
        "pkg:pypi/nobody-knows@1",
        "pkg:pypi/pip@23.0",
    ]
    licences = [part.get("licenses") for part in made["components"]]
    assert licences[1] == [{"expression": "BSD-3-Clause"}]
    assert licences[2] == [{"license": {"name": "Apache-2.0 (says its repository)"}}]
    assert licences[3] is None
    again = packages.cyclonedx("registry.example.org/nameplate/training:0.1.0", found, None)
    assert again["serialNumber"] == made["serialNumber"]
