"""The columns of a table that exams may be compared by, under the names that they have here."""

import re
from collections.abc import Mapping, Sequence

from nameplate.campaign.field import FIELDS, is_column_name
from nameplate_evaluation.audit.roles import Roles
from nameplate_evaluation.audit.score_table import ExamColumn, exam_column


def exam_columns(
    columns: Mapping[str, Sequence[str]], roles: Roles, places: Sequence[int]
) -> tuple[tuple[ExamColumn, ...], dict[str, str]]:
    """All columns without a role, ingest's own fields first, and those that cannot be compared by."""
    found: dict[str, ExamColumn] = {}
    ignored = {}
    for name, cells in columns.items():
        if name in roles.used:
            continue
        own = column_name(name)
        if own in found or not (own in FIELDS or is_column_name(own)):
            ignored[name] = (
                "its name cannot be printed" if own not in found else "another column has its name"
            )
            continue
        texts = [cells[place] for place in places]
        if not any(texts):
            ignored[own] = "it is empty"
            continue
        found[own] = exam_column(own, texts)
    order = {name: place for place, name in enumerate(FIELDS)}
    ordered = sorted(found, key=lambda name: (order.get(name, len(order)), name))
    return tuple(found[name] for name in ordered), ignored


def column_name(name: str) -> str:
    """What a column is called here: ingest's own name, or its name without what names cannot have."""
    plain = name.strip().casefold().replace(" ", "_")
    if plain in FIELDS:
        return plain
    return " ".join(re.sub(r"[^A-Za-z0-9_ .-]+", " ", name).split())[:40].strip(" _.-")
