"""``nameplate-cluster setup`` and ``check``: what an installation needs besides manifests, and its test.

Secrets never pass through Helm, whose releases keep every value that was rendered.
"""

import argparse
import logging
import os
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import kubernetes
from minio.credentials import Provider

from nameplate.errors import StoreError, TryAgain, UserError
from nameplate.service.command import parser_of
from nameplate.service.log import log_to_stderr
from nameplate.service.main import exit_code_of
from nameplate.store.retrying import with_retries
from nameplate.store.s3 import S3Store
from nameplate.store.s3_service import S3Service, account_from_environment
from nameplate_cluster.account import ObjectStore
from nameplate_cluster.credentials import (
    MINIO_KEYS,
    PSEUDONYM_KEYS,
    STORE_KEYS,
    STORE_OPTIONAL_KEYS,
    Secrets,
    random_account,
    random_pseudonym_key,
    random_root,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")


def setup_main(args: Sequence[str]) -> int:
    """Run ``setup``; returns the exit code."""
    return exit_code_of(lambda: setup(_setup_parser().parse_args(args)))


def check_main(args: Sequence[str]) -> int:
    """Run ``check``; returns the exit code."""
    return exit_code_of(lambda: check(_check_parser().parse_args(args)))


def setup(options: argparse.Namespace) -> int:
    """Create what is missing: the Secrets, the bucket and, in the chart's MinIO, its limited account."""
    log_to_stderr()
    deadline = time.monotonic() + options.store_timeout
    existing = Secrets(_api(), options.namespace)
    given = set(options.given)

    def secret(
        name: str,
        keys: tuple[str, ...],
        content: Callable[[], dict[str, str]],
        optional: tuple[str, ...] = (),
    ) -> tuple[str, ...]:
        def ensure() -> dict[str, str]:
            if name in given:
                return existing.need(name, keys, optional)
            return existing.make(name, content(), optional)

        return tuple(_wait_for(ensure, deadline).values())

    # All Secrets first: MinIO does not start without its own.
    root = secret(options.minio_secret, MINIO_KEYS, random_root) if options.minio_secret else None
    account: tuple[str, ...] | Provider
    if options.store_secret:
        account = secret(options.store_secret, STORE_KEYS, random_account, STORE_OPTIONAL_KEYS)
    else:
        account = account_from_environment("the identity of nameplate-setup")
    secret(options.key_secret, PSEUDONYM_KEYS, random_pseudonym_key)
    _environment("AWS_ENDPOINT_URL")
    prepare_store(
        service=S3Service.from_environment(),
        bucket=_environment("NAMEPLATE_BUCKET"),
        prefix=os.environ.get("NAMEPLATE_PREFIX", ""),
        account=account,
        account_secret=options.store_secret,
        root=root,
        root_secret=options.minio_secret,
        deadline=deadline,
    )
    logger.info("ready")
    return 0


def prepare_store(
    *,
    service: S3Service,
    bucket: str,
    prefix: str = "",
    account: tuple[str, ...] | Provider,
    account_secret: str,
    root: tuple[str, ...] | None,
    root_secret: str,
    deadline: float,
) -> None:
    """Create the bucket and, given MinIO's administrator ``root``, the account too.

    A store that does not answer is asked again until ``deadline`` (time.monotonic()).
    """
    if root is None:
        store = ObjectStore(service, account, account_secret)
        _wait_for(lambda: store.make_bucket(bucket, prefix), deadline)
        return
    if not isinstance(account, tuple):
        raise UserError("--store-secret: expected one, since MinIO knows its accounts by their keys")
    user, password = account[:2]
    admin = ObjectStore(service, root, root_secret)
    _wait_for(lambda: admin.make_bucket(bucket), deadline)
    _wait_for(lambda: admin.grant(user, password, bucket), deadline)


def check(options: argparse.Namespace) -> int:
    """Write one object under a fresh key, read it and delete it, as a campaign's pod would."""
    log_to_stderr()
    deadline = time.monotonic() + options.store_timeout
    place = f"{_environment('NAMEPLATE_BUCKET')}/{os.environ.get('NAMEPLATE_PREFIX', '')}helm-test"
    content = secrets.token_hex(16)
    key = f"{content}.txt"
    store = _wait_for(lambda: S3Store.from_environment(f"s3://{place}"), deadline)
    store.put(key, content.encode())
    back = store.get(key)
    store.delete(key)
    if back != content.encode() or store.exists(key):
        raise StoreError(f"{store.url}: returned something else than was written; is this an S3 service?")
    print(f"ok: wrote, read and deleted one object in {store.url}")  # noqa: T201 (the command's output)
    return 0


def _wait_for(call: Callable[[], T], deadline: float) -> T:
    """Call ``call`` again while it raises TryAgain, until ``deadline`` (time.monotonic())."""
    return with_retries(call, deadline - time.monotonic(), passing=(TryAgain,))


def _api() -> Any:
    """The API server, with the account of this pod."""
    configuration = kubernetes.client.Configuration()
    try:
        kubernetes.config.load_incluster_config(client_configuration=configuration)
    except kubernetes.config.ConfigException:
        raise UserError("setup: runs in a pod with the token of nameplate-setup, not here") from None
    # A proxy of the site's leads out of the cluster, and this server is in it.
    configuration.proxy = None
    return kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(configuration))


def _environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise UserError(f"{name}: not set in the environment; the ConfigMap nameplate-store holds it")
    return value


def _setup_parser() -> argparse.ArgumentParser:
    parser = parser_of(
        "nameplate-cluster setup",
        "Create what an installation needs besides its manifests, if missing: Secrets with "
        "random content, the bucket and, in the chart's MinIO, an account limited to that bucket. "
        "AWS_ENDPOINT_URL, AWS_REGION, NAMEPLATE_BUCKET and NAMEPLATE_PREFIX say where the store is. A "
        "second run changes nothing. Exit codes: 0 done, 2 a mistake that no retry will fix, 75 try again.",
        "nameplate-cluster setup --minio-secret nameplate-minio",
    )
    parser.add_argument(
        "--store-secret",
        default="nameplate-store",
        help="the account of the pods; empty: the identity of this pod's ServiceAccount",
    )
    parser.add_argument("--key-secret", default="nameplate-patient-key", help="the key of the pseudonyms")
    parser.add_argument(
        "--minio-secret", default="", help="MinIO's administrator; without it no account is made"
    )
    parser.add_argument(
        "--given", action="append", default=[], metavar="SECRET", help="one that must exist (repeatable)"
    )
    parser.add_argument(
        "--namespace", default=os.environ.get("NAMESPACE", "nameplate"), help="default: NAMESPACE"
    )
    _add_store_timeout(parser, 300)
    return parser


def _check_parser() -> argparse.ArgumentParser:
    parser = parser_of(
        "nameplate-cluster check",
        "Write, read and delete one object in the bucket NAMEPLATE_BUCKET, as a campaign's pod "
        "would: below NAMEPLATE_PREFIX, with AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY (or the identity of its ServiceAccount).",
        "nameplate-cluster check",
    )
    _add_store_timeout(parser, 30)
    return parser


def _add_store_timeout(parser: argparse.ArgumentParser, default: float) -> None:
    parser.add_argument(
        "--store-timeout",
        type=float,
        default=default,
        metavar="SECONDS",
        help=f"how long to ask a store that does not answer (default: {default:g})",
    )
