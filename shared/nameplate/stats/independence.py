"""Whether events are spread over groups as chance alone would spread them: a permutation test."""

from collections.abc import Sequence

import numpy as np

from nameplate.streams import stream

DRAWS = 9_999


def independence_p(events: Sequence[int], totals: Sequence[int]) -> float | None:
    """P-value of equal rates: ``events[i]`` of the ``totals[i]`` members of group i had the event.

    The events are dealt again at random over all members, ``DRAWS`` times, and the p-value is the share of
    the deals (the real one included) whose chi-square is at least as large; so it is valid for any counts,
    and 0.0001 at the least. The same counts give the same p-value, in whatever order the groups come. None
    if there is nothing to test: fewer than two groups with members, or no members with the event or without.

    Raises ValueError for a group with more events than members.

    >>> independence_p([12, 2], [81, 81])
    0.0108
    >>> independence_p([0, 0], [81, 81]) is None
    True
    """
    if len(events) != len(totals) or any(not 0 <= x <= n for x, n in zip(events, totals, strict=True)):
        raise ValueError("expected from 0 to all members of each group to have the event")
    pairs = sorted((n, x) for x, n in zip(events, totals, strict=True) if n)
    members, with_event = sum(n for n, _ in pairs), sum(x for _, x in pairs)
    if len(pairs) < 2 or with_event in (0, members):
        return None
    sizes = np.array([n for n, _ in pairs])
    rng = stream(0, "independence", *(value for pair in pairs for value in pair))
    dealt = rng.multivariate_hypergeometric(sizes, with_event, size=DRAWS)
    # With all margins fixed, chi-square grows with the sum of squares over the groups' sizes. A tie must not
    # depend on the last digit of a sum.
    real = float(sum(x * x / n for n, x in pairs))
    as_far = int(np.count_nonzero((dealt**2 / sizes).sum(axis=1) >= real * (1 - 1e-9)))
    return round((1 + as_far) / (1 + DRAWS), 4)
