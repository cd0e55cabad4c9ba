"""The S3 service that the environment names: where it is, by which way, and as whom to ask it."""

import ipaddress
import os
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

import urllib3
from minio import Minio
from minio.credentials import Credentials, IamAwsProvider, Provider, StaticProvider
from minio.helpers import BaseURL
from minio.sse import Sse

from nameplate.errors import StoreError, StoreUnreachable, UserError
from nameplate.store.connection import BROKEN, PASSING

Style = Literal["auto", "path", "virtual"]
"""Where the bucket's name goes: into the path, before the host, or as minio's SDK thinks best."""

Encryption = Literal["none", "AES256", "aws:kms"]
"""What the service is asked to encrypt an object with: its own keys, or those of a key management service."""

IDENTITIES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
"""What a cluster puts into a pod whose ServiceAccount stands for an account."""


PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")
"""Of an endpoint: letters that no proxy writes in another way, since the path is signed."""


@dataclass(frozen=True, kw_only=True)
class S3Service:
    """An S3 service."""

    endpoint: str
    """http(s)://host[:port][/path]."""
    region: str = "us-east-1"
    style: str = "auto"
    """One of ``Style``."""
    encryption: str = "none"
    """One of ``Encryption``."""
    key: str = ""
    """Name of the key for ``aws:kms``; empty: the bucket's, or the account's own."""

    def __post_init__(self) -> None:
        where = urlsplit(self.endpoint)
        rest = where.username or where.query or where.fragment
        if (
            where.scheme not in ("http", "https")
            or not where.hostname
            or rest
            or not PATH.fullmatch(where.path)
        ):
            raise UserError(
                "AWS_ENDPOINT_URL: expected http://host:port or https://host:port, perhaps with /path"
            )
        if self.style not in get_args(Style):
            raise UserError(f"NAMEPLATE_S3_STYLE: expected auto, path or virtual, got {self.style!r}")
        if self.style == "virtual" and self.path:
            raise UserError("NAMEPLATE_S3_STYLE: expected auto or path, since AWS_ENDPOINT_URL has a path")
        if self.encryption not in get_args(Encryption):
            raise UserError(
                f"NAMEPLATE_S3_ENCRYPTION: expected none, AES256 or aws:kms, got {self.encryption!r}"
            )
        if self.key and self.encryption != "aws:kms":
            raise UserError("NAMEPLATE_S3_KMS_KEY: expected NAMEPLATE_S3_ENCRYPTION to be aws:kms")

    @property
    def path(self) -> str:
        """The endpoint's path, ``/s3``; empty for a service that has its host to itself."""
        return urlsplit(self.endpoint).path.rstrip("/")

    @property
    def sse(self) -> Sse | None:
        """What goes along with every object that is written; None: the bucket's default decides."""
        return None if self.encryption == "none" else EncryptionHeaders(self.encryption, self.key)

    @classmethod
    def from_environment(cls) -> "S3Service":
        """The service of AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_REGION and NAMEPLATE_S3_STYLE.

        NAMEPLATE_S3_ENCRYPTION and NAMEPLATE_S3_KMS_KEY say how it is to encrypt.
        """
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        return cls(
            endpoint=endpoint or "https://s3.amazonaws.com",
            region=os.environ.get("AWS_REGION") or "us-east-1",
            style=os.environ.get("NAMEPLATE_S3_STYLE") or "auto",
            encryption=os.environ.get("NAMEPLATE_S3_ENCRYPTION") or "none",
            key=os.environ.get("NAMEPLATE_S3_KMS_KEY") or "",
        )

    def settings(self, *, read_timeout: float, retries: urllib3.Retry) -> dict[str, Any]:
        """Arguments of minio's clients besides the account."""
        where = urlsplit(self.endpoint)
        return {
            "endpoint": where.netloc,
            "region": self.region,
            "secure": where.scheme == "https",
            # More connections than the SDK has threads for the parts of a large file.
            "http_client": connections_to(
                self.endpoint,
                maxsize=16,
                timeout=urllib3.Timeout(connect=5, read=read_timeout),
                retries=retries,
            ),
        }

    def client(self, account: Provider, *, read_timeout: float, retries: urllib3.Retry) -> Minio:
        """A client that asks as ``account``."""
        client = Minio(credentials=account, **self.settings(read_timeout=read_timeout, retries=retries))
        if self.path:
            client._base_url = BelowPath(self.endpoint, self.region, self.path)
        if self.style == "path":
            client.disable_virtual_style_endpoint()
        elif self.style == "virtual":
            client.enable_virtual_style_endpoint()
        return client


class BelowPath(BaseURL):  # type: ignore[misc]
    """Addresses below a path of a host, which minio's SDK does not know.

    The path is part of what is signed, as AWS's own tools do it: a gateway that takes it away before the
    service checks the signature must tell the service (X-Forwarded-Prefix), or check it itself.
    """

    def __init__(self, endpoint: str, region: str, path: str) -> None:
        super().__init__(endpoint.removesuffix("/").removesuffix(path), region)
        self._path = path
        self.virtual_style_flag = False

    def build(self, **question: Any) -> SplitResult:
        """The address of a bucket, an object or the service itself."""
        url: SplitResult = super().build(**question)
        return url._replace(path=f"{self._path}{url.path}")


