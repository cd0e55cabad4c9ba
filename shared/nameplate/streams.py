"""Named random streams: every random number of a campaign comes from one of these.

A stream is named by the campaign's seed and by what the number is for (job, purpose, exam...).
The same name gives the same numbers on every machine, in any order of execution.
"""

import hashlib

import numpy as np


def stream_seed(seed: int, *names: str | int) -> int:
    """The 128-bit integer that seeds the stream of this name.

    Names are length-prefixed before hashing, so that ("ab", "c") and ("a", "bc") differ.
    """
    digest = hashlib.sha256()
    for name in (seed, *names):
        encoded = str(name).encode()
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return int.from_bytes(digest.digest()[:16], "little")


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A fresh generator for the stream of this name.

    >>> stream(7, "sphere", "exam-1").integers(100) == stream(7, "sphere", "exam-1").integers(100)
    np.True_
    """
    return np.random.Generator(np.random.PCG64(stream_seed(seed, *names)))
