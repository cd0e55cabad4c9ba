"""Associations with a PACS: how we are let in, and what to do where we are not."""

import logging
import socket
import ssl
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pydicom.config import disable_value_validation
from pynetdicom import AE, _config, build_role
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from nameplate.campaign.sources import DimseSource
from nameplate.errors import UserError
from nameplate.store.failures import is_no_host
from nameplate_ingest.sources.patience import Unanswered
from nameplate_ingest.sources.tls import Certificates, refusal_by

# Their lines hold what is asked and answered: names of patients. Whatever matters is an error of ours.
for _name in ("pynetdicom", "pydicom"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False

_PERMANENT = 1
_SERVICE_USER = 1
_NOT_KNOWN = {
    3: "the PACS does not know our AE title: its administrator enters `calling` with our address",
    7: "the PACS has another AE title than `called`",
}


@contextmanager
def quietly() -> Iterator[None]:
    """No warning of a value that is not as the standard has it: warnings hold the value."""
    with disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def associated(
    settings: DimseSource,
    certificates: Certificates,
    start: str,
    service: str,
    offers: Sequence[PresentationContext] = (),
    handlers: Sequence[Any] = (),
) -> Iterator[Association]:
    """An association for ``service``, over which objects of the kinds ``offers`` may be sent to us.

    Raises UserError where we are refused for good, Unanswered where not. It is released at the end, or
    aborted if the block failed. ``start`` is that of the account's variables.
    """
    ae = AE(ae_title=settings.calling)
    ae.connection_timeout = ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = settings.timeout_s
    ae.add_requested_context(service)
    contexts = [*ae.requested_contexts, *offers]
    roles = [build_role(str(kind), scp_role=True) for kind in {one.abstract_syntax for one in offers}]
    tls = (certificates.context(), settings.host) if settings.tls else None
    link = ae.associate(
        settings.host,
        settings.port,
        contexts=contexts,
        ae_title=settings.called,
        ext_neg=list(roles),
        tls_args=tls,
        evt_handlers=list(handlers),
    )
    if not link.is_established:
        _refused(link, settings, start, tls)
    done = False
    try:
        if service not in {one.abstract_syntax for one in link.accepted_contexts}:
            _not_offered()
        yield link
        done = True
    finally:
        if link.is_established:
            link.release() if done else link.abort()


def unanswered(settings: DimseSource, since: float) -> Unanswered:
    """What it means that no message came; ``since`` is when the last one did, by ``time.monotonic``."""
    if time.monotonic() - since < settings.timeout_s:
        return Unanswered("source.host: the PACS broke off: does it know our AE title, `calling`?")
    return Unanswered("source.host: no answer in time")


def _not_offered() -> None:
    raise UserError(
        "source: the PACS does not offer what is asked of it; where C-GET is not, `retrieve: move` may be"
    )


def _refused(
    link: Association, settings: DimseSource, start: str, tls: tuple[ssl.SSLContext, str] | None
) -> None:
    """Say why there is no association."""
    answer = link.acceptor.primitive
    if link.is_rejected and answer is not None:
        if answer.result == _PERMANENT and answer.result_source == _SERVICE_USER:
            why = _NOT_KNOWN.get(answer.diagnostic or 0, "the PACS refuses the association")
            raise UserError(f"source: {why}")
        raise Unanswered("source.host: the PACS takes no further association now")
    if link.rejected_contexts and not link.accepted_contexts:
        _not_offered()
    if tls is not None:
        told = refusal_by(settings.host, settings.port, tls[0], settings.timeout_s, start)
        if told is not None:
            raise UserError(f"source.host: {told}")
    try:
        socket.getaddrinfo(settings.host, settings.port)
    except socket.gaierror as error:
        if is_no_host(error):
            raise UserError("source.host: there is no host of this name") from None
    raise Unanswered("source.host: does not answer at its port")
