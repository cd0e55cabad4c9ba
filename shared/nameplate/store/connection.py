"""What an S3 service's refusal or silence means: trouble that may pass, or a mistake that must be mended.

By the status first, since every make has words of its own, and by the code where that says more.
"""

import json
from typing import Literal

import urllib3
from minio.error import MinioAdminException, S3Error

from nameplate.errors import StoreError, StoreUnreachable
from nameplate.store.failures import not_trusted, why

# Error codes of S3, as MinIO, AWS, Ceph and others return them.
WRONG_ACCOUNT = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "InvalidTokenId",
    "ExpiredToken",
    "ExpiredTokenException",
    "TokenRefreshRequired",
}
FULL = {"XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "InsufficientCapacity"}
CLOCK = {"RequestTimeTooSkewed", "RequestExpired"}
PASSING = {408, 425, 429, 500, 502, 503, 504}
"""Statuses that say nothing of the request: the service has too much to do, or is not well."""
PASSING_CODES = {
    "SlowDown",
    "SlowDownRead",
    "SlowDownWrite",
    "ServiceUnavailable",
    "InternalError",
    "RequestTimeout",
    "OperationAborted",
    "ConditionalRequestConflict",
    "XMinioServerNotInitialized",
}
"""Codes that say the same under another status: a clash with another writer, a request that broke off."""
Meaning = Literal["passing", "account", "denied", "full", "clock", "mistake"]

BROKEN = (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError)
"""What a failed connection raises."""


def status_and_code(error: S3Error | MinioAdminException) -> tuple[int, str]:
    """The HTTP status of an answer (0 if the SDK has lost it) and the service's word for it."""
    if isinstance(error, S3Error):
        return int(getattr(error.response, "status", 0) or 0), str(error.code or "no code")
    # The SDK leaves the answers of MinIO's administration as they came.
    status = str(getattr(error, "_code", ""))
    try:
        code = str(json.loads(error._body)["Code"])
    except (AttributeError, KeyError, TypeError, ValueError):
        code = f"HTTP {status}"
    return int(status) if status.isdigit() else 0, code


def meaning_of(status: int, code: str) -> Meaning:
    """Whose fault a refusal is.

    >>> meaning_of(429, "TooManyRequests"), meaning_of(403, "AccessDenied")
    ('passing', 'denied')
    """
    if code in FULL or status == 507:
        return "full"
    if code in CLOCK:
        return "clock"
    if code in WRONG_ACCOUNT:
        return "account"
    if status in PASSING or code in PASSING_CODES:
        return "passing"
    return "denied" if code == "AccessDenied" or status in (401, 403) else "mistake"


def refusal_of(
    error: S3Error | MinioAdminException, place: str, what: str, account: str, path: str = ""
) -> StoreError | StoreUnreachable:
    """Our error for an answer that refuses ``what``; ``account`` says where its keys come from.

    ``path`` is that of the endpoint, if it has one.
    """
    status, code = status_and_code(error)
    if code == "SignatureDoesNotMatch" and path:
        return StoreError(
            f"{place}: refused ({code}) for {what}: the keys in {account} are wrong, or the gateway takes"
            f" {path} away before a service that does not know of it: signatures are over the whole path"
        )
    meaning = meaning_of(status, code)
    if meaning == "passing":
        return StoreUnreachable(f"{place}: busy ({code}) for {what}; try again")
    if meaning == "full":
        return StoreError(f"{place}: the store is full ({code}); {what} was not written")
    if meaning == "clock":
        return StoreError(
            f"{place}: the store's clock and this machine's differ by more than it allows ({code}); set the"
            " clock that is wrong"
        )
    if meaning == "account":
        return StoreError(
            f"{place}: refused the account in {account} ({code}) for {what}; both must hold the"
            " same user, password and session token"
        )
    if meaning == "denied":
        return StoreError(
            f"{place}: refused ({code}) for {what}; check {account} and what that account may do"
        )
    return StoreError(f"{place}: {code} for {what}")


def failure_of(error: Exception, place: str) -> StoreError | StoreUnreachable:
    """Our error for one of ``BROKEN``."""
    refused = not_trusted(error)
    if refused is not None:
        return StoreError(
            f"{place}: no safe connection to the S3 service: {refused}; if your own authority signed "
            "its certificate, set SSL_CERT_FILE (in the chart: objectStore.authority)"
        )
    return StoreUnreachable(
        f"{place}: no answer from the S3 service ({why(error)}); check AWS_ENDPOINT_URL, the "
        "network and, on Kubernetes, that the service runs and the NetworkPolicy allows it and DNS"
    )
