"""Amounts of resources as Kubernetes writes them: 500m, 2, 1.5Gi, 100M."""

import re
from fractions import Fraction

_SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{letter: Fraction(1000) ** (power + 1) for power, letter in enumerate("kMGTPE")},
    **{letter + "i": Fraction(1024) ** (power + 1) for power, letter in enumerate("KMGTPE")},
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkKMGTPE]i?)?)")


def parse_quantity(text: str | int | float) -> Fraction:
    """The amount as a number of units (cores, bytes, GPUs); ValueError when it is not one.

    >>> parse_quantity("500m"), parse_quantity("1Ki"), parse_quantity("2e3")
    (Fraction(1, 2), Fraction(1024, 1), Fraction(2000, 1))
    """
    match = _QUANTITY.fullmatch(str(text).strip())
    if match is None or (match[3] or "") not in _SUFFIXES:
        raise ValueError(f"not a quantity: {text!r}")
    exponent = Fraction(10) ** int(match[2][1:]) if match[2] else Fraction(1)
    return Fraction(match[1]) * exponent * _SUFFIXES[match[3] or ""]


def show_quantity(resource: str, amount: Fraction) -> str:
    """The amount in readable form: bytes in GiB, anything else as a plain number.

    >>> show_quantity("memory", parse_quantity("1536Mi")), show_quantity("cpu", parse_quantity("100m"))
    ('1.5 GiB', '0.1')
    """
    if "memory" in resource or "storage" in resource:
        return f"{float(amount / 1024**3):.3g} GiB"
    return f"{float(amount):g}"
