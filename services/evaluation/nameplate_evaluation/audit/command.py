"""``nameplate audit``: a table of any model's scores held against the scanners that the exams came from."""

import math
from argparse import ArgumentParser, Namespace
from pathlib import Path

from nameplate.errors import UserError
from nameplate.service.command import Command
from nameplate.whole import check_empty, user_may_write, whole_file
from nameplate_evaluation.audit.assembly import Reading, assembled
from nameplate_evaluation.audit.audit import audited
from nameplate_evaluation.audit.files import files_of
from nameplate_evaluation.audit.levels import parse_bins
from nameplate_evaluation.audit.raw_table import read_table
from nameplate_evaluation.audit.roles import parse_roles
from nameplate_evaluation.audit.screen import screen_of
from nameplate_evaluation.audit.settings import AuditSettings


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "tables",
        type=Path,
        nargs="+",
        metavar="SCORES.csv",
        help="a table with a row an exam (and run): exam, patient, label, score, and columns such as"
        " manufacturer; or two, the truth and the scores, as MELODY has them",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the report there; new or empty")
    parser.add_argument(
        "--exams", type=Path, metavar="EXAMS", help="exams.jsonl of an ingest, or a CSV, with more columns"
    )
    parser.add_argument(
        "--columns",
        default="",
        metavar="ROLE=NAME,...",
        help="what columns are, where their names do not tell: exam, patient, label, score, dice, run,"
        " network, threshold, split; ROLE= for none",
    )
    parser.add_argument("--factor", metavar="COLUMN", help="what the answer is about (default: manufacturer)")
    parser.add_argument(
        "--threshold", type=float, help="the vendor's (default: the table's, or 0.5 of probabilities)"
    )
    parser.add_argument(
        "--specificity",
        type=float,
        default=0.9,
        metavar="SHARE",
        help="the second threshold keeps this share of the negatives below it (default: 0.9)",
    )
    parser.add_argument(
        "--prevalence", type=float, metavar="SHARE", help="of predictive values (default: the table's)"
    )
    parser.add_argument(
        "--margin", type=float, metavar="SHARE", help="gap that does not matter (default: 0.05; Dice: 0.02)"
    )
    parser.add_argument("--confidence", type=float, default=0.95, help="of intervals (default: 0.95)")
    parser.add_argument("--positive", metavar="LABEL", help="the label that is positive (default: 1, yes...)")
    parser.add_argument(
        "--range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="what scores can be: others are counted and left out",
    )
    parser.add_argument(
        "--bins", action="append", default=[], metavar="COLUMN=CUT,...", help="bins of a column of numbers"
    )


def _run(arguments: Namespace) -> int:
    if len(arguments.tables) > 2:
        raise UserError(f"expected one table, or the truth and the scores, got {len(arguments.tables)}")
    settings = _settings(arguments)
    span = tuple(arguments.range) if arguments.range else None
    if span is not None and not span[0] < span[1]:
        raise UserError(f"--range: expected LOW below HIGH, got {span[0]:g} {span[1]:g}")
    if arguments.out is not None:
        check_empty(arguments.out)
    tables = [read_table(path) for path in arguments.tables]
    exams = None if arguments.exams is None else read_table(arguments.exams)
    roles = parse_roles(arguments.columns) if arguments.columns else {}
    if arguments.threshold is not None:
        roles.setdefault("threshold", ())
    reading = Reading(roles=roles, positive=arguments.positive, span=span)
    table, found = assembled(tables, exams, reading)
    audit = audited(table, settings)
    name = " and ".join(path.name for path in arguments.tables)
    print(screen_of(audit, found, name), end="")  # noqa: T201  (the command's output)
    if arguments.out is not None:
        with user_may_write(arguments.out):
            for path, data in files_of(audit, found, name).items():
                target = arguments.out / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with whole_file(target) as partial:
                    partial.write_bytes(data)
        print(f"report: {arguments.out / 'index.html'}")  # noqa: T201
    return 0 if any(one.main_gaps for one in audit.networks) else UserError.exit_code


def _settings(arguments: Namespace) -> AuditSettings:
    for name in ("specificity", "prevalence", "margin", "confidence"):
        value = getattr(arguments, name)
        if value is not None and not 0 < value < 1:
            raise UserError(f"--{name}: expected a number between 0 and 1 (5 % is 0.05), got {value:g}")
    if arguments.threshold is not None and not math.isfinite(arguments.threshold):
        raise UserError(f"--threshold: expected a number, got {arguments.threshold}")
    return AuditSettings(
        factor=arguments.factor,
        threshold=arguments.threshold,
        specificity=arguments.specificity,
        prevalence=arguments.prevalence,
        margin=arguments.margin,
        confidence=arguments.confidence,
        bins=parse_bins(arguments.bins),
    )


COMMAND = Command(
    description=(
        "Says from a table of scores whether a network does as well on the exams of every manufacturer, or of"
        " every level of any other column: AUROC, sensitivity, specificity, predictive values and calibration"
        " by level, gaps with intervals over patients, whether they are within a margin, what would have been"
        " found, and what goes with the manufacturer and may be the reason. One network or several, one run"
        " or many, scores or Dice. Columns are told from their usual names and shown. Ends with 2 where"
        " nothing can be said."
    ),
    example="nameplate audit scores.csv --exams exams.jsonl --threshold 0.4 --out audit",
    add_arguments=_add_arguments,
    run=_run,
)
