"""HTTP with a DICOMweb service: who we are, what an answer means, and nowhere else."""

import logging
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from nameplate.errors import UserError
from nameplate.store.failures import had_connected, inside, is_no_host, why
from nameplate_ingest.sources.account import SourceAccount
from nameplate_ingest.sources.patience import Unanswered, Unserved
from nameplate_ingest.sources.tls import certificates_of, refusal_by, refusal_of

# Their lines hold addresses, and so the UIDs of studies; whatever matters is an error of ours.
for _name in ("dicomweb_client", "urllib3.connectionpool", "urllib3.connection"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

logger = logging.getLogger(__name__)

_LONGEST_LISTING = 256 << 20
_PIECE = 256 << 10
_MOST_REDIRECTS = 5
_PROBE_S = 10.0
_LATER = frozenset((408, 425, 429, 500, 502, 503, 504, 507, 509))
"""Statuses after which the same request may succeed."""
_BUSY = frozenset((429, 503))
"""Those among them that are about the whole service."""


class NotServed(Exception):
    """The service answers that it cannot do this: what that means depends on what was asked."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Forbidden(UserError):
    """We are known, and not let in; to one study perhaps, where there are rights for each."""


class WebSession(requests.Session):
    """Requests of one account to one service.

    ``start`` is that of the account's variables. What may pass is raised as Unanswered, what a person has to
    see to as UserError, any other status that is an error as NotServed.
    """

    def __init__(self, start: str) -> None:
        super().__init__()
        self.start = start
        self.probe: Callable[[], str | None] | None = None
        """Finds out what a server has against our certificate."""
        self.more = False
        """Whether the last answer said that there is more than it held."""
        self.mount("http://", HTTPAdapter(max_retries=0))
        self.mount("https://", HTTPAdapter(max_retries=0))
        # No account from ~/.netrc: it would be sent in place of ours.
        self.trust_env = False

    def request(self, method: Any, url: Any, *_: Any, **options: Any) -> requests.Response:
        """As in ``requests``; without ``stream`` the answer is whole, and not too long to be held."""
        whole = not options.pop("stream", False)
        headers = dict(options.pop("headers", None) or {})
        headers.pop("Host", None)  # dicomweb-client leaves the port out of it
        options |= {"headers": headers, "stream": True, "allow_redirects": False}
        with failures_told(self.start, self.probe):
            response = super().request(method, url, **options)
            for _redirect in range(_MOST_REDIRECTS):
                if not response.is_redirect:
                    break
                target = urljoin(response.url, response.headers["Location"])
                response.close()
                if _origin(target) != _origin(url):
                    raise UserError("source.url: leads to another server; give the address of that one")
                response = super().request(method, target, **options)
            self._check(response)
            if whole:
                _hold(response)
        warned = response.headers.get("Warning", "").lower()
        self.more = "299" in warned and "exceed" in warned
        return response

    def _check(self, response: requests.Response) -> None:
        status = response.status_code
        if status < 300:
            return
        response.close()
        start = self.start
        if status in (401, 403, 407):
            kind = Forbidden if status == 403 else UserError
            raise kind(
                f"source.url: does not let us in ({status}): {start}TOKEN, or {start}USERNAME and "
                f"{start}PASSWORD, hold what it takes"
            )
        if status in _LATER:
            passing = Unanswered if status in _BUSY else Unserved
            raise passing(f"source.url: cannot answer now ({status})", _wait(response.headers))
        raise NotServed(status)


@contextmanager
def session_of(account: SourceAccount, url: str) -> Iterator[WebSession]:
    """A session with the account's token, or name and password, and certificates."""
    with certificates_of(account) as certificates, WebSession(account.start) as session:
        session.verify = certificates.authority or os.environ.get("SSL_CERT_FILE") or True
        session.cert = certificates.own
        session.auth = _auth(account)
        session.proxies = get_environ_proxies(url)
        place = urlsplit(url)
        if place.scheme == "http" and session.auth is not None and not _is_here(place.hostname):
            _tell_of_plain(account.start)
        if place.scheme == "https" and place.hostname and not session.proxies:
            host, port = place.hostname, place.port or 443
            session.probe = lambda: refusal_by(host, port, certificates.context(), _PROBE_S, account.start)
        yield session


def _is_here(host: str | None) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


@cache
def _tell_of_plain(start: str) -> None:
    """Once, and not for each question."""
    logger.warning(
        "source.url begins with http://: what logs us in goes over the network unencrypted",
        extra={"account": f"{start}*"},
    )


@contextmanager
def failures_told(start: str, probe: Callable[[], str | None] | None = None) -> Iterator[None]:
    """What goes wrong on the way, in our words: theirs hold addresses.

    ``probe`` may know what to do about a connection that came to nothing.
    """
    try:
        yield
    except (requests.RequestException, HTTPError) as error:
        tls = inside(error, ssl.SSLError)
        told = None if tls is None else refusal_of(tls, start)
        if told is None and probe is not None:
            told = probe()
        if told is not None:
            raise UserError(f"source.url: {told}") from None
        if isinstance(error, ValueError):  # of requests: an address that is none
            raise UserError("source.url: is no address of a server") from None
        if is_no_host(error):
            raise UserError("source.url: there is no host of this name") from None
        kind = Unserved if had_connected(error) else Unanswered
        raise kind(f"source.url: does not answer ({why(error)})") from None


def pieces_of(response: requests.Response, start: str) -> Iterator[bytes]:
    """The body as it comes."""
    try:
        with response, failures_told(start):
            yield from response.iter_content(_PIECE)
    except Unanswered as error:
        raise Unserved(error.told) from None  # it had begun to answer


class _Token(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _auth(account: SourceAccount) -> AuthBase | None:
    token, pair = account.get("TOKEN"), account.pair("USERNAME", "PASSWORD")
    if token is not None and pair is not None:
        raise UserError(f"{account.start}TOKEN and {account.start}USERNAME: give one of them")
    if token is not None:
        token = token.strip()
        if not token.isascii() or not token.isprintable() or " " in token:
            raise UserError(f"{account.start}TOKEN: holds characters that no token has")
        return _Token(token)
    return None if pair is None else HTTPBasicAuth(pair[0].encode(), pair[1].encode())


def _hold(response: requests.Response) -> None:
    """Read the body, and put it where ``requests`` looks for it."""
    data = response.raw.read(_LONGEST_LISTING + 1, decode_content=True)
    response.close()
    if len(data) > _LONGEST_LISTING:
        raise UserError("source: one answer is longer than 256 MiB; a smaller window_days makes it shorter")
    response.raw = BytesIO(data)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds that a Retry-After asks for."""
    told = headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(told[:9])
    try:
        at = parsedate_to_datetime(told)
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp())
