"""Broken connections are told in a few words, whichever library met them and however deep it put them."""

import errno
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import BadStatusLine

import pytest
import requests
import urllib3
from tests.conftest import free_port

from nameplate.errors import StoreUnreachable
from nameplate.store.connection import failure_of
from nameplate.store.failures import had_connected, inside, is_no_host, not_trusted, why


@contextmanager
def talking(answer: bytes | None) -> Iterator[str]:
    """Whoever connects gets these bytes and the end of the connection; with None, nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                if answer is None:
                    gone.wait(5)
                else:
                    connection.sendall(answer)

        gone = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/x"
        finally:
            gone.set()
            thread.join()


ASK: dict[str, Callable[[str], object]] = {
    "requests": lambda address: requests.get(address, timeout=0.3),
    "urllib3": lambda address: urllib3.PoolManager(retries=0).request("GET", address, timeout=0.3),
}


def failed(library: str, address: str) -> Exception:
    with pytest.raises((urllib3.exceptions.HTTPError, requests.RequestException)) as caught:
        ASK[library](address)
    return caught.value


@pytest.mark.parametrize("library", ASK)
class TestEitherLibrary:
    def test_nobody_listens(self, library: str) -> None:
        error = failed(library, f"http://127.0.0.1:{free_port()}/x")
        assert why(error) == "connection refused"
        assert not had_connected(error)

    def test_a_host_that_nobody_knows(self, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        error = failed(library, "http://pacs.example.org/x")
        assert why(error) == "no such host"
        assert is_no_host(error)
        assert not had_connected(error)

    def test_a_silent_name_server_is_no_word_on_the_host(
        self, library: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def silent(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        monkeypatch.setattr(socket, "getaddrinfo", silent)
        error = failed(library, "http://pacs.example.org/x")
        assert why(error) == "unknown host"
        assert not is_no_host(error)

    def test_a_server_that_hangs_up(self, library: str) -> None:
        with talking(b"") as address:
            error = failed(library, address)
        assert why(error) == "connection closed"
        assert had_connected(error)

    def test_a_server_that_is_silent(self, library: str) -> None:
        with talking(None) as address:
            error = failed(library, address)
        assert why(error) == "no answer in time"
        assert had_connected(error)


def test_what_openssl_says_is_found_and_its_source_line_is_not_shown() -> None:
    said = ssl.SSLCertVerificationError(
        1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)"
    )
    wrapped = urllib3.exceptions.MaxRetryError(
        urllib3.HTTPConnectionPool("h", 1), "/x", urllib3.exceptions.SSLError(said)
    )
    assert not_trusted(requests.exceptions.SSLError(wrapped)) == (
        "certificate verify failed: self-signed certificate"
    )
    assert not_trusted(ConnectionResetError("reset by peer")) is None


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol (_ssl.c:2427)"), "connection closed"),
        (TimeoutError("The read operation timed out"), "no answer in time"),
        (ssl.SSLSyscallError(5, "Some I/O error occurred (_ssl.c:1)"), "SSLSyscallError"),
    ],
)
def test_a_safe_connection_that_ends_says_nothing_of_trust(ended: Exception, told: str) -> None:
    wrapped = urllib3.exceptions.MaxRetryError(
        urllib3.HTTPConnectionPool("h", 1), "/x", urllib3.exceptions.SSLError(ended)
    )
    assert not_trusted(wrapped) is None
    assert why(wrapped) == told
    assert isinstance(failure_of(wrapped, "s3://bias"), StoreUnreachable)


def test_errors_that_name_each_other_have_an_end() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert inside(one, KeyError) is None


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN])
def test_a_network_that_is_not_there_is_said_to_be_that(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket.socket, "connect", lost)
    assert why(failed("urllib3", "http://127.0.0.1:9/x")) == "no route there"


def test_an_error_without_words_of_ours_is_named_by_what_is_deepest_in_it() -> None:
    pool = urllib3.HTTPConnectionPool("h", 1)
    assert why(urllib3.exceptions.MaxRetryError(pool, "/x", BadStatusLine("secret"))) == "BadStatusLine"


def test_what_nobody_foresaw_is_named_by_its_kind() -> None:
    assert why(urllib3.exceptions.DecodeError("secret address")) == "DecodeError"
