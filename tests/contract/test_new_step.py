"""Adding a step with a service of its own is the list in CONTRIBUTING.md, and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from chart import HELM, ROOT

STEP = '''\
"""Step ``denoise``: one shard's exams, smoothed."""

from collections.abc import Iterator

from nameplate.records import Record
from nameplate.steps.files import Rows
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step


class Smoothed(Record):
    """What was smoothed."""

    exam: str
    volume_ml: float


SMOOTHED = Rows("cohorts/{cohort}/smoothed/{shard:03d}.jsonl", Smoothed)
"""The exams of one shard."""


class DenoiseJob(CohortJobSettings):
    """Settings of one job."""

    shard: int


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job per shard."""
    for shard, stripped in enumerate(plan.ids("skullstrip")):
        yield STEP.job(DenoiseJob(cohort=plan.cohort, shard=shard), [stripped])


STEP = Step(
    name="denoise",
    service="denoise",
    settings=DenoiseJob,
    id="{job.cohort}/{job.shard:03d}",
    needs=("skullstrip",),
    jobs=jobs,
    version=1,
    memory_mib=700,
)
'''
FUNCTION = '''\
"""The step ``denoise``."""

from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.denoise import SMOOTHED, DenoiseJob, Smoothed
from nameplate.steps.skullstrip import REPORTS


def denoise(job: DenoiseJob, inputs: Inputs, outputs: Outputs) -> None:
    """Smooth the shard's exams."""
    reports = REPORTS.read(inputs, cohort=job.cohort, shard=job.shard)
    rows = [Smoothed(exam=report.exam, volume_ml=report.volume_ml) for report in reports]
    SMOOTHED.write(outputs, rows, cohort=job.cohort, shard=job.shard)
'''


def _listed_places() -> list[str]:
    """What CONTRIBUTING.md names outside the service's own folder."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## Adding a step")[2]
    return re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new))


def _files(tree: Path) -> dict[str, bytes]:
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """A copy of the repository with the new step, and what was changed by hand outside the service."""
    tree = tmp_path_factory.mktemp("repository")
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for folder in ("shared", "services", "charts", "scripts", "campaigns", "argo", "k8s"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignore)
    for file in ("pyproject.toml", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / file, tree)
    before = _files(tree)

    package = tree / "services/denoise/nameplate_denoise"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Smooths exams."""\n')
    (package / "py.typed").touch()
    (package / "denoise_step.py").write_text(FUNCTION)
    cli = (ROOT / "services/phantom/nameplate_phantom/cli.py").read_text()
    (package / "cli.py").write_text(cli.replace("phantom", "denoise"))

    (tree / "shared/nameplate/steps/denoise.py").write_text(STEP)
    pipeline = tree / "shared/nameplate/plan/pipeline.py"
    _replace(pipeline, "    cohort,\n    detection,", "    cohort,\n    denoise,\n    detection,")
    _replace(pipeline, "    skullstrip.STEP,\n", "    skullstrip.STEP,\n    denoise.STEP,\n")
    project = tree / "pyproject.toml"
    _replace(project, "synthesis = []\n", "synthesis = []\ndenoise = []\n")
    script = 'nameplate-phantom = "nameplate_phantom.cli:main"\n'
    _replace(project, script, script + script.replace("phantom", "denoise"))
    _replace(
        project,
        '    "services/phantom/nameplate_phantom",\n',
        '    "services/phantom/nameplate_phantom",\n    "services/denoise/nameplate_denoise",\n',
    )
    picture = tree / "ARCHITECTURE.md"
    _replace(picture, "phantom ingest skullstrip synthesis", "phantom denoise ingest skullstrip synthesis")

    after = _files(tree)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return tree, {name for name in changed if not name.startswith("services/denoise/")}


def _python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    places = [tree / "shared", *(tree / "services").iterdir()]
    path = f"{Path(HELM).parent if HELM else ''}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True, text=True, check=False, cwd=tree,
        env={**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(map(str, places))},
    )  # fmt: skip


def test_the_list_is_complete_and_has_at_most_four_places(tree: tuple[Path, set[str]]) -> None:
    assert sorted(tree[1]) == sorted(_listed_places())
    assert len(tree[1]) <= 4


def test_the_structure_still_holds(tree: tuple[Path, set[str]]) -> None:
    ran = _python(tree[0], "scripts/structure")
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_a_job_of_the_new_step_runs_and_later_steps_follow(
    tree: tuple[Path, set[str]], tmp_path: Path
) -> None:
    store = tmp_path / "store"
    campaign = str(ROOT / "tests" / "tiny.yaml")
    planned = _python(tree[0], "-m", "nameplate_local", "plan", campaign, "--jobs")
    assert "denoise/study/001" in planned.stdout.splitlines()
    from nameplate.campaign import load_campaign
    from nameplate.job.committed import put_campaign
    from nameplate.store import open_store

    put_campaign(open_store(str(store)), load_campaign(Path(campaign)), Path(campaign).read_text())
    for step in ("phantom", "ingest", "skullstrip", "denoise"):
        code = f"import sys; from nameplate_{step}.cli import main; sys.exit(main())"
        ran = _python(tree[0], "-c", code, "chunk", f"{step}/study/000+1", "--store", str(store))
        assert ran.returncode == 0, ran.stderr
    rows = [json.loads(row) for row in (store / "cohorts/study/smoothed/000.jsonl").read_text().splitlines()]
    assert len(rows) > 20
    assert (store / "jobs/denoise/study/000.json").is_file()


@pytest.mark.skipif(HELM is None, reason="no helm program")
def test_the_chart_follows(tree: tuple[Path, set[str]]) -> None:
    ran = _python(tree[0], "scripts/render")
    assert ran.returncode == 0, ran.stderr
    things = list(yaml.safe_load_all((tree[0] / "k8s/workflows.yaml").read_text()))
    by_name = {thing["metadata"]["name"]: thing for thing in things}
    (pod,) = by_name["nameplate-denoise"]["spec"]["templates"]
    assert pod["container"]["command"] == ["nameplate-denoise", "chunk"]
    assert pod["container"]["image"] == "nameplate/denoise:0.1.0"
    assert pod["container"]["resources"]["limits"] == {"memory": "1400Mi"}
    tasks = by_name["nameplate-campaign"]["spec"]["templates"][0]["dag"]["tasks"]
    names = [task["name"] for task in tasks]
    assert names[names.index("denoise") - 1] == "skullstrip"
    assert tasks[names.index("denoise")]["depends"] == "skullstrip"
    assert tasks[names.index("cohort")]["depends"] == "denoise"
    assert (tree[0] / "argo/denoise.yaml").is_file()
