"""Counts of people that may be shown: none below five, and none that others give away (pure).

A table divides a number of studies that is known, so one missing count is its rest. Counts below ``LEAST``
are therefore hidden together with others, chosen by an order and a rule that depend on nothing hidden:

* the first of ``order`` that is not small is hidden as well, whatever its size, then the next, until all that
  is hidden, S studies together, satisfies S >= 5 m + 4 k, with k small counts and m others;
* S is known to a reader, and so is the rule. But every k small counts of 1 to 4 then leave 5 or more for each
  of the others, so no sum, and no knowledge of this rule, tells which of these it was.

Rows must have an order of their own: sorted by size, a count would lie between its neighbours.
"""

from collections.abc import Mapping, Sequence

LEAST = 5
"""The smallest count that is shown."""
SMALL, WITHHELD = f"<{LEAST}", "withheld"
"""Instead of a small count, and of another one that would give it away."""
NOT_SHOWN = "not shown"
"""Instead of a part, maybe none, of a small count."""


def shown_count(count: int) -> str:
    """A count alone, in no table with others.

    >>> shown_count(0), shown_count(3), shown_count(1234)
    ('0', '<5', '1,234')
    """
    return SMALL if 0 < count < LEAST else f"{count:,}"


def protected(counts: Mapping[str, int], order: Sequence[str]) -> dict[str, str] | None:
    """What a table shows of counts that divide a known number; None if it cannot show any.

    ``order`` names who is hidden first beside small counts; it may name more than there is, and must not
    depend on the counts. Counts are above zero.
    """
    small = [name for name, count in counts.items() if count < LEAST]
    if not small:
        return {name: f"{count:,}" for name, count in counts.items()}
    others = [name for name in dict.fromkeys(order) if counts.get(name, 0) >= LEAST]
    hidden: set[str] = set()
    for name in others:
        hidden.add(name)
        together = sum(counts[one] for one in (*small, *hidden))
        if together >= LEAST * len(hidden) + (LEAST - 1) * len(small):
            return {
                one: SMALL if one in small else WITHHELD if one in hidden else f"{count:,}"
                for one, count in counts.items()
            }
    return None
