"""TLS in front of a server that speaks none, with certificates made for a test."""

import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Made:
    """A key and its certificate, which vouches for itself."""

    certificate: Path
    key: Path


def self_made(folder: Path, alternative: str = "IP:127.0.0.1") -> Made:
    """A certificate for an address or a name; skips without openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl program on PATH")
    folder.mkdir(exist_ok=True)
    made = Made(folder / "certificate.pem", folder / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=site", "-addext", f"subjectAltName={alternative}",
         "-keyout", str(made.key), "-out", str(made.certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


@contextmanager
def tls_front(port: int, made: Made, client: Path | None = None) -> Iterator[int]:
    """A port of this machine that decrypts for another; ``client`` is whom a client's certificate is from."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    if client is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client)
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = [listener]

    def serve(plain: socket.socket) -> None:
        outer = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        with outer, suppress(OSError):
            outer.do_handshake()
            with socket.create_connection(("127.0.0.1", port)) as inner:
                sockets.extend((outer, inner))
                _pump(outer, inner)

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(plain,)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # each is closed by the thread that it wakes
        for thread in (accepting, *threads):
            thread.join()
        listener.close()


def _pump(outer: ssl.SSLSocket, inner: socket.socket) -> None:
    """Pass on what comes from either side until one of them ends; in one thread, as TLS has to be."""
    while True:
        ready = [outer] if outer.pending() else select.select([outer, inner], [], [])[0]
        for source in ready:
            data = source.recv(1 << 16)
            if not data:
                return
            (inner if source is outer else outer).sendall(data)
