"""A cluster reached through its Kubernetes API: with a kubeconfig, or as the pod that this runs in."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes import client, config

from nameplate.errors import UserError
from nameplate_cluster.client import DEFAULT_NAMESPACE, Json, Shutdown, in_cluster_namespace
from nameplate_cluster.controller import (
    CONFIGURATION,
    SELECTORS,
    Controller,
    controller_of,
    flags_of,
    settings_of,
)
from nameplate_cluster.http_errors import NotAllowed, NotThere, refusal_of, unreachable_of

_CONNECT_S, _READ_S = 10.0, 60.0
_ARGO = {"group": "argoproj.io", "version": "v1alpha1"}
_LOGIN = "log in to the cluster again, or check the user of this kubeconfig"


class Kube:
    """One namespace, reached with the ``kubernetes`` client."""

    def __init__(self, api: Any, namespace: str, place: str) -> None:
        self.namespace = namespace
        self.place = place
        self._core = client.CoreV1Api(api)
        self._custom = client.CustomObjectsApi(api)
        self._auth = client.AuthenticationV1Api(api)

    @classmethod
    def connect(cls, namespace: str | None, context: str | None) -> "Kube":
        """With the kubeconfig if there is one (or a context is named), else with the pod's account."""
        if context is None and not _has_kubeconfig():
            try:
                configuration = client.Configuration()
                config.load_incluster_config(client_configuration=configuration)
            except config.ConfigException:
                raise UserError(
                    "no cluster to talk to: set KUBECONFIG (or ~/.kube/config), or ARGO_SERVER and ARGO_TOKEN"
                ) from None
            api = client.ApiClient(configuration)
            return cls(api, namespace or in_cluster_namespace() or DEFAULT_NAMESPACE, "the Kubernetes API")
        try:
            # Passed explicitly: the client reads KUBECONFIG only once, when it is imported.
            file = os.environ.get("KUBECONFIG") or None
            contexts, active = config.list_kube_config_contexts(config_file=file)
            known = {item["name"]: item for item in contexts}
            if context is not None and context not in known:
                offered = ", ".join(sorted(known)) or "none"
                raise UserError(f"--context {context}: the kubeconfig has {offered}")
            chosen = known[context] if context is not None else active
            api = config.new_client_from_config(config_file=file, context=context)
        except (config.ConfigException, yaml.YAMLError, TypeError, OSError) as error:
            raise UserError(f"the kubeconfig cannot be used: {' '.join(str(error).split())[:200]}") from error
        home = (chosen.get("context") or {}).get("namespace")
        place = f"the cluster of context {chosen['name']} ({api.configuration.host})"
        return cls(api, namespace or home or DEFAULT_NAMESPACE, place)

    def whoami(self) -> str:
        """The user that the API server takes us for."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            answer = self._ask("ask who this is", self._auth.create_self_subject_review, body=body)
        except (NotAllowed, NotThere):
            return ""
        return str(((answer.get("status") or {}).get("userInfo") or {}).get("username") or "")

    def create_workflow(self, manifest: Json) -> Json:
        """Create a workflow."""
        return self._ask_argo(
            "create workflows", self._custom.create_namespaced_custom_object, "workflows", body=manifest
        )

    def workflow(self, name: str) -> Json:
        """A workflow with its nodes."""
        return self._ask_argo(
            f"read the workflow {name}", self._custom.get_namespaced_custom_object, "workflows", name=name
        )

    def workflows(self, selector: str) -> list[Json]:
        """The workflows with these labels."""
        answer = self._ask_argo(
            "list workflows", self._custom.list_namespaced_custom_object, "workflows", label_selector=selector
        )
        return list(answer["items"])

    def shut_down(self, name: str, how: Shutdown) -> None:
        """End a workflow."""
        self._ask_argo(
            f"stop the workflow {name}",
            self._custom.patch_namespaced_custom_object,
            "workflows",
            body={"spec": {"shutdown": how}},
            name=name,
        )

    def delete_workflow(self, name: str) -> None:
        """Delete a workflow and its pods."""
        self._ask_argo(
            f"delete the workflow {name}",
            self._custom.delete_namespaced_custom_object,
            "workflows",
            name=name,
        )

    def templates(self) -> dict[str, Json]:
        """The WorkflowTemplates by name."""
        answer = self._ask_argo(
            "list workflowtemplates", self._custom.list_namespaced_custom_object, "workflowtemplates"
        )
        return {item["metadata"]["name"]: item for item in answer["items"]}

    def pod_log(self, workflow: str, pod: str, *, follow: bool = False) -> Iterator[str]:  # noqa: ARG002
        """The lines of the pod's main container."""
        with self._translated(f"read the log of {pod}"):
            response = self._core.read_namespaced_pod_log(
                name=pod,
                namespace=self.namespace,
                container="main",
                follow=follow,
                _preload_content=False,
                _request_timeout=(_CONNECT_S, 3600.0 if follow else _READ_S),
            )
            self._check(response, f"read the log of {pod}")
            try:
                yield from lines_of(response.stream(1 << 16))
            finally:
                response.close()

    def pods(self, workflow: str) -> list[Json]:
        """The pods of a workflow that are still there."""
        answer = self._ask(
            f"list pods in {self.namespace}",
            self._core.list_namespaced_pod,
            namespace=self.namespace,
            label_selector=f"workflows.argoproj.io/workflow={workflow}",
        )
        return list(answer["items"])

    def nodes(self) -> list[Json]:
        """The nodes of the cluster."""
        return list(self._ask("list the cluster's nodes", self._core.list_node)["items"])

    def quotas(self) -> list[Json]:
        """The ResourceQuotas of the namespace."""
        doing = f"list resourcequotas in {self.namespace}"
        answer = self._ask(doing, self._core.list_namespaced_resource_quota, namespace=self.namespace)
        return list(answer["items"])

    def limit_ranges(self) -> list[Json]:
        """The LimitRanges of the namespace."""
        doing = f"list limitranges in {self.namespace}"
        answer = self._ask(doing, self._core.list_namespaced_limit_range, namespace=self.namespace)
        return list(answer["items"])

    def runtime_class(self, name: str) -> Json:
        """A RuntimeClass of the cluster."""
        call = client.NodeV1Api(self._core.api_client).read_runtime_class
        return self._ask(f"look for the RuntimeClass {name}", call, name=name)

    def priority_class(self, name: str) -> Json:
        """A PriorityClass of the cluster."""
        call = client.SchedulingV1Api(self._core.api_client).read_priority_class
        return self._ask(f"look for the PriorityClass {name}", call, name=name)

    def controllers(self) -> list[Controller]:
        """Argo's controllers in the whole cluster; the replicas of one are one."""
        doing, call = "list the cluster's pods", self._core.list_pod_for_all_namespaces
        pods = [pod for label in SELECTORS for pod in self._ask(doing, call, label_selector=label)["items"]]
        found: list[Controller] = []
        for pod in pods:
            controller = controller_of(pod, self._settings_of(pod))
            if controller not in found:
                found.append(controller)
        return found

    def _settings_of(self, pod: Json) -> Json | None:
        """The configuration of a controller; None where this account may not read it."""
        name = flags_of(pod).get("configmap", CONFIGURATION)
        place = pod["metadata"]["namespace"]
        doing = f"read the ConfigMap {name} in {place}"
        try:
            answer = self._ask(doing, self._core.read_namespaced_config_map, name=name, namespace=place)
        except NotAllowed:
            return None
        except NotThere:
            return {}
        return settings_of(answer.get("data") or {})

    def has_secret(self, name: str) -> bool:
        """Whether the Secret exists."""
        doing = f"look for the Secret {name} in {self.namespace}"
        try:
            self._ask(doing, self._core.read_namespaced_secret, name=name, namespace=self.namespace)
        except NotThere:
            return False
        return True

    def config_map(self, name: str) -> dict[str, str]:
        """The data of a ConfigMap."""
        doing = f"read the ConfigMap {name} in {self.namespace}"
        answer = self._ask(doing, self._core.read_namespaced_config_map, name=name, namespace=self.namespace)
        return dict(answer.get("data") or {})

    def claim(self, name: str) -> Json:
        """A PersistentVolumeClaim."""
        doing = f"look for the PersistentVolumeClaim {name} in {self.namespace}"
        call = self._core.read_namespaced_persistent_volume_claim
        return self._ask(doing, call, name=name, namespace=self.namespace)

    def _ask_argo(self, doing: str, call: Callable[..., Any], plural: str, **arguments: Any) -> Json:
        """One call about Argo's objects of the namespace."""
        place = {**_ARGO, "namespace": self.namespace, "plural": plural}
        return self._ask(f"{doing} in {self.namespace}", call, **place, **arguments)

    def _ask(self, doing: str, call: Callable[..., Any], **arguments: Any) -> Json:
        """One call; the answer as JSON, not as the client's models."""
        with self._translated(doing):
            response = call(**arguments, _preload_content=False, _request_timeout=(_CONNECT_S, _READ_S))
            self._check(response, doing)
            answer: Json = json.loads(response.read() or b"{}")
            return answer

    def _check(self, response: Any, doing: str) -> None:
        if not 200 <= response.status < 300:
            raise refusal_of(response.status, response.read(), doing=doing, place=self.place, login=_LOGIN)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except client.ApiException as error:
            raise refusal_of(
                error.status or 0, error.body or error.reason, doing=doing, place=self.place, login=_LOGIN
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise unreachable_of(error, place=self.place) from error


def _has_kubeconfig() -> bool:
    named = os.environ.get("KUBECONFIG", "")
    paths = [Path(part) for part in named.split(os.pathsep) if part] or [Path.home() / ".kube" / "config"]
    return any(path.is_file() for path in paths)


def lines_of(blocks: Iterator[bytes]) -> Iterator[str]:
    """Lines of text from blocks of bytes, which may end in the middle of a line."""
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")
