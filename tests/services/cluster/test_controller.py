from typing import Any

import pytest

from nameplate_cluster.controller import (
    Controller,
    controller_notes,
    controller_of,
    controller_problems,
    executor_settings,
    settings_of,
)


def pod(*options: str, image: str = "quay.io/argoproj/workflow-controller:v4.0.7", **env: str) -> Any:
    container = {
        "image": image,
        "command": ["workflow-controller"],
        "args": list(options),
        "env": [{"name": name, "value": value} for name, value in env.items()],
    }
    return {"metadata": {"namespace": "argo"}, "spec": {"containers": [{"image": "mesh:1"}, container]}}


def argo(
    place: str = "argo", watches: str | None = None, version: str = "4.0.7", **settings: Any
) -> Controller:
    return Controller(place=f"the namespace {place}", watches=watches, version=version, settings=settings)


@pytest.mark.parametrize(
    ("made", "watches"),
    [
        (pod(), None),
        (pod("--loglevel", "warn"), None),
        (pod("--namespaced"), "argo"),
        (pod("--namespaced", "--managed-namespace", "ct"), "ct"),
        (pod("--managed-namespace=ct", "--namespaced=true"), "ct"),
        (pod(ARGO_NAMESPACED="true", ARGO_MANAGED_NAMESPACE="ct"), "ct"),
        (pod("--namespaced=false"), None),
    ],
)
def test_the_namespace_that_a_controller_watches(made: Any, watches: str | None) -> None:
    found = controller_of(made, {})
    assert (found.watches, found.version, found.place) == (watches, "4.0.7", "the namespace argo")


def test_a_version_that_the_image_does_not_say() -> None:
    unknown = controller_of(pod(image="registry/workflow-controller@sha256:12"), {})
    assert unknown.version == ""
    assert controller_problems([unknown], "ct", "") == []
    assert "version of Argo's controller in the namespace argo is not known" in controller_notes([unknown])[0]


@pytest.mark.parametrize(
    ("data", "settings"),
    [
        ({"config": "instanceID: a\nworkflowRestrictions: {templateReferencing: Strict}\n"}, "Strict"),
        ({"instanceID": "a", "workflowRestrictions": "templateReferencing: Strict\n"}, "Strict"),
    ],
)
def test_both_ways_to_write_a_configuration(data: dict[str, str], settings: str) -> None:
    found = settings_of(data)
    assert found["instanceID"] == "a"
    assert found["workflowRestrictions"]["templateReferencing"] == settings
    assert settings_of({}) == {}


def test_an_instance_id_that_no_controller_has() -> None:
    named, plain = argo(instanceID="ct-lab"), argo()
    assert controller_problems([plain], "ct", "") == []
    assert controller_problems([named], "ct", "ct-lab") == []
    assert controller_problems([named, plain], "ct", "") == []
    assert controller_problems([named], "ct", "") == [
        "workflows get no instance id, and Argo's controller in the namespace argo takes workflows of ct-lab "
        "alone: set to ct-lab workflow.instanceId in the chart's values (for one command: ARGO_INSTANCEID)"
    ]
    assert controller_problems([plain], "ct", "mine") == [
        "workflows get the instance id 'mine', and Argo's controller in the namespace argo has no instance "
        "id: leave empty workflow.instanceId in the chart's values (for one command: ARGO_INSTANCEID)"
    ]
    # Its configuration may not be read: nothing is known.
    hidden = Controller(place="the namespace argo", version="4.0.7")
    assert controller_problems([hidden], "ct", "mine") == []


def test_a_namespace_that_no_controller_watches() -> None:
    (problem,) = controller_problems([argo("a", "a"), argo("b", "c")], "ct", "")
    assert problem == (
        "no controller of Argo watches the namespace ct (that in the namespace a watches a alone; "
        "that in the namespace b watches c alone): install one that does"
    )
    assert controller_problems([argo("a", "a"), argo("b", "ct")], "ct", "") == []


def test_versions_too_old_and_too_new() -> None:
    (problem,) = controller_problems([argo(version="3.5.8")], "ct", "")
    assert "is 3.5.8, and the templates need 3.7 or newer" in problem
    assert controller_problems([argo(version="3.7.0"), argo(version="3.5.8")], "ct", "") == []
    assert "5.1.0, which has not been tried" in controller_notes([argo(version="5.1.0")])[0]
    assert controller_notes([argo()]) == []


def test_no_controller_and_one_in_secure_mode_are_told() -> None:
    assert controller_problems([], "ct", "") == []
    assert "is it running?" in controller_notes([])[0]
    (note,) = controller_notes([argo(workflowRestrictions={"templateReferencing": "Secure"})])
    assert "do not upgrade the chart meanwhile" in note
    assert controller_notes([argo(workflowRestrictions={"templateReferencing": "Strict"})]) == []


def test_what_argo_gives_to_containers_is_known_where_it_is_one_answer() -> None:
    given = {"executor": {"resources": {"limits": {"cpu": "1"}}}}
    assert executor_settings([argo(**given), argo("b", **given)]) == given
    assert executor_settings([argo(**given), argo()]) == {}
    assert executor_settings([]) == {}
