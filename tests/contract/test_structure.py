"""The structure of the product code is what ARCHITECTURE.md draws, and scripts/structure sees what is not."""

import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "structure"

TREE = {
    "shared/nameplate/__init__.py": '__version__ = "1"\n',
    "shared/nameplate/errors.py": "class UserError(Exception): ...\n",
    "shared/nameplate/store/__init__.py": "from nameplate.store.s3 import UserError\n",
    "shared/nameplate/store/s3.py": "import nameplate\nfrom nameplate.errors import UserError\n",
    "shared/nameplate/job/__init__.py": "",
    "shared/nameplate/job/run.py": "from nameplate.store import UserError\n",
    "services/ingest/nameplate_ingest/__init__.py": "",
    "services/ingest/nameplate_ingest/cli.py": "from nameplate.job import run\n",
    "services/local/nameplate_local/__init__.py": "",
    "services/local/nameplate_local/cli.py": "import importlib as i\n\ni.import_module('nameplate_ingest')\n",
    "services/local/tests/test_cli.py": "import nameplate_local.cli\n",
}
"""A small product without a breach."""
PICTURE = "# Architecture\n\n```rooms\nlocal\ningest\njob\nstore\nerrors\n```\n"


@pytest.fixture(scope="module")
def structure() -> ModuleType:
    loader = SourceFileLoader("structure", str(SCRIPT))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        write(tmp_path, name, text)
    (tmp_path / "ARCHITECTURE.md").write_text(PICTURE)
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_product_is_built_as_it_is_drawn() -> None:
    ran = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    figures = dict(re.findall(r"^([a-z ]+?)  +(\d+)", ran.stdout, re.MULTILINE))
    files = [path for top in ("shared", "services") for path in (ROOT / top).rglob("*.py")]
    block = (ROOT / "ARCHITECTURE.md").read_text().partition("```rooms\n")[2].partition("```")[0]
    assert int(figures["files"]) == len(files)
    assert int(figures["lines"]) == sum(path.read_bytes().count(b"\n") for path in files)
    assert int(figures["rooms"]) == len(block.split())
    assert int(figures["floors"]) == len(block.splitlines())
    assert figures["climbing imports"] == figures["circles"] == "0"
    assert int(figures["longest file"]) == max(path.read_bytes().count(b"\n") for path in files)
    for room in block.split():
        assert re.search(rf"^ +\d+  {room} +\d+ +\d+  ", ran.stdout, re.MULTILINE), room


