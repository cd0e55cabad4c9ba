"""One name everywhere: folder, extra, script, package; and each service stands on its own extra."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from nameplate.plan.pipeline import SERVICES, STEPS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Import names of what the extras bring; whatever is not in a service's extra is blocked for it.
MODULES = {
    "torch": "torch",
    "monai": "monai",
    "pydicom": "pydicom",
    "python-gdcm": "gdcm",
    "opencv-python-headless": "cv2",
    "matplotlib": "matplotlib",
    "jinja2": "jinja2",
    "scikit-learn": "sklearn",
    "kubernetes": "kubernetes",
    "argo-workflows": "argo_workflows",
}

PARTS = (*SERVICES, "cluster")
"""Everything that is a folder, an extra, a script and an image of one name; not all do steps."""


def _extra(name: str) -> set[str]:
    return {requirement.split(">")[0].strip() for requirement in PROJECT["optional-dependencies"][name]}


def test_services_are_folders_extras_and_scripts_of_one_name() -> None:
    folders = {path.name for path in (ROOT / "services").iterdir() if path.is_dir()}
    assert folders == set(PARTS)
    for service in PARTS:
        assert service in PROJECT["optional-dependencies"]
        assert PROJECT["scripts"][f"nameplate-{service}"] == f"nameplate_{service}.cli:main"
        assert (ROOT / "services" / service / "README.md").stat().st_size > 500
        assert f"nameplate/{service}:" in (ROOT / "services" / service / "Dockerfile").read_text()


def test_every_extra_is_known_here() -> None:
    for service in PARTS:
        assert _extra(service) <= set(MODULES), service


@pytest.mark.parametrize("service", PARTS)
def test_a_service_runs_with_its_own_extra_alone(service: str) -> None:
    """Its steps and its verb import with everything blocked that other extras bring."""
    blocked = sorted(module for package, module in MODULES.items() if package not in _extra(service))
    entries = [step.entry for step in STEPS if step.service == service]
    code = f"""
import importlib, importlib.util, sys
for name in {blocked!r}:
    sys.modules[name] = None
for entry in {entries!r}:
    module, _, function = entry.partition(":")
    assert callable(getattr(importlib.import_module(module), function))
if importlib.util.find_spec("nameplate_{service}.verb"):
    importlib.import_module("nameplate_{service}.verb")
from nameplate_{service}.cli import main
sys.argv = ["nameplate-{service}", "--help"]
sys.exit(main())
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "example:" in ran.stdout


@pytest.mark.parametrize("service", ["ingest", "training"])
def test_a_tree_of_one_service_builds_a_wheel_of_just_that(service: str, tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "shared", tmp_path / "shared", ignore=ignore)
    shutil.copytree(ROOT / "services" / service, tmp_path / "services" / service, ignore=ignore)
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"nameplate", f"nameplate_{service}"}


def test_the_dockerfiles_differ_in_the_service_alone() -> None:
    """One short file a service, by one pattern; those with torch say also where it comes from."""
    texts: dict[bool, set[str]] = {True: set(), False: set()}
    for service in PARTS:
        text = (ROOT / "services" / service / "Dockerfile").read_text()
        texts["ARG TORCH_INDEX" in text].add(text.replace(service, "SERVICE"))
        assert ("ARG TORCH_INDEX" in text) == ("torch" in _extra(service))
    assert {kind: len(found) for kind, found in texts.items()} == {True: 1, False: 1}
