"""From tables of text to the checked table of scores: joined, no row twice, every lost one counted."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nameplate.campaign.field import number_in
from nameplate.errors import UserError
from nameplate_evaluation.audit.columns import exam_columns
from nameplate_evaluation.audit.joining import one_table, truth_and_scores, with_exams
from nameplate_evaluation.audit.labels import labels_of
from nameplate_evaluation.audit.raw_table import RawTable
from nameplate_evaluation.audit.roles import Roles, check_complete
from nameplate_evaluation.audit.score_table import (
    Losses,
    Network,
    ScoreTable,
    counted_losses,
)

_VALIDATION = frozenset(("val", "valid", "validation", "dev", "tune", "tuning"))
_TRAINING = frozenset(("train", "training"))
MOST_ASTRAY = 0.01
"""Of the scores beside 0 to 1: fewer are mistakes, more mean that scores are no probabilities."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the user wants the table to be read."""

    roles: Mapping[str, tuple[str, ...]]
    positive: str | None = None
    """The label that is positive; None to tell it from usual words."""
    span: tuple[float, float] | None = None
    """What scores can be; others are mistakes. None for 0 to 1 if nearly all are there, else anything."""


@dataclass(frozen=True, slots=True)
class _Row:
    network: str
    run: str
    exam: str
    place: int
    """Row of the table."""
    value: float


def assembled(
    tables: Sequence[RawTable], exams: RawTable | None, reading: Reading
) -> tuple[ScoreTable, Roles]:
    """The table of scores from one or two files, and a table of exams joined to it by their names.

    Two files are the truth and the scores as MELODY has them: one row an exam in each, the second with one
    column a network. Raises UserError where nothing could be said.
    """
    losses: Losses = Counter()
    table, roles = (
        truth_and_scores(tables, reading.roles, losses)
        if len(tables) == 2
        else one_table(tables[0], reading.roles)
    )
    losses["rows", "have more or fewer cells than the first row"] += table.ragged
    check_complete(roles, table.header, table.name)
    columns = dict(table.columns)
    if exams is not None:
        columns, roles = with_exams(columns, roles, exams, losses)
    rows = _rows(columns, roles, losses)
    if not rows:
        raise UserError(f"{table.name}: no row has an exam and a number as its {_scored(roles)}")
    labels = None
    if roles.label is not None and not roles.dice:
        texts = columns[roles.label]
        where = f"{table.name}: column {roles.label!r}"
        labels = labels_of(((row.exam, texts[row.place]) for row in rows), reading.positive, losses, where)
    rows = _in_span(rows, reading, losses, dice=bool(roles.dice))
    whole, validation = _by_split(columns, roles, rows, losses)
    found = _table(columns, roles, whole, labels, losses)
    if validation:
        found = replace(found, chosen_on=_table(columns, roles, validation, labels, Counter()))
    return replace(found, losses=counted_losses(losses)), roles


def _scored(roles: Roles) -> str:
    return "Dice" if roles.dice else "score"


def _rows(columns: Mapping[str, Sequence[str]], roles: Roles, losses: Losses) -> list[_Row]:
    exams = columns[roles.exam]
    empty = [""] * len(exams)
    runs = columns[roles.run] if roles.run else empty
    networks = columns[roles.network] if roles.network else empty
    names = roles.dice or roles.score
    rows = []
    for name in names:
        for place, text in enumerate(columns[name]):
            if not exams[place]:
                losses["rows", "have no exam"] += 1
                continue
            value = number_in(text)
            if value is None:
                reason = (
                    f"have no {_scored(roles)}" if not text else f"have a {_scored(roles)} that is no number"
                )
                losses["rows", reason] += 1
                continue
            network = networks[place] if len(names) == 1 else " ".join(filter(None, (networks[place], name)))
            rows.append(_Row(network, runs[place], exams[place], place, value))
    return rows


def _in_span(rows: Sequence[_Row], reading: Reading, losses: Losses, *, dice: bool) -> list[_Row]:
    """The rows whose score is one that there can be."""
    span = (0.0, 1.0) if dice else reading.span
    if span is None:
        outside = sum(not 0 <= row.value <= 1 for row in rows)
        if not 0 < outside <= MOST_ASTRAY * len(rows):
            return list(rows)
        span = (0.0, 1.0)
    low, high = span
    kept = [row for row in rows if low <= row.value <= high]
    losses["rows", f"have a {'Dice' if dice else 'score'} beside {low:g} to {high:g}"] += len(rows) - len(
        kept
    )
    if not kept:
        hint = " (in percent? divide it by 100)" if dice else ""
        raise UserError(f"no {'Dice' if dice else 'score'} lies in {low:g} to {high:g}{hint}")
    return kept


def _by_split(
    columns: Mapping[str, Sequence[str]], roles: Roles, rows: list[_Row], losses: Losses
) -> tuple[list[_Row], list[_Row]]:
    """The rows to audit, and those of validation exams, on which a threshold can be chosen."""
    if roles.split is None:
        return rows, []
    kinds = [columns[roles.split][row.place].casefold() for row in rows]
    validation = [row for row, kind in zip(rows, kinds, strict=True) if kind in _VALIDATION]
    training = sum(kind in _TRAINING for kind in kinds)
    other = [row for row, kind in zip(rows, kinds, strict=True) if kind not in _VALIDATION | _TRAINING]
    if not other:
        return rows, []
    losses["rows", "are of training exams"] += training
    losses["rows", "are of validation exams: only the threshold is chosen on them"] += len(validation)
    return other, validation


