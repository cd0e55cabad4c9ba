"""What went wrong on the way to a server, in words of ours: those of libraries hold addresses."""

import socket
from typing import TypeVar

import requests
from urllib3.exceptions import NewConnectionError

E = TypeVar("E", bound=BaseException)


def inside(error: BaseException | None, kind: type[E]) -> E | None:
    """The first error of a kind inside another one, or that one itself."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, kind):
            return error
        seen.add(id(error))
        inner = getattr(error, "reason", None)
        nested = [arg for arg in (inner, *error.args) if isinstance(arg, BaseException)]
        error = nested[0] if nested else error.__cause__ or error.__context__
    return None


def is_no_host(error: BaseException) -> bool:
    """Whether those who give names say that there is no such host; not where they do not answer."""
    found = inside(error, socket.gaierror)
    return found is not None and found.errno == socket.EAI_NONAME


def had_connected(error: BaseException) -> bool:
    """Whether there was a connection, and what was asked for did not come over it."""
    return not isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError) and (
        inside(error, NewConnectionError) is None and "Connection refused" not in repr(error)
    )


def why(error: BaseException) -> str:
    """In a few words."""
    told = repr(error)
    if isinstance(error, requests.Timeout) or "timed out" in told.lower():
        return "no answer in time"
    for sign, words in (
        ("Connection refused", "connection refused"),
        ("NameResolutionError", "unknown host"),
        ("ProxyError", "the proxy"),
        ("reset by peer", "connection closed"),
        ("RemoteDisconnected", "connection closed"),
        ("IncompleteRead", "cut short"),
    ):
        if sign in told:
            return words
    return type(error).__name__
