"""Technical free text on its way out of ingest: what is known leaves in one spelling, the rest as a token.

Model, software and kernel are typed in by people, and hold names of sites, dates and patients. So nothing
leaves because it looks harmless, only because a table knows it.
"""

import re
from collections.abc import Callable, Collection
from functools import cache, lru_cache

from nameplate_ingest.fields.device_models import MODELS
from nameplate_ingest.fields.kernel import known_kernel
from nameplate_ingest.fields.software import known_software
from nameplate_ingest.fields.spelling import Literals

Token = Callable[[str, str], str]
"""A keyed token, such as ``model-3fa2c1d0``, of the kind of text and the text."""

_MODELS = Literals(MODELS)
_LONGEST = 40
_SECRET_PART = 4
"""Letters from which a secret is also looked for inside other words."""
_RUN = re.compile(r"[^\W_]+")
_YEAR, _MONTH, _DAY = r"(?:1[89]|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_WORDS_OF_MONTHS = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zä]*"
_DATES = (
    rf"{_YEAR}[-./_ ]?{_MONTH}[-./_ ]?{_DAY}(?:[ _t]?\d\d:?\d\d(?::?\d\d)?)?",
    rf"{_YEAR}年{_MONTH}月(?:{_DAY}日)?",
    rf"{_DAY}[-./_]{_MONTH}[-./_](?:{_YEAR}|\d\d)",
    rf"{_MONTH}[-./_]{_DAY}[-./_](?:{_YEAR}|\d\d)",
    rf"\d{{1,2}}[-. ]?{_WORDS_OF_MONTHS}[-. ]?\d{{2,4}}",
    rf"{_YEAR}[-. ]?{_WORDS_OF_MONTHS}[-. ]?\d{{1,2}}",
    rf"{_WORDS_OF_MONTHS}[-. ]?\d{{1,2}}(?:st|nd|rd|th)?[-., ]{{1,2}}{_YEAR}",
    r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:1[89]|20)\d\d",
)
_DIGITS_OF_A_DATE = 3
"""A text with fewer digits holds no date."""
_LONG_NUMBER = r"\d{5,}"
_UNSAFE = r"[^A-Za-z0-9 ._+/()\-]+"


def maker_of_model(model: str) -> str | None:
    """The manufacturer whose models alone the text names; None for an unknown model or one of several makers.

    >>> maker_of_model("SOMATOM Definition AS+"), maker_of_model("LightSpeed VCT"), maker_of_model("CT")
    ('Siemens', 'GE', None)
    """
    owners = _owners(model)
    return next(iter(owners)) if len(owners) == 1 else None


def clean_model(
    value: str, maker: str | None, secrets: Collection[str], *, token: Token, allow: bool = False
) -> str:
    """The scanner's model as it may leave ingest: the known part of it, or a token.

    ``secrets`` are words of the patient and the site, case folded, which never leave, not even in a known
    name. ``allow`` lets unknown text out too, without secrets, dates, long numbers and uncommon signs. Empty
    text, and text of nothing but these, stays empty.
    """
    return _cleaned("model", value, secrets, lambda text: known_model(text, maker), token, allow)


def clean_software(
    value: str, maker: str | None, secrets: Collection[str], *, token: Token, allow: bool = False
) -> str:
    """The software version as it may leave ingest; see ``clean_model``."""
    del maker  # a form is what it is, whoever is said to have made the scanner
    return _cleaned("software", value, secrets, known_software, token, allow)


def clean_kernel(
    value: str, maker: str | None, secrets: Collection[str], *, token: Token, allow: bool = False
) -> str:
    """The convolution kernel as it may leave ingest; see ``clean_model``."""
    del maker
    return _cleaned("kernel", value.split("\\", 1)[0], secrets, known_kernel, token, allow)


@lru_cache(maxsize=1024)
def known_model(value: str, maker: str | None = None) -> str:
    """The part of the value that is a known model, in one spelling, ``maker``'s first; '' if none is.

    >>> known_model("somatom definition as+"), known_model("LightSpeed16 (room 4)"), known_model("HOST-7714")
    ('SOMATOM Definition AS+', 'LightSpeed 16', '')
    """
    found = _MODELS.find(value, maker)
    return found.name if found else ""


@lru_cache(maxsize=1024)
def _owners(model: str) -> frozenset[str]:
    return _MODELS.owners(model)


def _cleaned(
    kind: str, value: str, secrets: Collection[str], known: Callable[[str], str], token: Token, allow: bool
) -> str:
    told, value = frozenset(secrets), value.replace("|", " ").strip(" \0")
    if known(value) == value and told.isdisjoint(_runs(value)):
        return value
    # What is taken out leaves a bar, so that the words on its two sides never make a known name together.
    safe = _undated(_without(value, told))
    found = known(safe)
    if found and told.isdisjoint(_runs(found)):
        return found
    parts = [
        part for part in re.sub(_LONG_NUMBER, "|", safe).replace("|", " ").split() if not _holds(part, told)
    ]
    rest = re.sub(_UNSAFE, " ", " ".join(parts))[:_LONGEST] if allow else " ".join(parts)
    # Once more, as taking something out of a word can leave a secret behind.
    rest = " ".join(_without(rest, told).replace("|", " ").split())
    if not _RUN.search(rest):
        return ""
    return rest if allow else token(kind, " ".join(_runs(rest)))


@cache
def _date() -> re.Pattern[str]:
    """Compiled when first needed: it takes longer than all else that is done with a small study's texts."""
    return re.compile(rf"(?<!\d)(?:{'|'.join(_DATES)})(?!\d)", re.IGNORECASE)


def _undated(text: str) -> str:
    digits = sum(map(str.isdigit, text))
    return _date().sub("|", text) if digits >= _DIGITS_OF_A_DATE else text


def _without(text: str, secrets: frozenset[str]) -> str:
    return _RUN.sub(lambda run: "|" if run[0].casefold() in secrets else run[0], text)


def _holds(part: str, secrets: frozenset[str]) -> bool:
    folded = part.casefold()
    return any(secret in folded for secret in secrets if len(secret) >= _SECRET_PART)


def _runs(text: str) -> list[str]:
    return _RUN.findall(text.casefold())
