"""The objects of a bucket: listed, read in parts, and fetched whole, as long as they are what was listed."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit
from xml.etree import ElementTree

import urllib3
from minio import Minio
from minio.credentials import Provider, StaticProvider
from minio.error import MinioException, S3Error

from nameplate.campaign.sources import BucketSource
from nameplate.errors import TryAgain, UserError
from nameplate.store.connection import BROKEN, failure_of, refusal_of
from nameplate.store.failures import is_no_host, not_trusted, why
from nameplate.store.retrying import with_retries
from nameplate.store.s3_service import IDENTITIES, S3Service, account_from_environment
from nameplate.whole import user_may_write
from nameplate_ingest.sources.account import account_of
from nameplate_ingest.sources.candidate import NotAsListed

T = TypeVar("T")

_PLACE = "source.url"
"""Stands for the bucket in messages: which one it is stands in the campaign file, and no log has to know."""
_PAGE = 1000
_BLOCK = 1 << 20
_KEYS = "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"
_GONE = {"NoSuchKey", "NoSuchObject", "NoSuchVersion"}
_ELSEWHERE = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_DOTS = re.compile(r"(?<=/)\.\.?(?=/|$)")


class Listed(NamedTuple):
    """One object as the list has it."""

    key: str
    size: int
    etag: str


class Objects:
    """The objects below the prefix of a bucket."""

    patience_s = 60.0
    """How long one question is asked again."""

    def __init__(self, settings: BucketSource, should_stop: Callable[[], bool]) -> None:
        where = urlsplit(settings.url)
        self.bucket, path = where.netloc, settings.url.split("/", 3)[3:]
        prefix = "".join(path).rstrip("/")
        self.prefix = f"{prefix}/" if prefix else ""
        self._should_stop = should_stop
        self._client, self._account = _client(settings)

    def listed(self) -> Iterator[Listed]:
        """Every object that is a file, in the order of their keys; raises UserError for none."""
        last: str | None = None
        found = False
        while page := self._asked(lambda: self._page(last), "the list of objects"):  # noqa: B023 (called at once)
            for row in page:
                last = str(row.object_name)
                size = int(row.size or 0)
                if size or not last.endswith("/"):
                    found = True
                    yield Listed(last, size, str(row.etag or "").strip('"'))
            if self._should_stop():
                raise TryAgain("asked to stop")
        if not found:
            raise UserError(f"{_PLACE}: there are no objects below the prefix")

    def read(self, listed: Listed, start: int, count: int) -> bytes:
        """A part of an object."""
        count = min(count, listed.size - start)
        if count <= 0:
            return b""
        return self._asked(lambda: b"".join(self._blocks(listed, start, count)), "an object")

    def fetch(self, listed: Listed, target: Path) -> None:
        """Write an object to a file."""

        def fetch() -> None:
            with user_may_write(target.parent), target.open("wb") as file:
                for block in self._blocks(listed, 0, listed.size) if listed.size else ():
                    file.write(block)

        self._asked(fetch, "an object")

    def _page(self, last: str | None) -> list[Any]:
        rows = self._client.list_objects(
            bucket_name=self.bucket, prefix=self.prefix or None, recursive=True, start_after=last
        )
        return list(islice(rows, _PAGE))

    def _blocks(self, listed: Listed, start: int, count: int) -> Iterator[bytes]:
        headers = {"Range": f"bytes={start}-{start + count - 1}"}
        if listed.etag:
            headers["If-Match"] = f'"{listed.etag}"'
        # Not by get_object: the SDK refuses keys with dots between slashes, which AWS keeps.
        response = self._client._execute(
            "GET", self.bucket, listed.key, headers=headers, preload_content=False, no_body_trace=True
        )
        try:
            if response.status != 206 and count != listed.size:
                raise UserError(f"{_PLACE}: this service does not give parts of objects")
            # As they are stored: an object may say that it is compressed, and not mean the connection.
            for block in response.stream(_BLOCK, decode_content=False):
                count -= len(block)
                yield block
        finally:
            response.close()
            response.release_conn()
        if count:
            raise urllib3.exceptions.ProtocolError("the answer has another length")

    def _asked(self, call: Callable[[], T], what: str) -> T:
        """An answer; what may pass is asked for again."""
        return with_retries(
            lambda: self._translated(call, what), self.patience_s, self._should_stop, passing=(TryAgain,)
        )

    def _translated(self, call: Callable[[], T], what: str) -> T:
        """With the SDK's errors as ours: NotAsListed, UserError, or TryAgain."""
        try:
            return call()
        except S3Error as error:
            code = str(error.code)
            if code in _GONE:
                raise NotAsListed("source-gone", "the object is there no more") from None
            if code == "PreconditionFailed":
                raise NotAsListed("source-changed", "the object was changed since it was listed") from None
            if code == "NoSuchBucket":
                raise UserError(f"{_PLACE}: there is no such bucket") from None
            if code in _ELSEWHERE:
                raise UserError(f"source.region: the bucket is in another region ({code})") from None
            raise refusal_of(error, _PLACE, what, self._account) from None
        except BROKEN as error:
            if not_trusted(error) is not None:
                raise failure_of(error, _PLACE) from None
            if is_no_host(error):
                raise UserError("source.endpoint: there is no host of this name") from None
            raise TryAgain(
                f"{_PLACE}: no answer from the S3 service ({why(error)}); check source.endpoint, "
                "the network and, on Kubernetes, that the NetworkPolicy allows it"
            ) from None
        except MinioException as error:
            raise TryAgain(f"{_PLACE}: bad answer ({type(error).__name__}) for {what}") from None
        except ElementTree.ParseError:
            raise UserError(f"{_PLACE}: the answer is not S3; check source.endpoint") from None
        except ValueError as error:
            raise UserError(f"{_PLACE}: {error}") from None


