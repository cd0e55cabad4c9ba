"""Names that a campaign file uses without defining them."""

ORIGINAL, SKULL = "original", "skull"
"""Datasets beside those of the difficulties."""
MIXED = "mixed"
"""The training set of all levels of the factor."""


def slug(name: str) -> str:
    """A training set ('Revolution CT') as part of a key or a file's name; different names stay different."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else f"_{ord(c):x}_" for c in name)
    return plain if plain[0].isalnum() else f"x{plain}"
