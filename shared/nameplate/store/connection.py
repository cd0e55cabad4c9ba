"""Why an S3 service gave no answer: its certificate, which is a mistake, or anything that may pass."""

import urllib3

from nameplate.errors import StoreError, StoreUnreachable

# Codes of S3's answers, as MinIO, AWS and others give them.
WRONG_ACCOUNT = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"}
FULL = {"XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "InsufficientCapacity"}
BUSY = {"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "XMinioServerNotInitialized"}

BROKEN = (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError)
"""What a connection that came to nothing raises."""


def cause_of(error: Exception) -> Exception:
    """What lies behind the report that no further attempt will be made."""
    while isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        error = error.reason
    return error


def failure_of(error: Exception, place: str) -> StoreError | StoreUnreachable:
    """The error of ours that one of ``BROKEN`` stands for."""
    cause = cause_of(error)
    if isinstance(cause, urllib3.exceptions.SSLError):
        return StoreError(
            f"{place}: no safe connection to the S3 service: {_plain(cause)}; where an authority of your own "
            "has signed its certificate, name that in SSL_CERT_FILE (the chart: objectStore.authority)"
        )
    return StoreUnreachable(
        f"{place}: no answer from the S3 service ({type(error).__name__}); check AWS_ENDPOINT_URL, the "
        "network and, on Kubernetes, that the service runs and the NetworkPolicy allows DNS and it"
    )


def _plain(error: Exception) -> str:
    """What OpenSSL says, without the line of its source."""
    text = " ".join(str(error).split())
    return text.partition("] ")[2].partition(" (_ssl.c")[0] or text
