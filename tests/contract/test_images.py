"""Images are built from what a site has: mirrors, index, authority and proxy; and hold nothing of them."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from scripts import ROOT

FILES = [ROOT / "Dockerfile.base", *sorted(ROOT.glob("services/*/Dockerfile"))]
MOUNTS = "--mount=type=secret,id=pip.conf --mount=type=secret,id=pip.crt"
INDEX = "https://reader:s3kr1t@pypi.example.org/simple"
BUILDER = """\
#!/usr/bin/env bash
# Says what it is called with, and what the files behind the secrets hold.
echo "called: $*"
echo "BuildKit: ${DOCKER_BUILDKIT:-}"
for part in "$@"; do
  case $before$part in --secretid=*) echo "secret ${part%%,*}:"; cat "${part#*src=}" ;; esac
  before=$part
done
"""
"""In a builder's place; a build of a real one takes a minute."""


@pytest.fixture
def builder(tmp_path: Path) -> Path:
    program = tmp_path / "builder"
    program.write_text(BUILDER)
    program.chmod(0o755)
    return program


def images(builder: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "IMAGE_", "TORCH_", "PYTHON_IMAGE"))
    }
    return subprocess.run(
        [ROOT / "scripts" / "images", *arguments],
        env={**kept, "IMAGE_BUILDER": str(builder), **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def calls(ran: "subprocess.CompletedProcess[str]") -> list[str]:
    assert ran.returncode == 0, ran.stderr
    return [line.removeprefix("called: ") for line in ran.stdout.splitlines() if line.startswith("called: ")]


def test_without_settings_a_build_is_told_nothing_of_a_mirror(builder: Path) -> None:
    ran = images(builder, "phantom")
    base, phantom = calls(ran)
    locked = (ROOT / "images.lock").read_text().splitlines()[-1]
    assert base == f"nameplate/base:0.1.0 . -f Dockerfile.base --build-arg PYTHON={locked}"
    assert phantom.startswith("nameplate/phantom:0.1.0 . -f services/phantom/Dockerfile --build-arg BASE=")
    assert "secret" not in ran.stdout


def test_what_pip_is_told_comes_as_a_file_and_in_no_argument(builder: Path, tmp_path: Path) -> None:
    authority = tmp_path / "site.crt"
    authority.write_text("-- a certificate --\n")
    told = {"PIP_INDEX_URL": INDEX, "PIP_TRUSTED_HOST": "pypi.example.org", "PIP_CERT": str(authority)}
    ran = images(builder, "training", **told)
    for call in calls(ran):
        assert "s3kr1t" not in call
    expected = (
        f"[global]\nindex-url = {INDEX}\ntrusted-host = pypi.example.org\ncert = /run/secrets/pip.crt\n"
    )
    assert ran.stdout.count(f"secret id=pip.conf:\n{expected}") == 2
    assert ran.stdout.count("secret id=pip.crt:\n-- a certificate --\n") == 2


def test_another_image_of_python_and_options_for_the_builder(builder: Path) -> None:
    python = "registry.example.org/hub/library/python:3.11-slim-bookworm"
    base, phantom = calls(
        images(builder, "phantom", "--", "--label", "t=nameplate-SERVICE", PYTHON_IMAGE=python)
    )
    assert f"PYTHON={python} --label t=nameplate-base" in base
    assert phantom.endswith(" --label t=nameplate-phantom")


def test_base_alone(builder: Path) -> None:
    assert len(calls(images(builder, "base"))) == 1


def test_docker_is_given_the_proxy_by_name_alone(builder: Path) -> None:
    docker = builder.rename(builder.with_name("docker"))
    ran = images(docker, "phantom", HTTPS_PROXY="http://me:s3kr1t@proxy:3128", NO_PROXY="")
    base, _ = calls(ran)
    assert "BuildKit: 1\n" in ran.stdout
    assert "--build-arg HTTPS_PROXY" in base
    assert "s3kr1t" not in base
    assert "NO_PROXY" not in base


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["trainning"], {}, "images: trainning: expected a service: "),
        ([], {"IMAGE_NAME": "mine"}, "images: IMAGE_NAME: expected SERVICE in it"),
        (
            [],
            {"TORCH_INDEX": "https://me:pw@pypi.example.org"},
            "images: TORCH_INDEX: expected no account in it",
        ),
        ([], {"PIP_CERT": "/not/there"}, "images: PIP_CERT: /not/there: expected a file that can be read"),
    ],
)
def test_a_mistake_is_named(builder: Path, arguments: list[str], settings: dict[str, str], said: str) -> None:
    ran = images(builder, *arguments, **settings)
    assert ran.returncode == 2
    assert ran.stderr.startswith(said)
    assert len(ran.stderr.splitlines()) == 1
    assert "pw" not in ran.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.parent.name)
def test_every_command_that_asks_an_index_has_the_secrets(file: Path) -> None:
    commands = re.findall(r"^RUN ((?:.*\\\n)*.*)", file.read_text(), re.MULTILINE)
    asking = [command for command in commands if "pip install" in command]
    assert asking
    for command in asking:
        assert command.startswith(MOUNTS), command
    for line in file.read_text().splitlines():
        assert not re.match(r"(ARG|ENV) .*(INDEX_URL|PROXY|CERT\b)", line), "it would stay in the image"


def test_the_lock_names_what_a_build_without_scripts_starts_from() -> None:
    default = re.search(r"^ARG PYTHON=(\S+)$", FILES[0].read_text(), re.MULTILINE)
    locked = (ROOT / "images.lock").read_text().splitlines()[-1]
    assert default
    assert re.fullmatch(re.escape(default[1]) + "(@sha256:[0-9a-f]{64})?", locked)