class EncryptionHeaders(Sse):  # type: ignore[misc]
    """The headers that ask for encryption. The SDK's own want a key's name and, for ``aws:kms``, TLS.

    No secret goes along, so plain HTTP, inside a cluster, is no reason to refuse.
    """

    def __init__(self, algorithm: str, key: str) -> None:
        self._headers = {"X-Amz-Server-Side-Encryption": algorithm}
        if key:
            self._headers["X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"] = key

    def headers(self) -> dict[str, str]:
        """By name."""
        return dict(self._headers)

    def tls_required(self) -> bool:
        """Never."""
        return False


def ask_for_bucket(client: Minio, bucket: str, prefix: str) -> None:
    """Ask for the bucket in a way that every account may that may use ``prefix``; raises as the SDK does.

    A GET, because the answer to a HEAD has no body that tells a wrong password from a missing right or a
    missing bucket; of the prefix alone, because the account may see no more of the bucket than that.
    """
    root = f"{prefix.strip('/')}/" if prefix.strip("/") else None
    next(iter(client.list_objects(bucket_name=bucket, prefix=root)), None)


def account_from_environment(place: str) -> Provider:
    """The account of this process, as AWS's own tools find it; ``place`` is for messages.

    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; else what a cluster gives to a pod by its
    ServiceAccount: AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN, or AWS_CONTAINER_CREDENTIALS_FULL_URI or
    _RELATIVE_URI. Raises UserError where there is neither.
    """
    keys = {name: os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    if all(keys.values()):
        return StaticProvider(*keys.values(), os.environ.get("AWS_SESSION_TOKEN") or None)
    if not any(keys.values()) and any(os.environ.get(name) for name in IDENTITIES):
        return IdentityOfThePod()
    missing = " and ".join(name for name, value in keys.items() if not value)
    raise UserError(f"{place}: {missing} not set in the environment")


class IdentityOfThePod(Provider):  # type: ignore[misc]
    """A temporary account, got for the identity of this pod's ServiceAccount and renewed before it ends."""

    def __init__(self) -> None:
        region = os.environ.get("AWS_REGION")
        by_token = bool(os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"))
        if by_token:
            usual = f"sts.{region}.amazonaws.com" if region else "sts.amazonaws.com"
            usual += ".cn" if (region or "").startswith("cn-") else ""
            self.place = os.environ.get("AWS_ENDPOINT_URL_STS") or f"https://{usual}"
        else:
            self.place = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") or "http://169.254.170.2"
        self._provider = IamAwsProvider(
            custom_endpoint=self.place if by_token else None,
            http_client=connections_to(
                self.place,
                timeout=urllib3.Timeout(connect=5, read=30),
                retries=urllib3.Retry(total=2, backoff_factor=0.3),
            ),
        )

    def retrieve(self) -> Credentials:
        """The account; raises StoreError where it is refused, StoreUnreachable where nobody answers."""
        try:
            return self._provider.retrieve()
        except BROKEN as error:
            raise StoreUnreachable(
                f"{self.place}: no answer to the question for the pod's account ({type(error).__name__})"
            ) from None
        except (ValueError, OSError) as error:
            # The message holds the token.
            status = re.search(r"HTTP status code (\d+)", str(error))
            if status and int(status[1]) in PASSING:
                raise StoreUnreachable(f"{self.place}: busy (HTTP {status[1]}); try again") from None
            raise StoreError(
                f"{self.place}: gave no account to this pod's identity"
                f" ({f'HTTP {status[1]}' if status else type(error).__name__}); check the annotation of the "
                "ServiceAccount (serviceAccounts.annotations) and the role that it names"
            ) from None


def connections_to(url: str, **settings: Any) -> urllib3.PoolManager:
    """Connections to this service, through the proxy that the environment names for it."""
    proxy = proxy_for(url)
    if proxy is None:
        return urllib3.PoolManager(**settings)
    parts = urllib3.util.parse_url(proxy)
    headers = urllib3.make_headers(proxy_basic_auth=parts.auth) if parts.auth else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **settings)


def proxy_for(url: str) -> str | None:
    """The proxy of HTTPS_PROXY or HTTP_PROXY, unless NO_PROXY holds the host: a name, a suffix, or a network.

    A name without a dot is a service in the same cluster, and never behind a proxy.
    """
    where = urlsplit(url)
    host = where.hostname or ""
    proxy = getproxies_environment().get(where.scheme)
    if not proxy or proxy_bypass(host) or proxy_bypass(where.netloc):
        return None
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if "." not in host:
            return None
    else:
        if (
            address.is_loopback
            or address.is_link_local
            or any(address in network for network in _networks_without_proxy())
        ):
            return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _networks_without_proxy() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks of NO_PROXY: 10.0.0.0/8."""
    networks = []
    for entry in getproxies_environment().get("no", "").split(","):
        try:
            networks.append(ipaddress.ip_network(entry.strip().strip("[]"), strict=False))
        except ValueError:
            continue  # a name
    return networks