def test_a_tree_without_a_breach_passes(
    structure: ModuleType, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert structure.main(tree, {}) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert re.search(r"^files +10$", said.out, re.MULTILINE)
    assert re.search(r"^rooms +5, 3 of them shared$", said.out, re.MULTILINE)
    assert re.search(r"^ +1  local +2 +3  ingest$", said.out, re.MULTILINE)
    assert re.search(r"^ +4  store +2 +3  errors$", said.out, re.MULTILINE)


def test_each_breach_is_a_line_and_the_exit_says_so(
    structure: ModuleType, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tree, "shared/nameplate/errors.py", "import nameplate.job.run\n" + "\n" * 300)
    assert structure.main(tree, {}) == 1
    climbing, rooms, modules, long = capsys.readouterr().err.splitlines()
    assert climbing == "shared/nameplate/errors.py:1: errors imports nameplate.job.run, above it"
    assert rooms.startswith("circle of rooms: ")
    assert modules.startswith("circle of modules: ")
    assert long == "shared/nameplate/errors.py: 301 lines, at most 300"


@pytest.mark.parametrize(
    "text",
    [
        "from nameplate.job.run import x",
        "from nameplate.job import run",
        "import nameplate.job.run",
        "from ..job import run",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from nameplate.job.run import x",
        "def later():\n    from nameplate.job import run",
        'import importlib\nwork = importlib.import_module("nameplate.job.run").x',
        'from importlib import import_module\nwork = import_module(name="nameplate.job.run")',
        'import importlib.util\nthere = importlib.util.find_spec("nameplate.job.run") is not None',
    ],
)
def test_an_import_that_climbs(structure: ModuleType, tree: Path, text: str) -> None:
    write(tree, "shared/nameplate/store/directory.py", text)
    line = len(text.splitlines())
    assert structure.breaches_of(tree, {})[0] == (
        f"shared/nameplate/store/directory.py:{line}: store imports nameplate.job.run, above it"
    )


def test_a_service_knows_no_other(structure: ModuleType, tree: Path) -> None:
    name = "services/phantom/nameplate_phantom/series.py"
    write(tree, name, "import nameplate_ingest.cli\n")
    (tree / "ARCHITECTURE.md").write_text(PICTURE.replace("ingest", "ingest phantom"))
    assert structure.breaches_of(tree, {}) == [
        f"{name}:1: phantom imports nameplate_ingest.cli, on its own floor"
    ]


def test_the_library_itself_imports_no_room(structure: ModuleType, tree: Path) -> None:
    write(tree, "shared/nameplate/__init__.py", "from nameplate.errors import UserError\n")
    assert structure.breaches_of(tree, {}) == [
        "shared/nameplate/__init__.py:1: nameplate imports nameplate.errors, above it"
    ]


def test_a_circle_of_modules(structure: ModuleType, tree: Path) -> None:
    write(tree, "shared/nameplate/job/a.py", "import nameplate.job.b\n")
    write(tree, "shared/nameplate/job/b.py", "import nameplate.job.c\n")
    write(tree, "shared/nameplate/job/c.py", "def later():\n    from nameplate.job.a import x\n")
    (found,) = structure.breaches_of(tree, {})
    assert found == (
        "circle of modules: nameplate.job.a imports nameplate.job.b (shared/nameplate/job/a.py:1), "
        "nameplate.job.b imports nameplate.job.c (shared/nameplate/job/b.py:1), "
        "nameplate.job.c imports nameplate.job.a (shared/nameplate/job/c.py:2)"
    )


def test_a_module_that_imports_its_package_back(structure: ModuleType, tree: Path) -> None:
    write(tree, "shared/nameplate/store/s3.py", "from nameplate.store import check_key\n")
    (found,) = structure.breaches_of(tree, {})
    assert found.startswith("circle of modules: nameplate.store imports nameplate.store.s3 ")
    assert "nameplate.store.s3 imports nameplate.store (shared/nameplate/store/s3.py:1)" in found


def test_a_circle_of_rooms_whose_modules_make_none(structure: ModuleType, tree: Path) -> None:
    write(tree, "shared/nameplate/store/directory.py", "import nameplate.job.state\n")
    write(tree, "shared/nameplate/job/state.py", "")
    climbing, circle = structure.breaches_of(tree, {})
    assert climbing.startswith("shared/nameplate/store/directory.py:1: ")
    assert circle == (
        "circle of rooms: job imports store (shared/nameplate/job/run.py:1), "
        "store imports job (shared/nameplate/store/directory.py:1)"
    )


def test_too_many_rooms(structure: ModuleType, tree: Path) -> None:
    more = [f"room{number}" for number in range(11)]
    (tree / "ARCHITECTURE.md").write_text(PICTURE.replace("errors", " ".join(["errors", *more])))
    for name in more:
        write(tree, f"shared/nameplate/{name}.py", "")
    assert structure.breaches_of(tree, {}) == []  # 14 now
    (tree / "ARCHITECTURE.md").write_text(PICTURE.replace("errors", " ".join(["errors", *more, "last"])))
    write(tree, "shared/nameplate/last/__init__.py", "")
    assert structure.breaches_of(tree, {}) == ["shared/nameplate: 15 rooms at the top, at most 14"]


def test_a_room_and_the_picture_that_do_not_match(structure: ModuleType, tree: Path) -> None:
    (tree / "ARCHITECTURE.md").write_text(PICTURE.replace("job\n", "job\nattic job\n"))
    write(tree, "shared/nameplate/streams.py", "import nameplate.job.run\n")
    write(tree, "services/ingest/setup.py", "")
    assert structure.breaches_of(tree, {}) == [
        "services/ingest/setup.py: is in no room",
        "ARCHITECTURE.md: room streams is missing",
        "ARCHITECTURE.md: there is no room attic",
        "ARCHITECTURE.md: room job appears more than once",
    ]


def test_no_picture(structure: ModuleType, tree: Path) -> None:
    (tree / "ARCHITECTURE.md").write_text("```\nlocal\n```\n")
    assert structure.breaches_of(tree, {}) == [
        "ARCHITECTURE.md: no picture of rooms, expected a block ```rooms"
    ]


def test_a_long_file(structure: ModuleType, tree: Path) -> None:
    name = "shared/nameplate/job/run.py"
    write(tree, name, "x = 1\n" * 300)
    assert structure.breaches_of(tree, {}) == []
    assert structure.breaches_of(tree, {name: "a reason"}) == [
        f"{name}: LONGER excuses it in scripts/structure, but it is not over 300 lines"
    ]
    write(tree, name, "x = 1\n" * 301)
    assert structure.breaches_of(tree, {}) == [f"{name}: 301 lines, at most 300"]
    assert structure.breaches_of(tree, {name: "a reason"}) == []


def test_an_excuse_for_a_file_that_is_gone(structure: ModuleType, tree: Path) -> None:
    (found,) = structure.breaches_of(tree, {"shared/nameplate/gone.py": "a reason"})
    assert found.startswith("shared/nameplate/gone.py: ")
