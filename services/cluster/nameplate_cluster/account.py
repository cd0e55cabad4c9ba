"""The bucket in an object store and, in the chart's MinIO, the account that may use only that bucket."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3
from minio import Minio, MinioAdmin
from minio.credentials import Provider, StaticProvider
from minio.error import MinioAdminException, MinioException, S3Error

from nameplate.errors import StoreUnreachable, UserError
from nameplate.store.connection import BROKEN, failure_of, meaning_of, refusal_of, status_and_code
from nameplate.store.s3_service import S3Service, ask_for_bucket

logger = logging.getLogger(__name__)

READ_TIMEOUT = 60.0
RETRIES = urllib3.Retry(connect=0, read=0, total=2)
POLICY_PREFIX = "nameplate-"
"""With which the names of our policies in MinIO begin; the rest is the bucket's."""


def bucket_policy(bucket: str) -> dict[str, Any]:
    """What the campaigns' account may do: everything with the bucket's objects, nothing else."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                "Resource": [f"arn:aws:s3:::{bucket}"],
            },
            {
                "Effect": "Allow",
                "Action": [
                    "s3:AbortMultipartUpload",
                    "s3:DeleteObject",
                    "s3:GetObject",
                    "s3:ListMultipartUploadParts",
                    "s3:PutObject",
                ],
                "Resource": [f"arn:aws:s3:::{bucket}/*"],
            },
        ],
    }


class ObjectStore:
    """An S3 service, used with one account.

    ``account`` is user, password and perhaps session token, or a source of them. ``secret`` names the
    Kubernetes Secret of that account, for messages.
    """

    def __init__(self, service: S3Service, account: tuple[str, ...] | Provider, secret: str) -> None:
        self.service = service
        self.endpoint = service.endpoint
        self.secret = secret
        self.user = account[0] if isinstance(account, tuple) else ""
        provider = StaticProvider(*account) if isinstance(account, tuple) else account
        self.client = self._client(provider)
        self.admin = MinioAdmin(
            credentials=provider, **service.settings(read_timeout=READ_TIMEOUT, retries=RETRIES)
        )

    def _client(self, account: Provider) -> Minio:
        return self.service.client(account, read_timeout=READ_TIMEOUT, retries=RETRIES)

    def make_bucket(self, bucket: str, prefix: str = "") -> None:
        """Create the bucket if it is missing; the account may be one that sees ``prefix`` alone."""
        try:
            with self._translated(f"bucket {bucket!r}"):
                if _is_there(self.client, bucket, prefix):
                    return
        except ValueError as error:
            raise UserError(f"objectStore.bucket: {error}") from None
        with self._translated(f"creating the missing bucket {bucket!r}"):
            try:
                self.client.make_bucket(bucket_name=bucket)
            except S3Error as error:
                # Another copy of the Job was faster; a bucket of another owner raises another code.
                if error.code == "BucketAlreadyOwnedByYou":
                    return
                raise
        logger.info("bucket made", extra={"bucket": bucket})

    def grant(self, user: str, password: str, bucket: str) -> None:
        """As MinIO's administrator, give ``user`` this password and access to ``bucket`` only.

        Buckets that it was given before stay open to it: a campaign may still be running in one. What is
        already right is left alone.
        """
        if user == self.user:
            raise UserError(
                f"the campaigns' account is MinIO's administrator {user!r}; use two different users"
            )
        name = f"{POLICY_PREFIX}{bucket}"
        policy = bucket_policy(bucket)
        with self._translated(f"the policy {name!r}"):
            if _in_order(self._found(self.admin.policy_info, name)) != _in_order(policy):
                self.admin.policy_add(policy_name=name, policy=policy)
                logger.info("policy written", extra={"policy": name})
        with self._translated(f"the account {user!r}"):
            info = self._found(self.admin.user_info, user)
            if info is None or info.get("status") != "enabled" or not self._opens(user, password, bucket):
                self.admin.user_add(access_key=user, secret_key=password)
                logger.info("account written", extra={"account": user})
            held = str((info or {}).get("policyName") or "").split(",")
            if name not in held:
                ours = [one for one in held if one.startswith(POLICY_PREFIX)]
                self.admin.policy_set(policy_name=",".join([*ours, name]), user=user)
                logger.info("account limited to the bucket", extra={"account": user, "bucket": bucket})

    def _opens(self, user: str, password: str, bucket: str) -> bool:
        """Whether the account has this password."""
        try:
            _is_there(self._client(StaticProvider(user, password)), bucket)
        except S3Error as error:
            meaning = meaning_of(*status_and_code(error))
            if meaning == "passing":
                raise
            return meaning != "account"
        return True

    @staticmethod
    def _found(call: Any, name: str) -> dict[str, Any] | None:
        """The answer of MinIO's administration about ``name``; None when it does not exist."""
        try:
            answer = json.loads(call(name))
        except MinioAdminException as error:
            if status_and_code(error)[1] in ("XMinioAdminNoSuchUser", "XMinioAdminNoSuchPolicy"):
                return None
            raise
        return answer if isinstance(answer, dict) else None

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Turn the SDK's errors into nameplate's, which say whose fault it is."""
        try:
            yield
        except (S3Error, MinioAdminException) as error:
            account = f"the Secret {self.secret}"
            raise refusal_of(error, self.endpoint, what, account, self.service.path) from None
        except BROKEN as error:
            raise failure_of(error, self.endpoint) from None
        except MinioException as error:
            raise StoreUnreachable(
                f"{self.endpoint}: bad answer ({type(error).__name__}) for {what}"
            ) from None


def _in_order(policy: Any) -> Any:
    """The policy with its lists of names sorted: MinIO returns them in any order."""
    if isinstance(policy, dict):
        return {key: _in_order(value) for key, value in policy.items()}
    if isinstance(policy, list):
        return sorted(map(_in_order, policy), key=json.dumps)
    return policy


def _is_there(client: Minio, bucket: str, prefix: str = "") -> bool:
    """Whether there is such a bucket."""
    try:
        ask_for_bucket(client, bucket, prefix)
    except S3Error as error:
        if error.code == "NoSuchBucket":
            return False
        raise
    return True
