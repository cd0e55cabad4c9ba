"""Series that were refused and exams that were lost, by reason and manufacturer, and whether by chance."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.stats.holm import holm
from nameplate.stats.independence import independence_p
from nameplate.steps.ingest import LedgerRow

ANY = "any reason"
NOT_CHOSEN = "outranked"
"""The rule of a series that was fit, but not the best of its study: no fault, and no exam is lost by it."""
OTHER, UNKNOWN = "others", "unknown"
_MOST_MANUFACTURERS = 5
_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Loss:
    """One reason; counts are in the order of ``Losses.manufacturers``."""

    reason: str
    lost: tuple[int, ...]
    """Exams that were lost for this reason."""
    concerned: tuple[int, ...]
    """Exams of which something was refused for this reason, whether or not they were lost."""
    series: tuple[int, ...]
    """Series that were refused for it."""
    files: int
    """Files outside any series that were refused for it."""
    studies: int
    """Studies of a table of the user's that are used nowhere for it; they are among no exams."""
    p_lost: float | None
    """Of equal rates of ``lost`` over the known manufacturers, with Holm's adjustment for the number of
    reasons (``ANY`` is one of them)."""
    p_concerned: float | None
    """The same for ``concerned``; not tested for ``ANY`` and ``NOT_CHOSEN``."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What was refused, by reason and manufacturer."""

    manufacturers: tuple[str, ...]
    """The commonest first; then ``OTHER`` and ``UNKNOWN``, if there are such exams."""
    exams: tuple[int, ...]
    """Exams (studies) of each manufacturer that were looked at."""
    reasons: tuple[Loss, ...]
    """``ANY`` first, then by exams lost and exams concerned."""


