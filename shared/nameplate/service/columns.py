"""Tables that are read on a terminal."""

from collections.abc import Sequence


def aligned(table: Sequence[Sequence[str]], texts: int) -> list[str]:
    """Columns of equal width, two spaces apart; the first ``texts`` on the left, numbers on the right.

    >>> aligned([["level", "exams"], ["GE", "12"]], 1)
    ['level  exams', 'GE        12']
    """
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
