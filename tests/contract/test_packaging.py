"""One name everywhere: folder, extra, script, package; and each service stands on its own extra."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

from nameplate.plan.pipeline import SERVICES, STEPS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

PARTS = (*SERVICES, "challenge", "cluster", "local")
"""Everything that is a folder, an extra, a script and an image of one name; not all do steps."""


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=\[]", requirement)[0].strip() for requirement in requirements}


def _extra(name: str) -> set[str]:
    return _names(PROJECT["optional-dependencies"][name])


BASE = _names(PROJECT["dependencies"])
EXTRAS = {name for part in PARTS for name in _extra(part)} | BASE
PROVIDED = packages_distributions()
"""Import names, and the distributions that bring them."""


def _with_their_own(packages: set[str]) -> set[str]:
    """These packages and what they bring with them."""
    found, ahead = set[str](), {package.lower() for package in packages}
    while ahead:
        package = ahead.pop()
        found.add(package)
        try:
            needed = [text for text in requires(package) or [] if "extra ==" not in text]
        except PackageNotFoundError:  # needed on another system
            continue
        ahead |= {re.split(r"[^A-Za-z0-9._-]", text)[0].lower() for text in needed} - found
    return found


def _modules_of(packages: set[str]) -> set[str]:
    """Import names of what these packages bring."""
    wanted = {package.lower() for package in packages}
    return {module for module, brought_by in PROVIDED.items() if wanted & {d.lower() for d in brought_by}}


def _imported(folder: Path) -> set[str]:
    """Import names at the top of what the Python files of a folder import, anywhere in them."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    known = {*sys.stdlib_module_names, *(f"nameplate_{part}" for part in PARTS), "nameplate"}
    return found - known


def test_services_are_folders_extras_and_scripts_of_one_name() -> None:
    folders = {path.name for path in (ROOT / "services").iterdir() if path.is_dir()}
    assert folders == set(PARTS)
    for service in PARTS:
        assert service in PROJECT["optional-dependencies"]
        assert PROJECT["scripts"][f"nameplate-{service}"] == f"nameplate_{service}.cli:main"
        assert (ROOT / "services" / service / "README.md").stat().st_size > 500
        assert f"nameplate/{service}:" in (ROOT / "services" / service / "Dockerfile").read_text()


def _packages_of(modules: set[str]) -> set[str]:
    """What must be installed for these imports, by the names of the extras."""
    return {name for name in EXTRAS if _modules_of({name}) & modules}


def test_the_shared_library_declares_what_it_imports_and_nothing_else() -> None:
    assert _packages_of(_imported(ROOT / "shared")) == BASE


@pytest.mark.parametrize("service", PARTS)
def test_an_extra_holds_what_its_service_imports_and_nothing_else(service: str) -> None:
    imported = _imported(ROOT / "services" / service)
    assert imported <= _modules_of(EXTRAS), "an import that nothing declares"
    assert _packages_of(imported) - BASE == _extra(service)


def test_the_report_needs_no_torch() -> None:
    assert not {"torch", "monai"} & _extra("evaluation")


@pytest.mark.parametrize("service", PARTS)
def test_a_service_runs_with_its_own_extra_alone(service: str) -> None:
    """Its steps and its command import with everything blocked that other extras bring."""
    blocked = sorted(_modules_of(EXTRAS) - _modules_of(_with_their_own(BASE | _extra(service))))
    entries = [step.entry for step in STEPS if step.service == service]
    code = f"""
import importlib, importlib.util, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
for entry in {entries!r}:
    module, _, function = entry.partition(":")
    assert callable(getattr(importlib.import_module(module), function))
if importlib.util.find_spec("nameplate_{service}.command"):
    importlib.import_module("nameplate_{service}.command")
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
        if service == "local":
            continue  # it holds them all
        text = (ROOT / "services" / service / "Dockerfile").read_text()
        texts["ARG TORCH_INDEX" in text].add(text.replace(service, "SERVICE"))
        assert ("ARG TORCH_INDEX" in text) == ("torch" in _extra(service))
    assert {kind: len(found) for kind, found in texts.items()} == {True: 1, False: 1}
