"""Known names in free text, whatever their case, spaces and signs: what is found is a literal of a table."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

# Letters, digits and '+' make names; '|' never does, so it parts what stands on its two sides.
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[+|]")
Tokens = tuple[str, ...]


class Found(NamedTuple):
    """A name of the table within a text."""

    owner: str
    name: str
    """As the table spells it."""
    start: int
    """Its first word in the text."""
    length: int
    """In words."""

    def within(self, other: "Found") -> bool:
        """Whether the other name covers this one and more."""
        end, others = self.start + self.length, other.start + other.length
        return other.length > self.length and other.start <= self.start and end <= others


class Literals:
    """A table of names by their owner, a row a line: ``beginning: ending|ending``.

    The beginning alone is a name too, unless the row begins with ``~``; with ``=`` it counts only where it is
    the whole text.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table

    def find(self, text: str, owner: str | None = None) -> Found | None:
        """The longest known name, of ``owner`` before others, and of equal ones the first in the text."""
        return max(
            self._all(tokens(text)), key=lambda found: (found.owner == owner, found.length), default=None
        )

    def owners(self, text: str) -> frozenset[str]:
        """Whose the names in the text are; a name within a longer one does not count."""
        found = list(self._all(tokens(text)))
        return frozenset(one.owner for one in found if not any(one.within(other) for other in found))

    def _all(self, words: Tokens) -> Iterator[Found]:
        for start, word in enumerate(words):
            for name, owner, spelt, alone in self._by_first.get(word, ()):
                if name == words if alone else words[start : start + len(name)] == name:
                    yield Found(owner, spelt, start, len(name))

    @cached_property
    def _by_first(self) -> dict[str, list[tuple[Tokens, str, str, bool]]]:
        """Names by their first word; made when first asked, as a run without such a text needs none."""
        index: dict[str, list[tuple[Tokens, str, str, bool]]] = {}
        for owner, rows in self._table.items():
            for row in filter(None, map(str.strip, rows.splitlines())):
                beginning, _, endings = row.partition(": ")
                start = beginning.lstrip("=~")
                between = "" if start.endswith("-") else " "
                names = [f"{start}{between}{ending}" for ending in endings.split("|") if ending]
                for name in names if row.startswith("~") else [start, *names]:
                    words = tokens(name)
                    index.setdefault(words[0], []).append((words, owner, name, row.startswith("=")))
        return index


def tokens(text: str) -> Tokens:
    """The words and numbers of a text, case folded.

    >>> tokens("LightSpeed16"), tokens("SOMATOM Definition AS+")
    (('lightspeed', '16'), ('somatom', 'definition', 'as', '+'))
    """
    return tuple(_TOKEN.findall(text.casefold()))