def _table(
    columns: Mapping[str, Sequence[str]],
    roles: Roles,
    rows: Sequence[_Row],
    labels: dict[str, bool] | None,
    losses: Losses,
) -> ScoreTable:
    by_run: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    contradicted: set[tuple[str, str, str]] = set()
    place: dict[str, int] = {}
    places: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        if labels is not None and row.exam not in labels:
            continue
        scores = by_run[row.network, row.run]
        if row.exam in scores:
            if scores[row.exam] == row.value:
                losses["rows", "say again what another row says"] += 1
            else:
                contradicted.add((row.network, row.run, row.exam))
        scores[row.exam] = row.value
        place[row.exam] = min(row.place, place.get(row.exam, row.place))
        places[row.exam].add(row.place)
    for network, run, exam in contradicted:
        by_run[network, run].pop(exam)
    twice = {exam for _, _, exam in contradicted}
    losses["exams", "have several scores of one run (a column of runs or networks not said?)"] += len(twice)
    _join_folds(by_run)
    everywhere = set.intersection(*(set(scores) for scores in by_run.values())) if by_run else set()
    somewhere = {exam for scores in by_run.values() for exam in scores}
    losses["exams", "lack the score of some network or run"] += len(somewhere - everywhere)
    if not everywhere:
        raise UserError(
            "no exam is left to audit: "
            + "; ".join(f"{n} {what} {why}" for (what, why), n in losses.items() if n)
        )
    exams = tuple(sorted(everywhere))
    columns = _agreed(columns, roles, [places[exam] for exam in exams], losses)
    texts = columns[roles.patient] if roles.patient else None
    names = [(texts[place[exam]] if texts else "") or f"\0{exam}" for exam in exams]
    if texts is not None:
        losses["exams", "have no patient: each is taken for one"] += sum(name[0] == "\0" for name in names)
    number: dict[str, int] = {}
    patient = np.array([number.setdefault(name, len(number)) for name in names], dtype=np.int64)
    found, ignored = exam_columns(columns, roles, [place[exam] for exam in exams])
    return ScoreTable(
        exams=exams,
        patient=patient,
        patients_known=texts is not None,
        labels=None if labels is None else np.array([labels[exam] for exam in exams], dtype=np.bool_),
        networks=_networks(columns, roles, by_run, exams),
        columns=found,
        ignored=ignored,
    )


def _join_folds(by_run: dict[tuple[str, str], dict[str, float]]) -> None:
    """Put together the runs of a network that share no exam: a cross-validation scores each exam once."""
    for network in {network for network, _ in by_run}:
        runs = [key for key in by_run if key[0] == network]
        exams = [exam for key in runs for exam in by_run[key]]
        if len(runs) > 1 and len(exams) == len(set(exams)):
            whole = {exam: score for key in runs for exam, score in by_run.pop(key).items()}
            by_run[network, f"{len(runs)} folds"] = whole


def _agreed(
    columns: Mapping[str, Sequence[str]], roles: Roles, places: Sequence[set[int]], losses: Losses
) -> dict[str, Sequence[str]]:
    """The columns, with nothing where the rows of one exam say different things of it."""
    several = [sorted(of_exam) for of_exam in places if len(of_exam) > 1]
    of_exams = {name for name in columns if name not in roles.used or name == roles.patient}
    found: dict[str, Sequence[str]] = dict(columns)
    for name in sorted(of_exams):
        cells = columns[name]
        torn = [of_exam for of_exam in several if len({cells[place] for place in of_exam} - {""}) > 1]
        if torn:
            losses["exams", f"have several values of {name}: it is not known"] += len(torn)
        known = list(cells)
        for of_exam in several:
            values = {cells[place] for place in of_exam} - {""}
            for place in of_exam:
                known[place] = values.copy().pop() if len(values) == 1 else ""
        found[name] = known
    return found


def _networks(
    columns: Mapping[str, Sequence[str]],
    roles: Roles,
    by_run: Mapping[tuple[str, str], Mapping[str, float]],
    exams: Sequence[str],
) -> tuple[Network, ...]:
    thresholds: dict[str, set[float]] = defaultdict(set)
    if roles.threshold:
        names = columns[roles.network] if roles.network else None
        for place, text in enumerate(columns[roles.threshold]):
            if (limit := number_in(text)) is not None:
                thresholds[names[place] if names else ""].add(limit)
        if not thresholds:
            raise UserError(
                f"column {roles.threshold!r} of thresholds holds no number (--columns threshold=)"
            )
    networks = []
    for name in sorted({network for network, _ in by_run}):
        runs = tuple(sorted((run for network, run in by_run if network == name), key=_natural))
        limits = thresholds.get(name) or thresholds.get("", set())
        if len(limits) > 1:
            raise UserError(
                f"column {roles.threshold!r}: a network has {len(limits)} thresholds, expected one"
            )
        networks.append(
            Network(
                name=name,
                runs=runs,
                values=np.array([[by_run[name, run][exam] for exam in exams] for run in runs]),
                threshold=next(iter(limits), None),
            )
        )
    return tuple(networks)


def _natural(text: str) -> tuple[float, str]:
    number = number_in(text)
    return (float("inf") if number is None else number), text
