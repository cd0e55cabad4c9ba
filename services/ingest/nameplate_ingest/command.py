"""``nameplate ingest``: exams from where they are to NIfTI images."""

import signal
import sys
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.pseudonym_key import LEAST_BYTES, VARIABLE, key_file, pseudonym_key
from nameplate.campaign.sources import FolderSource
from nameplate.campaign.sources.named import FORMS
from nameplate.errors import UserError
from nameplate.service.command import Command
from nameplate_ingest.fields.manufacturer import manufacturer_table, read_manufacturers
from nameplate_ingest.ingest import IngestSummary, ingest_source
from nameplate_ingest.progress import progress_on_terminal
from nameplate_ingest.sources.arguments import add_source_options, named_source
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.kinds import open_source
from nameplate_ingest.sources.source import Source
from nameplate_ingest.tables import Tables

_STOPPED = 130


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", metavar="SRC", help=FORMS)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=Path, metavar="DIR", help="folder to write: new, or of the same ingest")
    what.add_argument(
        "--explain",
        action="store_true",
        help="write nothing, but print for every series of SRC what each witness said, and why it was chosen "
        "or refused",
    )
    parser.add_argument(
        "--sheet", action="store_true", help="also write pages with pictures of every exam to DIR/sheet"
    )
    parser.add_argument(
        "--matrix", type=int, default=256, metavar="N", help="rows and columns of the output (default: 256)"
    )
    parser.add_argument(
        "--slice-mm", type=float, default=5.0, metavar="MM", help="slice distance of the output (default: 5)"
    )
    parser.add_argument(
        "--manufacturers",
        type=Path,
        metavar="CSV",
        help="columns study (StudyInstanceUID or folder name) and manufacturer, for headers without one",
    )
    parser.add_argument(
        "--masks",
        type=Path,
        metavar="DIR",
        help="folder of NIfTI masks of your own, called after their studies (<study>.nii.gz): put on the "
        "grid of the images, and written to targets/ of --out",
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help=f"secret key of the pseudonyms (default: {VARIABLE} in the environment, else {key_file()}, "
        "created if missing)",
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    add_source_options(parser)


def _run(arguments: Namespace) -> int:
    matrix, slice_mm, workers = arguments.matrix, arguments.slice_mm, arguments.workers
    if not 32 <= matrix <= 1024:
        raise UserError(f"--matrix: expected 32 to 1024, got {matrix}")
    if not 0 < slice_mm <= 20:
        raise UserError(f"--slice-mm: expected more than 0 and at most 20, got {slice_mm:g}")
    if not 1 <= workers <= 256:
        raise UserError(f"--workers: expected 1 to 256, got {workers}")
    if arguments.explain and arguments.sheet:
        raise UserError("--sheet: goes with --out, not with --explain")
    if arguments.explain and arguments.masks:
        raise UserError("--masks: goes with --out, not with --explain")
    settings, key = IngestSettings(matrix=matrix, slice_mm=slice_mm), _key(arguments.key_file)
    source = _source(arguments)
    listed = read_manufacturers(arguments.manufacturers) if arguments.manufacturers else {}
    if arguments.explain:
        return _explain(source, settings, key, listed)
    return _convert(source, arguments, settings, key, listed)


def _source(arguments: Namespace) -> Source:
    named = named_source(arguments.source, arguments)
    if isinstance(named.settings, FolderSource):
        return Folder(named.path("path"), arguments.out)
    return open_source(named)


def _explain(source: Source, settings: IngestSettings, key: bytes, listed: Mapping[str, str]) -> int:
    """A table of what was seen in each series."""
    from nameplate_ingest.explain import explain

    table = manufacturer_table(listed)
    for line in explain(source, settings, key=key, manufacturers=table):
        print(line)  # noqa: T201  (the command's output)
    return 0


def _convert(
    source: Source, arguments: Namespace, settings: IngestSettings, key: bytes, listed: Mapping[str, str]
) -> int:
    """The source to images, records and a ledger; goes on where an earlier call was stopped."""
    try:
        with _stopped_by_sigterm(), progress_on_terminal() as progress:
            summary = ingest_source(
                source,
                arguments.out,
                settings,
                key=key,
                tables=Tables(manufacturers=listed, masks=arguments.masks),
                workers=arguments.workers,
                progress=progress.converting,
                indexing=progress.indexing,
                resumable=True,
            )
    except KeyboardInterrupt:
        print("nameplate: stopped; the same command goes on from here", file=sys.stderr)  # noqa: T201
        return _STOPPED
    print("\n".join(_lines(summary)))  # noqa: T201  (the command's output)
    if arguments.sheet:
        # Imported here: most ingests write no pages, and pictures take long to import.
        from nameplate_ingest.sheet import write_sheet

        print(f"pages: {write_sheet(arguments.out)}")  # noqa: T201
    return 0 if summary.exams else UserError.exit_code


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that its processes end and nothing half written remains."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _key(file: Path | None) -> bytes:
    """The key from the file, or the one that campaigns use."""
    if file is None:
        return pseudonym_key()
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise UserError(f"--key-file: {file}: cannot be read ({error.strerror})") from error
    if len(key) < LEAST_BYTES:
        raise UserError(f"--key-file: the key must have at least {LEAST_BYTES} characters")
    return key


def _lines(summary: IngestSummary) -> list[str]:
    lines = []
    if summary.studies and summary.earlier == summary.studies:
        lines.append("nothing to do: every study was done earlier, and no file has changed since")
    elif summary.earlier:
        lines.append(f"done earlier: {summary.earlier} studies")
    lines.append(f"exams written: {summary.exams} of {summary.studies} studies")
    lines.append(f"files read: {summary.files}")
    if summary.targets is not None:
        lines.append(f"exams with a mask: {summary.targets}")
    if summary.unknown_masks:
        lines.append(f"masks that are called after no study: {summary.unknown_masks}")
    if summary.shared:
        lines.append(
            f"warning: {summary.shared} patients have exams that cannot be of one person (two sexes, or ages "
            "far apart): their number stands for several people, who count as one"
        )
    if not summary.exams:
        lines.append("no series could be used; ledger.jsonl gives the reason for each")
    if summary.refusals:
        width = max(len(rule) for rule, _ in summary.refusals)
        lines.append("refused series and files, by rule:")
        lines += [f"  {rule:<{width}}  {count}" for rule, count in summary.refusals]
    return lines


COMMAND = Command(
    description=(
        "Searches SRC (a folder, archives, a bucket, a PACS, or volumes with a table) for exams. DICOM files "
        "of any name are grouped into series by their headers, and one non-contrast axial series of each "
        "study is chosen (5 mm first, then the thickest below; soft kernels before bone). Gantry tilt is "
        "straightened, uneven slice gaps are made even, and the result is written in HU as "
        "images/<exam>.nii.gz, with exams.jsonl (one record per exam) and ledger.jsonl (one row for every "
        "series and every file that was not used, with the rule that refused it and the value it saw). "
        "Names, dates, UIDs and paths of the source appear nowhere: exams and patients get keyed pseudonyms, "
        "which match from run to run if the key is the same. Links are followed. Stop it whenever you like: "
        "the same command goes on, and does only what is new, changed or not done yet."
    ),
    example="nameplate ingest ./studies --out ./exams --key-file ./secret.key --workers 2",
    add_arguments=_add_arguments,
    run=_run,
)
