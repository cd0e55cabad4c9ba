#!/usr/bin/env python3
"""A campaign on a site where everything at once differs from the defaults; the same bytes all the same.

    make other-site

A namespace held to `restricted` whose users start at 1000680000, with a quota on limits and a LimitRange;
every node tainted; the store a MinIO of the site's own by TLS, with its own authority, and an account of one
folder of a bucket with a session token; Argo with an instance id. The store runs on this machine, which must
be the cluster's node. Argo gets a toleration and the instance id, and is put back: not for a shared cluster.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
import yaml
from installation import (
    Site,
    call,
    check_same,
    fingerprint,
    local_run,
    node_address,
    say,
    until,
)
from minio import Minio
from minio.credentials import AssumeRoleProvider, StaticProvider
from minio.minioadmin import MinioAdmin

from nameplate.campaign import load_campaign
from nameplate.store.s3 import S3Store

NAMESPACE = "nameplate-other-site"
PORT = 7443
USER = 1000680000
BUCKET, FOLDER = "research", "neuro/nameplate"
INSTANCE = "neuro"
TAINT = {"key": "nameplate-e2e/research", "operator": "Equal", "value": "neuro", "effect": "NoSchedule"}

QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "group"},
    "spec": {
        "hard": {
            "requests.cpu": "4",
            "requests.memory": "16Gi",
            "requests.ephemeral-storage": "64Gi",
            "limits.cpu": "24",
            "limits.memory": "48Gi",
            "limits.ephemeral-storage": "400Gi",
            "pods": "20",
        }
    },
}
LIMIT_RANGE = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "group"},
    "spec": {
        "limits": [
            {
                "type": "Container",
                "min": {"cpu": "5m", "memory": "16Mi"},
                "max": {"cpu": "2", "memory": "10Gi"},
            },
            {"type": "Pod", "max": {"cpu": "4", "memory": "12Gi"}},
        ]
    },
}


def values_of(endpoint: str, address: str) -> dict[str, Any]:
    """What such a site writes into its values file."""
    return {
        "pods": {
            "securityContext": {"runAsUser": USER, "runAsGroup": USER, "fsGroup": USER},
            "tolerations": [TAINT],
            "resources": {
                "requests": {"ephemeral-storage": "100Mi"},
                "limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "4Gi"},
            },
            "scratch": "3Gi",
        },
        "workflow": {
            "parallelism": 6,
            "instanceId": INSTANCE,
            "executorResources": {
                "requests": {"cpu": "10m", "memory": "64Mi", "ephemeral-storage": "50Mi"},
                "limits": {"cpu": "200m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
            },
        },
        "objectStore": {
            "endpoint": endpoint,
            "existingSecret": "site-s3",
            "authority": "site-ca",
            "bucket": BUCKET,
            "prefix": FOLDER,
            "cidrs": [f"{address}/32"],
        },
    }


# --- the site


@contextmanager
def store_of_the_site(folder: Path, address: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A MinIO by TLS (authority: ``folder/certificates``): its URL, a temporary account of one folder."""
    certificates, data = folder / "certificates", folder / "data"
    certificates.mkdir()
    data.mkdir()
    call(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-subj", "/CN=site", "-addext", f"subjectAltName=IP:{address}",
        "-keyout", str(certificates / "private.key"), "-out", str(certificates / "public.crt"),
    )  # fmt: skip
    root = StaticProvider("root", secrets.token_hex(16))
    account = root.retrieve()
    process = subprocess.Popen(
        ["minio", "server", "--quiet", "--address", f"{address}:{PORT}", "--certs-dir", str(certificates),
         str(data)],
        env={**os.environ, "MINIO_ROOT_USER": account.access_key, "MINIO_ROOT_PASSWORD": account.secret_key},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        endpoint = f"https://{address}:{PORT}"
        http = urllib3.PoolManager(ca_certs=str(certificates / "public.crt"), retries=urllib3.Retry(0))
        client = Minio(endpoint=urlsplit(endpoint).netloc, credentials=root, http_client=http)
        until(30, "the store", lambda: _answers(client))
        client.make_bucket(bucket_name=BUCKET)
        yield endpoint, temporary_account(endpoint, root, http)
    finally:
        process.terminate()
        process.wait()


def _answers(client: Minio) -> bool:
    try:
        client.list_buckets()
    except Exception:
        return False
    return True


def temporary_account(endpoint: str, root: StaticProvider, http: urllib3.PoolManager) -> dict[str, str]:
    """For some hours, and for one folder alone: not even whether the bucket is there may be asked."""
    bucket = f"arn:aws:s3:::{BUCKET}"
    statements = [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": [bucket],
            "Condition": {"StringLike": {"s3:prefix": [f"{FOLDER}/*"]}},
        },
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": [f"{bucket}/{FOLDER}/*"],
        },
    ]
    admin = MinioAdmin(endpoint=urlsplit(endpoint).netloc, credentials=root, http_client=http)
    admin.policy_add(policy_name="folder", policy={"Version": "2012-10-17", "Statement": statements})
    password = secrets.token_hex(16)
    admin.user_add(access_key="group", secret_key=password)
    admin.policy_set(policy_name="folder", user="group")
    hours = AssumeRoleProvider(
        sts_endpoint=endpoint, access_key="group", secret_key=password, duration_seconds=4 * 3600,
        http_client=http,
    ).retrieve()  # fmt: skip
    assert hours.session_token is not None
    return {
        "AWS_ACCESS_KEY_ID": hours.access_key,
        "AWS_SECRET_ACCESS_KEY": hours.secret_key,
        "AWS_SESSION_TOKEN": hours.session_token,
    }


@contextmanager
def argo_of_the_site() -> Iterator[None]:
    """Argo's controller with an instance id, on tainted nodes; both put back."""

    def controller(instance: str | None, tolerations: list[dict[str, str]]) -> None:
        data = json.dumps({"data": {"instanceID": instance}})
        place = json.dumps({"spec": {"template": {"spec": {"tolerations": tolerations}}}})
        argo = ("kubectl", "-n", "argo")
        call(*argo, "patch", "configmap", "workflow-controller-configmap", "--type=merge", "-p", data)
        call(*argo, "patch", "deployment", "workflow-controller", "--type=merge", "-p", place)
        call(*argo, "rollout", "restart", "deployment/workflow-controller")
        call(*argo, "rollout", "status", "deployment/workflow-controller", "--timeout=180s")

    taint = f"{TAINT['key']}={TAINT['value']}:{TAINT['effect']}"
    controller(INSTANCE, [TAINT])
    call("kubectl", "taint", "nodes", "--all", taint, "--overwrite")
    try:
        yield
    finally:
        call("kubectl", "taint", "nodes", "--all", f"{taint}-", check=False)
        controller(None, [])


def shown(*command: str) -> str:
    """Run a command as a person would, and show it."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    text = (ran.stdout + ran.stderr).rstrip()
    print(
        f"$ {' '.join(command).replace(f'{sys.executable} -m nameplate_local', 'nameplate')}\n{text}\n",
        flush=True,
    )
    if ran.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])}: exit {ran.returncode}")
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("campaign", type=Path, nargs="?", default=Path("tests/tiny.yaml"))
    parser.add_argument("--keep", action="store_true", help="leave the namespace")
    options = parser.parse_args()
    address = node_address()
    os.environ.pop("ARGO_INSTANCEID", None)
    site = Site(NAMESPACE)
    with (
        tempfile.TemporaryDirectory(prefix="nameplate-site-") as name,
        store_of_the_site(Path(name), address) as (endpoint, account),
        argo_of_the_site(),
    ):
        try:
            run(site, options.campaign, Path(name), endpoint, account, address)
        finally:
            if not options.keep:
                site.remove()
    return 0


def run(site: Site, file: Path, folder: Path, endpoint: str, account: dict[str, str], address: str) -> None:
    """From the empty namespace to the report, and every byte held against this machine's."""
    call("kubectl", "create", "namespace", NAMESPACE)
    site.restrict()
    site.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([QUOTA, LIMIT_RANGE]))
    given = [f"--from-literal={key}={value}" for key, value in account.items()]
    site.kubectl("create", "secret", "generic", "site-s3", *given)
    certificate = folder / "certificates" / "public.crt"
    site.kubectl("create", "configmap", "site-ca", f"--from-file=ca.crt={certificate}")
    values = folder / "site.yaml"
    values.write_text(yaml.safe_dump(values_of(endpoint, address), sort_keys=False))
    shown("cat", str(values))
    shown("helm", "upgrade", "--install", "nameplate", "charts/nameplate", "-n", NAMESPACE, "-f", str(values),
          "--wait", "--wait-for-jobs", "--timeout", "5m")  # fmt: skip
    shown("helm", "test", "nameplate", "-n", NAMESPACE)
    campaign = load_campaign(file).name
    nameplate = (sys.executable, "-m", "nameplate_local")
    began = time.monotonic()
    shown(*nameplate, "submit", str(file), "-n", NAMESPACE, "--yes", "--watch")
    say(f"{campaign}: {time.monotonic() - began:.0f} s")
    shown(*nameplate, "status", campaign, "-n", NAMESPACE, "--timings")
    shown(*nameplate, "report", campaign, "-n", NAMESPACE, "--out", str(folder / "report"))
    users = {
        pod["spec"]["securityContext"].get("runAsUser")
        for pod in site.get("pods", "-l", "app.kubernetes.io/part-of=nameplate")["items"]
    }
    say(f"users of all pods: {sorted(users)}")
    assert users == {USER}
    os.environ.update(account, AWS_ENDPOINT_URL=endpoint, SSL_CERT_FILE=str(certificate))
    remote = fingerprint(S3Store.from_environment(f"s3://{BUCKET}/{FOLDER}/{campaign}"))
    check_same(local_run(file, folder / "local"), remote)


if __name__ == "__main__":
    sys.exit(main())
