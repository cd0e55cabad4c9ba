"""The Secrets that an installation needs: read if they exist, else created with random content."""

import base64
import logging
import secrets
from collections.abc import Mapping
from typing import Any

from kubernetes.client import ApiException

from nameplate.errors import TryAgain, UserError
from nameplate.store.connection import BROKEN

logger = logging.getLogger(__name__)

MINIO_KEYS = ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD")
STORE_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
STORE_OPTIONAL_KEYS = ("AWS_SESSION_TOKEN",)
PSEUDONYM_KEYS = ("NAMEPLATE_KEY",)

# They let a person find what the chart does not own.
LABELS = {
    "app.kubernetes.io/name": "nameplate",
    "app.kubernetes.io/part-of": "nameplate",
    "app.kubernetes.io/managed-by": "nameplate-setup",
}


def random_root() -> dict[str, str]:
    """MinIO's administrator."""
    return dict(zip(MINIO_KEYS, ("nameplate-root", secrets.token_hex(20)), strict=True))


def random_account() -> dict[str, str]:
    """The account of the campaigns' pods in the store."""
    return dict(zip(STORE_KEYS, ("nameplate", secrets.token_hex(20)), strict=True))


def random_pseudonym_key() -> dict[str, str]:
    """The key of the pseudonyms."""
    return dict(zip(PSEUDONYM_KEYS, (secrets.token_hex(32),), strict=True))


class Secrets:
    """The Secrets of one namespace, through a ``CoreV1Api`` whose account may get and create them."""

    def __init__(self, api: Any, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    def read(self, name: str, keys: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, str] | None:
        """The values under ``keys``, and under those of ``optional`` that it has; None without such a Secret.

        Raises UserError for a Secret without one of them.
        """
        try:
            secret = self._call(self.api.read_namespaced_secret, name, self.namespace)
        except ApiException as error:
            if error.status == 404:
                return None
            raise self._refused("read", name, error) from None
        values = {key: base64.b64decode(text) for key, text in (secret.data or {}).items()}
        missing = [key for key in keys if not values.get(key)]
        if missing:
            raise UserError(f"Secret {self.namespace}/{name}: expected a value for {' and '.join(missing)}")
        try:
            return {key: values[key].decode() for key in (*keys, *optional) if values.get(key)}
        except UnicodeDecodeError:
            raise UserError(f"Secret {self.namespace}/{name}: expected text in UTF-8") from None

    def need(self, name: str, keys: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, str]:
        """A Secret that the site provides; raises UserError when it is missing."""
        if (values := self.read(name, keys, optional)) is None:
            raise UserError(
                f"Secret {self.namespace}/{name}: expected it, with {' and '.join(keys)}; there is none. "
                f"Create it: kubectl create secret generic {name} -n {self.namespace} ..."
            )
        return values

    def make(self, name: str, content: Mapping[str, str], optional: tuple[str, ...] = ()) -> dict[str, str]:
        """The Secret ``name`` as it is, or created with ``content`` if it is missing."""
        keys = tuple(content)
        if (values := self.read(name, keys, optional)) is not None:
            return values
        body = {"metadata": {"name": name, "labels": LABELS}, "stringData": dict(content), "type": "Opaque"}
        try:
            self._call(self.api.create_namespaced_secret, self.namespace, body)
        except ApiException as error:
            if error.status == 409:  # another copy of this Job was faster
                return self.need(name, keys)
            raise self._refused("create", name, error) from None
        logger.info("secret made", extra={"secret": name})
        return dict(content)

    def _call(self, function: Any, *arguments: Any) -> Any:
        try:
            return function(*arguments, _request_timeout=(5, 30))
        except BROKEN as error:
            raise TryAgain(
                f"Kubernetes: no answer from the API server ({type(error).__name__}); check its address "
                "and port in networkPolicy.apiServer"
            ) from None

    def _refused(self, action: str, name: str, error: ApiException) -> UserError | TryAgain:
        if error.status in (401, 403):
            return UserError(
                f"Secret {self.namespace}/{name}: this account may not {action} it; "
                "check the Role nameplate-setup"
            )
        if error.status == 429 or (error.status or 500) >= 500:
            return TryAgain(f"Kubernetes: the API server is busy ({error.status})")
        return UserError(
            f"Secret {self.namespace}/{name}: could not {action} it ({error.status} {error.reason})"
        )
