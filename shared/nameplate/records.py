"""The base of what passes between the steps: typed, frozen records and their JSON-lines files.

Each step's own records are in ``nameplate.steps``, beside the names of the files that hold them.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from nameplate.errors import DamagedObject

Split = Literal["train", "val", "test"]


class Record(BaseModel):
    """Base of all records: unknown fields are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


R = TypeVar("R", bound=Record)


def to_jsonl(rows: Iterable[Record]) -> bytes:
    """One JSON object per line, keys in the record's order; the same rows give the same bytes."""
    lines = (json.dumps(row.model_dump(mode="json"), ensure_ascii=False, allow_nan=False) for row in rows)
    return "".join(line + "\n" for line in lines).encode()


def to_json(record: Record) -> bytes:
    """One record as a file for people to read; the same record gives the same bytes."""
    return record.model_dump_json(indent=1).encode() + b"\n"


def from_jsonl(kind: type[R], data: bytes) -> list[R]:
    """Read what ``to_jsonl`` wrote; raises DamagedObject for anything else."""
    try:
        return [kind.model_validate_json(line) for line in data.splitlines() if line.strip()]
    except ValidationError as error:
        raise DamagedObject(f"not a file of {kind.__name__} rows: {error.error_count()} errors") from error


def csv_cell(text: str) -> str:
    """Text for a CSV file: what a spreadsheet would read as a formula gets a leading apostrophe."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
