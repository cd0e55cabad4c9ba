"""What an archive may cost, and how it ends when it is not what it says."""

MOST_OF_ONE = 4 << 30
"""Bytes of one file; an enhanced CT of 2,000 frames has a quarter of that."""
MOST_MEMBERS = 1_000_000
"""Members of one archive, with those of the archives inside."""
MOST_OF_A_STUDY = 64 << 30
"""Bytes of one study that are fetched."""
LONGEST_NAME = 4096
_FREE = 64 << 20
RATIO = 250
"""Bytes out of one byte. Real CT packs to a half, images of plain air to a hundredth."""


class BadArchive(Exception):
    """An archive that nothing is taken from, also not what was read of it before.

    A study may be cut in two where an archive ends early, and nobody would see it.
    """

    def __init__(self, rule: str, seen: str) -> None:
        super().__init__(rule, seen)
        self.rule, self.seen = rule, seen


def damaged(seen: str) -> BadArchive:
    """The end of an archive that contradicts itself."""
    return BadArchive("archive-damaged", seen)


class Budget:
    """What one archive of ``size`` bytes may become, all archives inside it included."""

    def __init__(self, size: int) -> None:
        self._bytes = _FREE + RATIO * size
        self._members = MOST_MEMBERS

    def spend(self, count: int) -> None:
        """Count unpacked bytes; raises BadArchive for too many."""
        self._bytes -= count
        if self._bytes < 0:
            raise BadArchive("archive-bomb", f"more than {RATIO} bytes out of one")

    def member(self) -> None:
        """Count a member, or what stands where one could; raises BadArchive for too many."""
        self._members -= 1
        if self._members < 0:
            raise BadArchive("archive-bomb", f"more than {MOST_MEMBERS} members")


def is_bomb(packed: int, size: int) -> bool:
    """Whether so many bytes are told to be in so few."""
    return size > _FREE and size > RATIO * packed
