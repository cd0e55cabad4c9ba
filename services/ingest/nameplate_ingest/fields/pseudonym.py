"""Pseudonyms: keyed hashes that nobody can reverse, or create, without the key."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["p", "e", "s", "f", "i"]


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes pseudonyms: the kind's letter and 16 hex digits of an HMAC-SHA256."""

    key: bytes = field(repr=False)

    def of(self, kind: Kind, *values: str | bytes) -> str:
        """The pseudonym of a patient, exam, series, file or institution.

        Values are length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
        """
        mac = hmac.new(self.key, kind.encode(), hashlib.sha256)
        for value in values:
            raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
            mac.update(len(raw).to_bytes(8, "little"))
            mac.update(raw)
        return kind + mac.hexdigest()[:16]

    def token(self, kind: str, value: str) -> str:
        """A short token for technical text that may not leave as it is, such as ``model-3fa2c1d0``."""
        return f"{kind}-{hmac.new(self.key, f'{kind}:{value}'.encode(), hashlib.sha256).hexdigest()[:8]}"


def in_shard(pseudonym: str, shard: tuple[int, int]) -> bool:
    """Whether an exam's pseudonym falls into shard i of n.

    >>> in_shard("e000000000000000f", (1, 2)), in_shard("e000000000000000f", (0, 2))
    (True, False)
    """
    part, parts = shard
    return int(pseudonym[1:], 16) % parts == part
