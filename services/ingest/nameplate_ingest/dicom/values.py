"""Raw values of DICOM elements as text and numbers; what is malformed is None or empty, never an error."""

import math
import re
import warnings

_LONGEST_TEXT = 256
_SIGNS = re.compile(r"[\s_-]")


def text(raw: bytes | None) -> str:
    """An element as text, without padding; bytes that are not ASCII are kept as Latin-1."""
    return raw.decode("latin-1").strip(" \0\n\r\t") if raw else ""


def decoded(raw: bytes | None, charset: str) -> str:
    """Free text for matching only, at most 256 characters, in the file's own character set."""
    if not raw:
        return ""
    if raw.isascii() and b"\x1b" not in raw:
        return text(raw)[:_LONGEST_TEXT]
    # Imported here: it takes longer than the whole scan of a small study.
    from pydicom.charset import convert_encodings, decode_bytes, python_encoding

    # Of a set that it does not know pydicom would write the name to a log, and try it on Python's codecs.
    known = {_SIGNS.sub("", name): name for name in python_encoding}
    sets = [known[name] for part in charset.split("\\") if (name := _SIGNS.sub("", part.upper())) in known]
    if not sets:
        return text(raw)[:_LONGEST_TEXT]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            whole = decode_bytes(raw, convert_encodings(sets), set())
        except (LookupError, UnicodeError, ValueError):
            return text(raw)[:_LONGEST_TEXT]
    return whole.strip(" \0")[:_LONGEST_TEXT]


def number(raw: bytes | None) -> float | None:
    """The first value of a decimal or integer string; None if absent, malformed or not finite."""
    if not raw:
        return None
    try:
        value = float(raw.split(b"\\", 1)[0].strip(b" \0"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def numbers(raw: bytes | None, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` finite values of a decimal string."""
    if not raw:
        return None
    try:
        values = tuple(float(part) for part in raw.strip(b" \0").split(b"\\"))
    except ValueError:
        return None
    return values if len(values) == count and all(map(math.isfinite, values)) else None


def positive(value: float | None) -> float | None:
    """The value if it is above zero."""
    return value if value is not None and value > 0 else None


def short(raw: bytes | None, little: bool) -> int | None:
    """An unsigned 16-bit value in the file's byte order."""
    return int.from_bytes(raw[:2], "little" if little else "big") if raw and len(raw) >= 2 else None