def _client(settings: BucketSource) -> tuple[Minio, str]:
    """A client, and where its account comes from, for messages."""
    from_environment = S3Service.from_environment()
    endpoint = (settings.endpoint or "https://s3.amazonaws.com").rstrip("/")
    region = settings.region or from_environment.region
    is_stores = endpoint == from_environment.endpoint.rstrip("/")
    try:
        service = S3Service(
            endpoint=endpoint, region=region, style=from_environment.style if is_stores else "auto"
        )
    except UserError:
        raise UserError("source.endpoint: expected http://host:port or https://host:port") from None
    account, told = _account(settings.account, is_stores)
    try:
        client = service.client(
            account,
            read_timeout=120,
            retries=urllib3.Retry(total=0),  # its own warnings hold keys; Objects asks again
        )
    except ValueError as error:
        raise UserError(f"source.endpoint: {error}") from None
    client._http = _AsWritten(client._http)
    # What it warns of is told by our own errors, without the key of an object.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    return client, told


def _account(name: str | None, is_stores: bool) -> tuple[Provider | None, str]:
    """Who asks; None for nobody, as public buckets allow it.

    The account of the store is not shown to another service than the store's.
    """
    account = account_of(name)
    told = " and ".join(f"{account.start}{key}" for key in _KEYS)
    keys = account.pair(*_KEYS)
    if keys is not None:
        return StaticProvider(*keys, account.get("SESSION_TOKEN")), told
    if name is not None:
        raise UserError(f"source.account: {told} are not set in the environment")
    if is_stores and any(os.environ.get(one) for one in ("AWS_ACCESS_KEY_ID", *IDENTITIES)):
        return account_from_environment(_PLACE), "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    return None, f"{told} (not set: asked without an account)"


class _AsWritten:
    """Connections that leave a key as it is: ``a/../b`` is an object's name, not a way to another one."""

    def __init__(self, connections: urllib3.PoolManager) -> None:
        self._connections = connections

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connections, name)

    def urlopen(self, method: str, url: str, *arguments: Any, **named: Any) -> Any:
        """As urllib3's, which would take dots in a path for a way; the service reads both spellings alike."""
        path, question, rest = url.partition("?")
        written = _DOTS.sub(lambda dots: dots[0].replace(".", "%2E"), path)
        return self._connections.urlopen(method, written + question + rest, *arguments, **named)
