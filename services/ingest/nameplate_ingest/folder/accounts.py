"""What a study, a stray file and a table of the user's add to the files of lines that an ingest writes."""

from typing import NamedTuple

from nameplate.records import to_jsonl
from nameplate.steps.ingest import LedgerRow
from nameplate_ingest.folder.journal import Outcome
from nameplate_ingest.folder.scan import RefusedFile


class Lines(NamedTuple):
    """What one study adds to exams.jsonl, as-read.jsonl and ledger.jsonl."""

    exam: bytes
    """Empty without an exam."""
    as_read: bytes
    ledger: bytes


def lines_of(outcome: Outcome) -> Lines:
    """The lines of a study; its series come before its single files."""
    rows = sorted(outcome.rows, key=lambda row: (row.item == "file", row.id, row.rule, row.seen))
    return Lines(
        exam=b"" if outcome.exam is None else to_jsonl((outcome.exam,)),
        as_read=b"" if outcome.as_read is None else to_jsonl((outcome.as_read,)),
        ledger=to_jsonl(rows),
    )


def stray_line(stray: RefusedFile, count: int) -> bytes:
    """The line of ledger.jsonl about ``count`` files outside any study."""
    row = LedgerRow(
        item="file", id=stray.id, exam=None, verdict="refused", rule=stray.rule, seen=stray.seen, files=count
    )
    return to_jsonl((row,))


def unused_line(studies: int) -> bytes:
    """The line of ledger.jsonl about studies of the table of further columns that no file is of."""
    row = LedgerRow(
        item="table",
        id="fields_csv",
        exam=None,
        verdict="refused",
        rule="not-in-folder",
        seen="studies of the table that no file is of",
        files=0,
        studies=studies,
    )
    return to_jsonl((row,))
