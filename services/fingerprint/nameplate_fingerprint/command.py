"""``nameplate fingerprint``: what tells scanners apart in a folder of head CTs."""

import multiprocessing
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from nameplate.errors import DamagedObject, TryAgain, UserError
from nameplate.image.fingerprint.catalogue import Stage
from nameplate.image.window import Window
from nameplate.records import R, csv_cell, csv_text, from_jsonl, to_jsonl
from nameplate.service.arithmetic import settle_arithmetic
from nameplate.service.command import Command
from nameplate.service.heads import Head, check_skullstrip, heads_of, read_head
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam, as_record
from nameplate.whole import user_may_write, whole_file
from nameplate_fingerprint.stages import measured_stages
from nameplate_fingerprint.table import (
    UNITS,
    exam_lines,
    measures_csv,
    scanner_lines,
    scanners_csv,
    scanners_of,
)

BRAIN = Window(width=100, level=50)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="folder of NIfTI images in HU, or that an ingest wrote"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write all numbers as files in DIR")
    parser.add_argument(
        "--table",
        type=Path,
        metavar="EXAMS.jsonl",
        help="exams.jsonl of the ingest, for the medians of every scanner (default: that of FOLDER, if any)",
    )
    parser.add_argument(
        "--masks",
        type=Path,
        metavar="DIR",
        help="folder of intracranial masks under the images' names (default: X_mask beside X, or made here)",
    )
    parser.add_argument(
        "--window",
        type=int,
        nargs=2,
        default=(BRAIN.width, BRAIN.level),
        metavar=("WIDTH", "LEVEL"),
        help=f"HU that a network sees (default: {BRAIN.width} {BRAIN.level})",
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")


def _run(arguments: Namespace) -> int:
    window = _window(*arguments.window)
    if not 1 <= arguments.workers <= 256:
        raise UserError(f"--workers: expected 1 to 256, got {arguments.workers}")
    heads = heads_of(arguments.folder, arguments.masks)
    if any(head.mask is None for head in heads):
        check_skullstrip()
    table = arguments.table or _beside(arguments.folder, "exams.jsonl")
    exams = _rows(Exam, table) if table else []
    before = _beside(arguments.folder, "as-read.jsonl")
    as_read = {row.exam: row for row in _rows(MeasuredExam, before)} if before else {}
    rows: list[MeasuredExam] = []
    refused: list[tuple[str, str]] = []
    for head, outcome in zip(heads, _outcomes(heads, window, arguments.workers), strict=True):
        if isinstance(outcome, str):
            refused.append((head.name, outcome))
            continue
        rows += [as_read[head.name]] if head.name in as_read else []
        rows += outcome
    _print(rows, exams, refused)
    if arguments.out is not None:
        _write(arguments.out, rows, exams, refused)
    return 0 if rows else UserError.exit_code


def _window(width: int, level: int) -> Window:
    try:
        return Window(width=width, level=level)
    except ValueError as error:
        raise UserError(
            f"--window: expected a width of 1 to 4096 and a level of -1024 to 3071, got {width} {level}"
        ) from error


def _beside(folder: Path, name: str) -> Path | None:
    return folder / name if (folder / name).is_file() else None


def _rows(kind: type[R], path: Path) -> list[R]:
    try:
        return from_jsonl(kind, path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except DamagedObject as error:
        raise UserError(f"{path}: {error}") from error


def _outcomes(heads: Sequence[Head], window: Window, workers: int) -> Iterator[list[MeasuredExam] | str]:
    """The rows of each head, or why there are none, in order."""
    work = partial(measured_head, window=window)
    # A caller from Python may have loaded its libraries before: so even one worker is a process of its own.
    settle_arithmetic()
    spawn = multiprocessing.get_context("spawn")  # a fork can hang if the caller has threads
    try:
        with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
            yield from pool.map(work, heads)
    except BrokenProcessPool as error:
        raise TryAgain("a process died, perhaps for lack of memory: try fewer --workers") from error


def measured_head(head: Head, window: Window) -> list[MeasuredExam] | str:
    """The rows of one head at every stage that a NIfTI file has, or why it cannot be measured."""
    try:
        image, mask = read_head(head)
    except UserError as error:
        return str(error).removeprefix(f"{head.image}: ").removeprefix(f"{head.mask}: ")
    stages = measured_stages(image, mask, window)
    return [as_record(head.name, stage, numbers) for stage, numbers in stages]


def _print(rows: Sequence[MeasuredExam], exams: Sequence[Exam], refused: Sequence[tuple[str, str]]) -> None:
    measured = {row.exam for row in rows}
    native = {row.exam for row in rows if row.stage == "as read"}
    stage: Stage = "as read" if measured and native == measured else "nifti"
    lines: list[str] = []
    if rows:
        where = "the scanner's own pixels" if stage == "as read" else "the images as they are"
        lines = [f"{len(measured)} exams measured in {where} ({UNITS}):", *exam_lines(rows, stage)]
    if scanners := [one for one in scanners_of(rows, exams) if one.stage == stage]:
        lines += ["", "medians by scanner:", *scanner_lines(scanners, stage)]
    if refused:
        lines += ["", "not measured:", *(f"  {name}: {reason}" for name, reason in refused)]
    print("\n".join(lines))  # noqa: T201  (the command's output)


def _write(
    out: Path, rows: Sequence[MeasuredExam], exams: Sequence[Exam], refused: Sequence[tuple[str, str]]
) -> None:
    files = {
        "measures.jsonl": to_jsonl(rows),
        "measures.csv": measures_csv(rows).encode(),
        "refused.csv": csv_text(
            [("image", "reason"), *((csv_cell(name), reason) for name, reason in refused)]
        ).encode(),
    }
    if scanners := scanners_of(rows, exams):
        files["scanners.csv"] = scanners_csv(scanners).encode()
    with user_may_write(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            with whole_file(out / name) as partial_file:
                partial_file.write_bytes(data)


COMMAND = Command(
    description=(
        "Measures what tells scanners apart in head CTs: texture and amount of the noise, sharpness of the "
        "skull's edge, HU of CSF, grey and white matter, cupping, field of view, padding, table, size of the "
        "brain. Each image is measured as it is, as a network sees it through a window, and with the brain "
        "alone; where the folder is that of an ingest, also in the scanner's own pixels. Prints a line for "
        "each exam and, with the table of exams, the medians of every scanner; --out writes all of it as "
        "measures.jsonl, measures.csv, scanners.csv and refused.csv. A file that cannot be read costs its "
        "own row."
    ),
    example="nameplate fingerprint nifti/ --out fingerprint/ --workers 2",
    add_arguments=_add_arguments,
    run=_run,
)
