"""Which cluster a command talks to: an Argo Server, a kubeconfig's, or the one that this pod runs in."""

import os

from nameplate.errors import UserError
from nameplate_cluster.client import DEFAULT_NAMESPACE, Cluster


def connect(namespace: str | None, context: str | None) -> Cluster:
    """The cluster that the arguments and the environment name.

    As in the argo command line, ARGO_SERVER comes before a kubeconfig; ``--context`` asks for a
    kubeconfig. Without either, the account that Kubernetes gives to a pod is used.
    """
    variables = ("NAMEPLATE_NAMESPACE", "ARGO_NAMESPACE")
    namespace = namespace or next(filter(None, map(os.environ.get, variables)), None)
    try:
        if os.environ.get("ARGO_SERVER") and context is None:
            from nameplate_cluster.argo_server import ArgoServer

            return ArgoServer.from_environment(namespace or DEFAULT_NAMESPACE)
        from nameplate_cluster.kube import Kube

        return Kube.connect(namespace, context)
    except ModuleNotFoundError as error:
        hint = "the cluster service is not installed here: pip install 'nameplate[cluster]'"
        raise UserError(f"{hint} ({error.name} is missing)") from error
