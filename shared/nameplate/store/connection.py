"""Why an S3 service gave no answer: a wrong certificate (a mistake), or anything that may pass."""

import urllib3

from nameplate.errors import StoreError, StoreUnreachable

# Error codes of S3, as MinIO, AWS and others return them.
WRONG_ACCOUNT = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"}
FULL = {"XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "InsufficientCapacity"}
BUSY = {"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "XMinioServerNotInitialized"}

BROKEN = (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError)
"""What a failed connection raises."""


def cause_of(error: Exception) -> Exception:
    """The error behind urllib3's "max retries exceeded"."""
    while isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        error = error.reason
    return error


def failure_of(error: Exception, place: str) -> StoreError | StoreUnreachable:
    """Our error for one of ``BROKEN``."""
    cause = cause_of(error)
    if isinstance(cause, urllib3.exceptions.SSLError):
        return StoreError(
            f"{place}: no safe connection to the S3 service: {_plain(cause)}; if your own authority signed "
            "its certificate, set SSL_CERT_FILE (in the chart: objectStore.authority)"
        )
    return StoreUnreachable(
        f"{place}: no answer from the S3 service ({type(error).__name__}); check AWS_ENDPOINT_URL, the "
        "network and, on Kubernetes, that the service runs and the NetworkPolicy allows it and DNS"
    )


def _plain(error: Exception) -> str:
    """OpenSSL's message, without its source line."""
    text = " ".join(str(error).split())
    return text.partition("] ")[2].partition(" (_ssl.c")[0] or text
