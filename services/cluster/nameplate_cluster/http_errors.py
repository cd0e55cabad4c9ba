"""What a cluster's refusals mean: one readable line each, with what to do.

UserError
├── NotThere     the object, or the namespace, does not exist
├── NotAllowed   this account may not do it (403), or the server does not offer it
├── SignedOut    the cluster does not know this account (401)
└── Refused      the request itself was refused (other 4xx)
TryAgain
└── ClusterUnreachable  no answer, or an answer that says later (429, 5xx)
"""

import json

from nameplate.errors import NameplateError, TryAgain, UserError
from nameplate.store.failures import not_trusted, why


class NotThere(UserError):
    """The cluster has no such object."""


class NotAllowed(UserError):
    """This account may not do or see it."""


class SignedOut(UserError):
    """The cluster does not accept the credentials."""


class Refused(UserError):
    """The cluster refuses the request itself."""


class ClusterUnreachable(TryAgain):
    """The cluster does not answer."""


def refusal_of(
    status: int, body: str | bytes | None, *, doing: str, place: str, login: str
) -> NameplateError:
    """The error that an HTTP answer other than 2xx means.

    ``doing`` says what was asked ("list workflows in hospital"), ``place`` names the server, ``login``
    says how to get credentials for it.
    """
    said = message_of(body)
    if status == 401:
        return SignedOut(f"{place} does not accept the credentials (expired?): {login}")
    if status == 403:
        return NotAllowed(
            f"may not {doing}: {said or 'forbidden'}; ask for a role of the chart's "
            "(people.submitters; people.viewers to look)"
        )
    if status == 404:
        return NotThere(f"cannot {doing}: {said or 'not found'}")
    if status == 429 or status >= 500 or status == 0:
        return ClusterUnreachable(f"{place} cannot {doing} now: {said or f'HTTP {status}'}; try again")
    return Refused(f"{place} refuses to {doing}: {said or f'HTTP {status}'}")


def message_of(body: str | bytes | None) -> str:
    """The message in an answer's body, on one line; empty when there is none."""
    if not body:
        return ""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict) and isinstance(parsed.get("error"), dict):
        parsed = parsed["error"]  # as an Argo Server answers in the middle of a stream
    if isinstance(parsed, dict):
        text = str(parsed.get("message") or parsed.get("error") or "")
    return " ".join(text.split())[:300]


def unreachable_of(error: Exception, *, place: str) -> NameplateError:
    """The error that a broken connection means: the user's mistake when it is the certificate."""
    refused = not_trusted(error)
    if refused is not None:
        advice = "the certificate is not trusted here (another address? a private authority?)"
        return Refused(f"{place}: {advice}: {refused}")
    return ClusterUnreachable(f"{place} is not reachable: {why(error)}; is it running, and is the VPN up?")
