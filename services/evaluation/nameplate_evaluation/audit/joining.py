"""Tables about the same exams side by side: truth and scores, scores and what is known of the exams."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nameplate.campaign.field import number_in
from nameplate.errors import UserError
from nameplate_evaluation.audit.raw_table import RawTable
from nameplate_evaluation.audit.roles import Roles, roles_of
from nameplate_evaluation.audit.score_table import Losses

Given = Mapping[str, tuple[str, ...]]
"""Columns by role, as the user says."""


def one_table(table: RawTable, given: Given) -> tuple[RawTable, Roles]:
    """A table with a row an exam and run, and what its columns are."""
    roles = roles_of(table.header, given, where=table.name)
    rows = Counter(table.columns[roles.exam])
    network = roles.network
    if network is None and "network" not in given and "model" in table.header:
        # A scanner's model is one for each exam; a network's differs within it.
        pairs = set(zip(table.columns[roles.exam], table.columns["model"], strict=True))
        if len(pairs) > len(rows):
            roles = replace(roles, network="model")
    return table, roles


def truth_and_scores(tables: Sequence[RawTable], given: Given, losses: Losses) -> tuple[RawTable, Roles]:
    """The truth and the scores of each exam side by side, from two tables with a row an exam.

    Every column of numbers of the second is a network, unless ``given`` names its scores.
    """
    truth, scores = tables
    of_truth = {role: names for role, names in given.items() if role != "score"}
    roles = roles_of(truth.header, {"score": (), **of_truth}, where=truth.name)
    if roles.exam not in scores.header:
        raise UserError(
            f"{scores.name}: no column {roles.exam!r}, by which it could be joined to {truth.name}"
        )
    place = {exam: row for row, exam in enumerate(scores.columns[roles.exam])}
    if len(place) != scores.rows:
        raise UserError(f"{scores.name}: an exam has several rows; with two files each has one")
    names = given.get("score") or tuple(
        name
        for name in scores.header
        if name not in truth.header and any(number_in(text) is not None for text in scores.columns[name])
    )
    if missing := [name for name in names if name not in scores.header]:
        raise UserError(f"{scores.name}: no column {missing[0]!r}; there are {', '.join(scores.header)}")
    rows = [place.get(exam) for exam in truth.columns[roles.exam]]
    losses["exams", "are in the table of truth alone"] += sum(row is None for row in rows)
    losses["exams", "are in the table of scores alone"] += len(place.keys() - set(truth.columns[roles.exam]))
    kept = [(own, row) for own, row in enumerate(rows) if row is not None]
    columns = {name: [cells[own] for own, _ in kept] for name, cells in truth.columns.items()}
    columns |= {name: [scores.columns[name][row] for _, row in kept] for name in names}
    joined = RawTable(
        name=f"{truth.name} and {scores.name}", columns=columns, ragged=truth.ragged + scores.ragged
    )
    return joined, replace(roles, score=names, told=frozenset(given))


def with_exams(
    columns: dict[str, Sequence[str]], roles: Roles, exams: RawTable, losses: Losses
) -> tuple[dict[str, Sequence[str]], Roles]:
    """What a table of exams knows of these, beside the columns that the table of scores has itself."""
    key = roles.exam if roles.exam in exams.header else roles_of(exams.header, {}, where=exams.name).exam
    first: dict[str, int] = {}
    for row, exam in enumerate(exams.columns[key]):
        first.setdefault(exam, row)
    losses["rows", f"of {exams.name}: an exam that was there before"] += exams.rows - len(first)
    places = [first.get(exam) for exam in columns[roles.exam]]
    unknown = {exam for exam, place in zip(columns[roles.exam], places, strict=True) if place is None}
    if len(unknown) == len(set(columns[roles.exam])):
        raise UserError(f"{exams.name}: has none of the exams in its column {key!r}")
    losses["exams", f"are not in {exams.name}: their columns there are unknown"] += len(unknown)
    found = dict(columns)
    for name in exams.header:
        if name != key and name not in found:
            cells = exams.columns[name]
            found[name] = ["" if place is None else cells[place] for place in places]
    if roles.patient is None:
        joined = roles_of([key, *(n for n in exams.header if n != key)], {"exam": (key,)}, where=exams.name)
        if joined.patient is not None and joined.patient in found:
            roles = replace(roles, patient=joined.patient)
    return found, roles
