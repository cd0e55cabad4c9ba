"""A cluster reached only through its Argo Server: a URL and a token, as the argo command line takes them.

    ARGO_SERVER                    host:port
    ARGO_TOKEN                     what goes into the Authorization header: "Bearer ..."
    ARGO_SECURE                    "false" for plain HTTP
    ARGO_INSECURE_SKIP_VERIFY      "true" accepts any certificate (SSL_CERT_FILE names an authority)
    ARGO_BASE_HREF                 path of a server behind a proxy

An Argo Server shows workflows, their templates and the logs of their pods, but no nodes, quotas or
Secrets.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import argo_workflows
import urllib3
from argo_workflows.api.info_service_api import InfoServiceApi
from argo_workflows.api.workflow_service_api import WorkflowServiceApi
from argo_workflows.api.workflow_template_service_api import WorkflowTemplateServiceApi
from argo_workflows.exceptions import ApiException
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_create_request import (
    IoArgoprojWorkflowV1alpha1WorkflowCreateRequest as CreateRequest,
)
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_stop_request import (
    IoArgoprojWorkflowV1alpha1WorkflowStopRequest as StopRequest,
)
from argo_workflows.model.io_argoproj_workflow_v1alpha1_workflow_terminate_request import (
    IoArgoprojWorkflowV1alpha1WorkflowTerminateRequest as TerminateRequest,
)

from nameplate.errors import UserError
from nameplate_cluster.client import Json, Shutdown
from nameplate_cluster.controller import Controller
from nameplate_cluster.http_errors import NotAllowed, NotThere, refusal_of, unreachable_of
from nameplate_cluster.kube import lines_of

_CONNECT_S, _READ_S = 10.0, 60.0
_LOGIN = 'export ARGO_TOKEN="Bearer $(kubectl create token nameplate-submitter -n NAMESPACE)"'
_TRUE = ("1", "t", "true", "yes")


class ArgoServer:
    """One namespace, reached with the ``argo-workflows`` SDK."""

    def __init__(self, api: Any, namespace: str, place: str) -> None:
        self.namespace = namespace
        self.place = place
        self._workflows = WorkflowServiceApi(api)
        self._templates = WorkflowTemplateServiceApi(api)
        self._info = InfoServiceApi(api)

    @classmethod
    def from_environment(cls, namespace: str, environment: Mapping[str, str] = os.environ) -> "ArgoServer":
        """The server that the ARGO_* variables name."""
        address = environment["ARGO_SERVER"]
        if "://" in address:
            raise UserError(
                f"ARGO_SERVER: expected host:port, got {address!r} (ARGO_SECURE=false is for http)"
            )
        secure = environment.get("ARGO_SECURE", "true").lower() in _TRUE
        href = environment.get("ARGO_BASE_HREF", "").strip("/")
        host = f"{'https' if secure else 'http'}://{address}" + (f"/{href}" if href else "")
        configuration = argo_workflows.Configuration(host=host, discard_unknown_keys=True)
        if environment.get("ARGO_INSECURE_SKIP_VERIFY", "").lower() in _TRUE:
            configuration.verify_ssl = False
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the user asked for it
        if authority := environment.get("SSL_CERT_FILE"):
            configuration.ssl_ca_cert = authority
        if token := environment.get("ARGO_TOKEN", ""):
            configuration.api_key["BearerToken"] = token
        return cls(argo_workflows.ApiClient(configuration), namespace, f"the Argo Server {address}")

    def whoami(self) -> str:
        """An Argo Server labels workflows itself with who made them."""
        return ""

    def create_workflow(self, manifest: Json) -> Json:
        """Create a workflow."""
        # The SDK's models know an older Argo: the manifest goes through unchecked.
        body = CreateRequest(workflow=manifest, _check_type=False)
        doing = f"create workflows in {self.namespace}"
        return self._ask(doing, self._workflows.create_workflow, self.namespace, body)

    def workflow(self, name: str) -> Json:
        """A workflow with its nodes."""
        doing = f"read the workflow {name} in {self.namespace}"
        return self._ask(doing, self._workflows.get_workflow, self.namespace, name)

    def workflows(self, selector: str) -> list[Json]:
        """The workflows with these labels."""
        answer = self._ask(
            f"list workflows in {self.namespace}",
            self._workflows.list_workflows,
            self.namespace,
            list_options_label_selector=selector,
        )
        return list(answer.get("items") or ())

    def shut_down(self, name: str, how: Shutdown) -> None:
        """End a workflow."""
        doing = f"stop the workflow {name} in {self.namespace}"
        if how == "Stop":
            body = StopRequest(name=name, namespace=self.namespace)
            self._ask(doing, self._workflows.stop_workflow, self.namespace, name, body)
        else:
            body = TerminateRequest(name=name, namespace=self.namespace)
            self._ask(doing, self._workflows.terminate_workflow, self.namespace, name, body)

    def delete_workflow(self, name: str) -> None:
        """Delete a workflow and its pods."""
        doing = f"delete the workflow {name} in {self.namespace}"
        self._ask(doing, self._workflows.delete_workflow, self.namespace, name)

    def templates(self) -> dict[str, Json]:
        """The WorkflowTemplates by name."""
        doing = f"list workflowtemplates in {self.namespace}"
        answer = self._ask(doing, self._templates.list_workflow_templates, self.namespace)
        return {item["metadata"]["name"]: item for item in answer.get("items") or ()}

    def pod_log(self, workflow: str, pod: str, *, follow: bool = False) -> Iterator[str]:
        """The lines of the pod's main container; the server wraps each one in JSON."""
        doing = f"read the log of {pod}"
        with self._translated(doing):
            response = self._workflows.workflow_logs(
                self.namespace,
                workflow,
                pod_name=pod,
                log_options_container="main",
                log_options_follow=follow,
                _preload_content=False,
                _check_return_type=False,
                _request_timeout=(_CONNECT_S, 3600.0 if follow else _READ_S),
            )
            try:
                for line in lines_of(response.stream(1 << 16)):
                    answer = json.loads(line)
                    if "error" in answer:
                        error = answer["error"]
                        status = int(error.get("http_code") or 404)
                        raise refusal_of(
                            status, error.get("message"), doing=doing, place=self.place, login=self._login
                        )
                    # Empty lines come without content.
                    yield (answer.get("result") or {}).get("content", "")
            finally:
                response.close()

    def pods(self, workflow: str) -> list[Json]:
        """An Argo Server does not show them."""
        raise NotAllowed(f"an Argo Server does not show pods ({workflow})")

    def nodes(self) -> list[Json]:
        """An Argo Server does not show them."""
        raise NotAllowed("an Argo Server does not show nodes")

    def quotas(self) -> list[Json]:
        """An Argo Server does not show them."""
        raise NotAllowed("an Argo Server does not show quotas")

    def limit_ranges(self) -> list[Json]:
        """An Argo Server does not show them."""
        raise NotAllowed("an Argo Server does not show LimitRanges")

    def runtime_class(self, name: str) -> Json:
        """An Argo Server does not show them."""
        raise NotAllowed(f"an Argo Server does not show RuntimeClasses ({name})")

    def priority_class(self, name: str) -> Json:
        """An Argo Server does not show them."""
        raise NotAllowed(f"an Argo Server does not show PriorityClasses ({name})")

    def controllers(self) -> list[Controller]:
        """The one behind the server: its version, and the namespace that both look at.

        Its instance id is no matter: the server gives it to the workflows that it creates.
        """
        version = self._ask("read the version", self._info.get_version).get("version") or ""
        watches = self._ask("read the server's settings", self._info.get_info).get("managedNamespace")
        number = re.match(r"v?(\d+\.\d+\.\d+)", str(version))
        return [Controller(place=self.place, version=number[1] if number else "", watches=watches or None)]

    def has_secret(self, name: str) -> bool:
        """An Argo Server does not show them."""
        raise NotAllowed(f"an Argo Server does not show Secrets ({name})")

    def config_map(self, name: str) -> dict[str, str]:
        """An Argo Server does not show them."""
        raise NotAllowed(f"an Argo Server does not show ConfigMaps ({name})")

    def claim(self, name: str) -> Json:
        """An Argo Server does not show them."""
        raise NotAllowed(f"an Argo Server does not show PersistentVolumeClaims ({name})")

    @property
    def _login(self) -> str:
        return _LOGIN.replace("NAMESPACE", self.namespace)

    def _ask(self, doing: str, call: Callable[..., Any], *arguments: Any, **options: Any) -> Json:
        """One call; the answer as JSON, not as the SDK's models."""
        with self._translated(doing):
            response = call(
                *arguments,
                **options,
                _check_return_type=False,
                _preload_content=False,
                _request_timeout=(_CONNECT_S, _READ_S),
            )
            try:
                answer: Json = json.loads(response.data or b"{}")
            except ValueError:
                raise NotThere(
                    f"{self.place} does not answer like an Argo Server; check ARGO_SERVER and ARGO_BASE_HREF"
                ) from None
            return answer

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            if not error.status:
                raise unreachable_of(error, place=self.place) from error
            raise refusal_of(
                error.status, error.body or error.reason, doing=doing, place=self.place, login=self._login
            ) from error
        except urllib3.exceptions.HTTPError as error:
            raise unreachable_of(error, place=self.place) from error
