"""What a study, a stray file and a table of the user's add to the files of lines that an ingest writes."""

from typing import NamedTuple

from nameplate.records import to_jsonl
from nameplate.steps.ingest import LedgerRow
from nameplate_ingest.results.journal import Outcome
from nameplate_ingest.sources.scan import RefusedFile

_ITEMS = ("series", "file", "mask", "table")
"""The order of a study's rows."""


class Lines(NamedTuple):
    """What one study adds to exams.jsonl, as-read.jsonl, targets.jsonl and ledger.jsonl."""

    exam: bytes
    """Empty without an exam."""
    as_read: bytes
    target: bytes
    """Empty without a mask of the user's."""
    ledger: bytes


def lines_of(outcome: Outcome) -> Lines:
    """The lines of a study; its series come before its single files, and those before a mask."""
    rows = sorted(outcome.rows, key=lambda row: (_ITEMS.index(row.item), row.id, row.rule, row.seen))
    return Lines(
        exam=b"" if outcome.exam is None else to_jsonl((outcome.exam,)),
        as_read=b"" if outcome.as_read is None else to_jsonl((outcome.as_read,)),
        target=b"" if outcome.target is None else to_jsonl((outcome.target,)),
        ledger=to_jsonl(rows),
    )


def stray_line(stray: RefusedFile, count: int) -> bytes:
    """The line of ledger.jsonl about ``count`` files outside any study."""
    row = LedgerRow(
        item="file", id=stray.id, exam=None, verdict="refused", rule=stray.rule, seen=stray.seen, files=count
    )
    return to_jsonl((row,))


def unused_line(setting: str, studies: int) -> bytes:
    """The line of ledger.jsonl about studies of the table of ``setting`` that no file is of."""
    return _table_line(setting, "not-in-folder", "studies of the table that no file is of", studies)


def unknown_masks_line(masks: int) -> bytes:
    """The line of ledger.jsonl about masks that are called after no study of the folder."""
    return _table_line("masks", "mask-not-in-folder", "masks that are called after no study", masks)


def _table_line(setting: str, rule: str, seen: str, studies: int) -> bytes:
    row = LedgerRow(
        item="table", id=setting, exam=None, verdict="refused", rule=rule, seen=seen, files=0, studies=studies
    )
    return to_jsonl((row,))
