"""Our own end of a C-MOVE: the PACS connects to it and sends the images there."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt
from pynetdicom.events import Event, EventHandlerType

from nameplate.campaign.sources import DimseSource
from nameplate.errors import NameplateError, UserError
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.arrivals import Arrivals
from nameplate_ingest.sources.patience import Unanswered
from nameplate_ingest.sources.tls import Certificates

_STORED, _NO_ROOM, _NOT_OURS = 0x0000, 0xA700, 0xC000


def _stored(event: Event, arrivals: Arrivals) -> int:
    """Take in an image that was sent; the answer is a status of C-STORE.

    One of another study was asked for by somebody else, to whom it has not come now: the PACS must know.
    """
    try:
        is_ours = arrivals.take((event.encoded_dataset(),))
    except (NameplateError, Refused):
        return _NO_ROOM
    return _STORED if is_ours else _NOT_OURS


def _acknowledge_soon(event: Event) -> None:
    """Let TCP acknowledge what comes next at once: many senders wait for that between command and image.

    The system makes them wait for 40 ms whenever we have sent something, so it is told then; images come
    in an eighth of the time.
    """
    link = event.assoc.dul.socket
    if link is not None and link.socket is not None and hasattr(socket, "TCP_QUICKACK"):
        with suppress(OSError):
            link.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def storing(arrivals: Arrivals) -> list[EventHandlerType]:
    """What is to be done on an association over which images come."""
    return [(evt.EVT_C_STORE, _stored, [arrivals]), (evt.EVT_DATA_SENT, _acknowledge_soon)]


@contextmanager
def receiving(
    settings: DimseSource, certificates: Certificates, start: str, arrivals: Arrivals
) -> Iterator[None]:
    """Take in what comes to ``receive_port`` for our AE title while the block lasts.

    Where it is encrypted, the PACS has to prove itself by a certificate, and we by ours.
    """
    if settings.tls and (certificates.own is None or certificates.authority is None):
        raise UserError(
            f"source.tls: for retrieve: move, {start}CLIENT_CERT, {start}CLIENT_KEY and {start}AUTHORITY are "
            "needed, since the PACS connects to us"
        )
    ae = AE(ae_title=settings.calling)
    ae.require_called_aet = True
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = settings.timeout_s
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
    try:
        server = ae.start_server(
            ("", settings.receive_port),
            block=False,
            ssl_context=certificates.receiver() if settings.tls else None,
            evt_handlers=storing(arrivals),
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Unanswered("source.receive_port: is used by another process here") from None
        raise UserError(f"source.receive_port: cannot be opened here ({error.strerror})") from None
    assert server is not None
    try:
        yield
    finally:
        server.shutdown()
