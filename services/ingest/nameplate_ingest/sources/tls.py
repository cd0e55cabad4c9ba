"""Certificates of an account: what we trust, and who we are."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from nameplate.errors import UserError
from nameplate_ingest.sources.account import SourceAccount

AUTHORITY, CERTIFICATE, KEY = "AUTHORITY", "CLIENT_CERT", "CLIENT_KEY"

_HANDSHAKE_S = 5.0
_LISTEN_S = 1.0
"""How long a server may take to refuse our certificate."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of files that were looked into: each holds what it should."""

    authority: str | None
    own: tuple[str, str] | None
    """Our certificate and its key."""

    def context(self) -> ssl.SSLContext:
        """For a connection that we open: the other side has to prove itself."""
        context = ssl.create_default_context(cafile=self.authority)
        if self.own is not None:
            _load(context, *self.own)
        return context

    def receiver(self) -> ssl.SSLContext:
        """For connections that are opened to us: both sides have to prove themselves."""
        context = _Receiver(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.authority)
        if self.own is not None:
            _load(context, *self.own)
        return context


class _Receiver(ssl.SSLContext):
    """Does not wait for ever for who connects and then says nothing: nobody else could connect meanwhile."""

    def wrap_socket(self, sock: socket.socket, *_: Any, **__: Any) -> ssl.SSLSocket:
        """As a server, with the handshake."""
        sock.settimeout(_HANDSHAKE_S)
        secured = super().wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        try:
            secured.do_handshake()
        except (OSError, ValueError):
            secured.close()
            raise
        secured.settimeout(None)
        return secured


@contextmanager
def certificates_of(account: SourceAccount) -> Iterator[Certificates]:
    """The account's certificates while the block lasts; UserError for what is none."""
    with ExitStack() as files:
        account.pair(CERTIFICATE, KEY)
        paths = [files.enter_context(account.certificate(name)) for name in (AUTHORITY, CERTIFICATE, KEY)]
        authority, certificate, key = paths
        own = None if certificate is None or key is None else (certificate, key)
        found = Certificates(authority, own)
        if authority is not None:
            try:
                ssl.create_default_context(cafile=authority)
            except (ssl.SSLError, OSError):
                raise UserError(f"{account.start}{AUTHORITY}: holds no certificate (PEM)") from None
        if own is not None:
            try:
                found.context()
            except (ssl.SSLError, OSError, ValueError):
                raise UserError(
                    f"{account.start}{CERTIFICATE} and {account.start}{KEY}: are no certificate and its key "
                    "(PEM, without a passphrase)"
                ) from None
        yield found


def refusal_of(error: ssl.SSLError, start: str) -> str | None:
    """What to do about a connection that came to nothing; None where it may succeed later.

    ``start`` is that of the account's variables.
    """
    told = str(error)
    if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in told:
        why = "is not trusted"
        if "ostname mismatch" in told or "IP address mismatch" in told:
            why = "is for another host name"
        elif "expired" in told:
            why = "has expired"
        return f"the server's certificate {why}: {start}{AUTHORITY} names the authority to trust (PEM)"
    if "WRONG_VERSION_NUMBER" in told or "HTTP_REQUEST" in told or "RECORD_LAYER" in told:
        return "the server does not speak TLS at this port"
    if "alert" in told.lower() or "HANDSHAKE" in told:
        return (
            f"the server refuses our certificate, or wants one: {start}{CERTIFICATE} and {start}{KEY} hold it"
        )
    return None


def refusal_by(host: str, port: int, context: ssl.SSLContext, timeout_s: float, start: str) -> str | None:
    """The same, found out by a connection that is for nothing else.

    What a server says of our certificate comes after the handshake, and is lost where we were just writing.
    """
    try:
        with (
            socket.create_connection((host, port), timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            secured.settimeout(_LISTEN_S)
            secured.read(1)
    except ssl.SSLError as error:
        return refusal_of(error, start)
    except OSError:
        return None
    return None


def _load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """A key that needs a passphrase is an error: nobody is there to be asked for it."""
    context.load_cert_chain(certificate, key, password=lambda: "")
