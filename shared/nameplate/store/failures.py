"""What went wrong on the way to a server, in words of ours: those of libraries hold addresses."""

import socket
import ssl
from collections.abc import Iterator
from typing import TypeVar

from urllib3 import exceptions

E = TypeVar("E", bound=BaseException)
_ENDED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError, TimeoutError)


def inside(error: BaseException | None, kind: type[E]) -> E | None:
    """The first error of a kind inside another one, or that one itself."""
    return next((found for found in _chain(error) if isinstance(found, kind)), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, the one that it was made of, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        inner = getattr(error, "reason", None)
        nested = [arg for arg in (inner, *error.args) if isinstance(arg, BaseException)]
        error = nested[0] if nested else error.__cause__ or error.__context__


def is_no_host(error: BaseException) -> bool:
    """Whether those who give names say that there is no such host; not where they do not answer."""
    found = inside(error, socket.gaierror)
    return found is not None and found.errno == socket.EAI_NONAME


def had_connected(error: BaseException) -> bool:
    """Whether there was a connection, and what was asked for did not come over it."""
    before = (exceptions.ConnectTimeoutError, exceptions.NewConnectionError, exceptions.ProxyError)
    return all(inside(error, kind) is None for kind in before) and "Connection refused" not in repr(error)


def not_trusted(error: BaseException) -> str | None:
    """Why no safe connection came about, as OpenSSL says it without its source line; None if it is not that.

    A safe connection that ends or falls silent says nothing of trust.
    """
    found = inside(error, ssl.SSLError) or inside(error, exceptions.SSLError)
    if found is None or any(inside(error, kind) is not None for kind in _ENDED):
        return None
    text = " ".join(str(found).split()).partition(" (_ssl.c")[0]
    return text.partition("] ")[2] or text


def why(error: BaseException) -> str:
    """In a few words."""
    chain = list(_chain(error))
    told = " ".join(map(repr, chain))
    if inside(error, socket.gaierror) or inside(error, exceptions.NameResolutionError):
        return "no such host" if is_no_host(error) else "unknown host"
    for sign, words in (
        ("Connection refused", "connection refused"),
        ("ProxyError", "the proxy"),
        ("reset by peer", "connection closed"),
        ("RemoteDisconnected", "connection closed"),
        ("SSLEOFError", "connection closed"),
        ("SSLZeroReturnError", "connection closed"),
        ("No route to host", "no route there"),
        ("Network is unreachable", "no route there"),
        ("Network is down", "no route there"),
        ("IncompleteRead", "cut short"),
        ("timed out", "no answer in time"),
    ):
        if sign in told:
            return words
    silent = inside(error, TimeoutError) or inside(error, exceptions.ReadTimeoutError)
    return type(chain[-1]).__name__ if silent is None else "no answer in time"