def losses_of(ledger: Iterable[LedgerRow], later: Mapping[str, str] | None = None) -> Losses:
    """Count refusals by reason and manufacturer, and test each reason for equal rates.

    ``later`` gives the reason why exams that the ingest chose were lost afterwards. An exam is lost for one
    reason: that of its doubtful series, if it has one; otherwise that of its series with the most files. Its
    manufacturer is that of the chosen series, or else of most of its series. Exams count as independent.
    """
    rows = list(ledger)
    studies: dict[str, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        if row.item == "series" and row.exam is not None:
            studies[row.exam].append(row)
    maker = {exam: _manufacturer(members) for exam, members in studies.items()}
    names, group = _groups(maker.values())
    counts = _Counts(len(names))
    for exam, members in studies.items():
        lost_for = _reason(members, (later or {}).get(exam, ""))
        counts.add(names.index(group[maker[exam]]), members, lost_for)
    for row in rows:
        if row.item == "file" and row.verdict == "refused":
            counts.files[row.rule] += row.files
        elif row.item == "table":
            counts.studies[row.rule] += row.studies
    known = np.array([name != UNKNOWN for name in names], dtype=bool)
    return Losses(names, _whole(counts.exams), counts.tested(known))


def warnings_of(losses: Losses) -> tuple[str, ...]:
    """A sentence for every reason by which exams of some manufacturer were lost more often than by chance."""
    return tuple(
        f"Exams of {more} were lost more often than of {less}{_because(loss.reason)}: "
        f"{_share(losses, loss.lost, more)} against {_share(losses, loss.lost, less)} "
        f"(p {_printed(loss.p_lost)}). Selection itself can be the bias."
        for loss in losses.reasons
        if loss.p_lost is not None and loss.p_lost < _ALPHA
        for more, less in [_extremes(losses, loss.lost)]
    )


def differences_of(losses: Losses) -> tuple[str, ...]:
    """The same for refused series, for reasons of which ``warnings_of`` says nothing."""
    return tuple(
        f"Series were refused because of {loss.reason} in more exams of {more} than of {less}: "
        f"{_share(losses, loss.concerned, more)} against {_share(losses, loss.concerned, less)} "
        f"(p {_printed(loss.p_concerned)})."
        for loss in losses.reasons
        if loss.p_concerned is not None
        and loss.p_concerned < _ALPHA
        and not (loss.p_lost is not None and loss.p_lost < _ALPHA)
        for more, less in [_extremes(losses, loss.concerned)]
    )


Row = NDArray[np.int64]


class _Counts:
    """Counts by reason; each is a row with a place for every manufacturer."""

    def __init__(self, manufacturers: int) -> None:
        def row() -> Row:
            return np.zeros(manufacturers, np.int64)

        self.exams, self.refused = row(), row()
        self.lost: dict[str, Row] = defaultdict(row)
        self.concerned: dict[str, Row] = defaultdict(row)
        self.series: dict[str, Row] = defaultdict(row)
        self.files: Counter[str] = Counter()
        self.studies: Counter[str] = Counter()

    def add(self, place: int, members: Sequence[LedgerRow], lost_for: str) -> None:
        """Count an exam of the manufacturer at ``place``; ``lost_for`` is '' if it was not lost."""
        refused = [row.rule for row in members if row.verdict == "refused"]
        reasons = {*refused, *([lost_for] if lost_for else [])}
        self.exams[place] += 1
        self.refused[place] += bool(lost_for or reasons - {NOT_CHOSEN})
        for rule in refused:
            self.series[rule][place] += 1
        for reason in reasons:
            self.concerned[reason][place] += 1
        if lost_for:
            self.lost[lost_for][place] += 1

    def tested(self, known: NDArray[np.bool_]) -> tuple[Loss, ...]:
        """The reasons in order, tested over the known manufacturers."""
        reasons = sorted(
            {*self.concerned, *self.files, *self.studies},
            key=lambda reason: (-self.lost[reason].sum(), -self.concerned[reason].sum(), reason),
        )
        nothing = np.zeros_like(self.exams)
        lost = sum(self.lost.values(), nothing)
        series = sum((row for reason, row in self.series.items() if reason != NOT_CHOSEN), nothing)

        def p_of(row: Row) -> float | None:
            return independence_p(_whole(row[known]), _whole(self.exams[known]))

        p_any, *p_lost = holm([p_of(lost), *(p_of(self.lost[reason]) for reason in reasons)])
        p_concerned = holm([None if r == NOT_CHOSEN else p_of(self.concerned[r]) for r in reasons])
        outside = self.files.total(), self.studies.total()
        return Loss(ANY, _whole(lost), _whole(self.refused), _whole(series), *outside, p_any, None), *(
            Loss(
                reason,
                _whole(self.lost[reason]),
                _whole(self.concerned[reason]),
                _whole(self.series[reason]),
                self.files[reason],
                self.studies[reason],
                *ps,
            )
            for reason, ps in zip(reasons, zip(p_lost, p_concerned, strict=True), strict=True)
        )


def _whole(row: Row) -> tuple[int, ...]:
    return tuple(int(count) for count in row)


def _manufacturer(members: Sequence[LedgerRow]) -> str:
    """Of the chosen series, or else of most; '' if unknown."""
    chosen = [row.manufacturer for row in members if row.verdict == "chosen" and row.manufacturer]
    counts = Counter(chosen or [row.manufacturer for row in members if row.manufacturer])
    return min(counts, key=lambda name: (-counts[name], name)) if counts else ""


def _reason(members: Sequence[LedgerRow], later: str) -> str:
    """Why the exam was lost; '' if it was not."""
    if any(row.verdict == "chosen" for row in members):
        return later

    def order(row: LedgerRow) -> tuple[bool, bool, int, str]:
        return row.rule == NOT_CHOSEN, not row.doubtful, -row.files, row.rule

    return min(members, key=order).rule


def _groups(manufacturers: Iterable[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The manufacturers to count, in order, and which of them each name belongs to."""
    counts = Counter(manufacturers)
    known = sorted((name for name in counts if name), key=lambda name: (-counts[name], name))
    alone = known if len(known) <= _MOST_MANUFACTURERS else known[: _MOST_MANUFACTURERS - 1]
    group = {name: name if name in alone else OTHER for name in known}
    if "" in counts:
        group[""] = UNKNOWN
    return tuple(dict.fromkeys(group[name] for name in (*known, *([""] if "" in counts else [])))), group


def _extremes(losses: Losses, counts: Sequence[int]) -> tuple[str, str]:
    """The known manufacturers that are farthest above and below the common rate, in standard errors."""
    columns = [
        (name, x, n)
        for name, x, n in zip(losses.manufacturers, counts, losses.exams, strict=True)
        if name != UNKNOWN and n
    ]
    rate = sum(x for _, x, _ in columns) / sum(n for _, _, n in columns)
    off = {name: (x - rate * n) / n**0.5 for name, x, n in columns}
    return max(off, key=lambda name: off[name]), min(off, key=lambda name: off[name])


def _because(reason: str) -> str:
    return "" if reason == ANY else f" because of {reason}"


def _share(losses: Losses, counts: Sequence[int], manufacturer: str) -> str:
    place = losses.manufacturers.index(manufacturer)
    return f"{counts[place]} of {losses.exams[place]}"


def _printed(p: float | None) -> str:
    assert p is not None
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"
