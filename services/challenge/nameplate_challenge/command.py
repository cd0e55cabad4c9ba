"""``nameplate challenge``: lesions planted in your exams, and what your model finds of them."""

import os
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from nameplate.errors import UserError
from nameplate.service.command import Command
from nameplate.service.heads import Head, check_skullstrip, heads_of
from nameplate.whole import user_may_write, whole_file
from nameplate_challenge.analysis import Question, analysed
from nameplate_challenge.asked import Asked, agree
from nameplate_challenge.case import lesions_of
from nameplate_challenge.case_log import CaseLog
from nameplate_challenge.findings import Findings
from nameplate_challenge.model import Surroundings, model_maker
from nameplate_challenge.place import drawn_places
from nameplate_challenge.report import report_html
from nameplate_challenge.scratch import scratch_folder
from nameplate_challenge.subjects import ALL, Subject, read_subjects
from nameplate_challenge.summary import summary_lines
from nameplate_challenge.tables import challenge_json, detection_csv, ledger_csv, scores_csv
from nameplate_challenge.trial import Trial, Tried, try_model

RADII_MM = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
HU = (15.0, 30.0)
PLACES = 2
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ")
"""Variables that a model's process has from ours, beside those of ``--env``."""


def _add_arguments(parser: ArgumentParser) -> None:
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument(
        "--model",
        metavar="COMMAND",
        help="run for every case, without a shell: {image} is a NIfTI file in HU, {output} where it may write a "
        "score (JSON or a number) or a NIfTI mask; an ending may follow ({output}.nii.gz). If it writes nothing, "
        "the last line that it prints is the score",
    )
    model.add_argument(
        "--serve",
        metavar="COMMAND",
        help='started once and asked by lines: {"image": PATH, "output": PATH} in, a number or {"score": 0.7} out, '
        "or {} when it has written its output",
    )
    add = parser.add_argument
    add(
        "--images",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="NIfTI heads in HU, or an ingest's folder",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="results; the same command resumes there")
    add("--exams", type=Path, metavar="TABLE", help="exams.jsonl of an ingest (default: that of FOLDER, if any), or "
        "CSV or JSON lines with columns exam, patient and the factor")  # fmt: skip
    add("--masks", type=Path, metavar="DIR", help="intracranial masks under the images' names (default: X_mask "
        "beside X, or made here)")  # fmt: skip
    add("--factor", default="manufacturer", metavar="FIELD", help="what is compared (default: manufacturer)")
    add("--radii-mm", type=float, nargs="+", default=RADII_MM, metavar="MM", help="radii of the spheres "
        f"(default: {' '.join(f'{radius:g}' for radius in RADII_MM)})")  # fmt: skip
    add("--hu", type=float, nargs="+", default=HU, metavar="HU", help="added to the tissue in the sphere, which "
        f"keeps its noise: a difference, no absolute value (default: {' '.join(f'{hu:g}' for hu in HU)})")  # fmt: skip
    add("--places", type=int, default=PLACES, metavar="N", help="places, the same in every brain relative to it "
        f"(default: {PLACES})")  # fmt: skip
    add("--most-moved-mm", type=float, default=15.0, metavar="MM", help="how far a lesion may be moved to where the "
        "brain has room for it (default: 15)")  # fmt: skip
    add("--threshold", type=float, default=0.5, help="the vendor's: found from this score on (default: 0.5)")
    add("--score-range", type=float, nargs=2, default=(0.0, 1.0), metavar=("LOW", "HIGH"),
        help="a score outside is an error (default: 0 1)")  # fmt: skip
    add("--sensitivity", type=float, default=0.9, help="of which the radius is given (default: 0.9)")
    add("--confidence", type=float, default=0.95, help="of the intervals (default: 0.95)")
    add(
        "--resamples",
        type=_whole(100, 100_000),
        default=1000,
        metavar="N",
        help="of patients (default: 1000)",
    )
    add("--seed", type=int, default=0, help="of places and resamples (default: 0)")
    add("--parallel", type=_whole(1, 256), default=1, metavar="N", help="cases at a time (default: 1)")
    add("--seconds", type=float, default=60.0, help="that an answer may take (default: 60)")
    add("--start-seconds", type=float, default=120.0, help="more for the first one of --serve (default: 120)")
    add("--env", action="append", default=[], metavar="NAME[=VALUE]", help="a variable for the model, which else "
        f"has {', '.join(_KEPT)} and scratch folders as HOME and TMPDIR alone (repeatable)")  # fmt: skip
    add("--gzip", action="store_true", help="give images as .nii.gz (slower)")
    add("--scratch", type=Path, metavar="DIR", help="where the model's files are (default: in memory)")
    add("--retry-failed", action="store_true", help="ask again where the model gave no score before")


def _whole(least: int, most: int):  # type: ignore[no-untyped-def]  # argparse wants a function of a text
    def parsed(text: str) -> int:
        if not text.isdigit() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"expected {least} to {most}, got {text}")
        return int(text)

    return parsed


def _run(options: Namespace) -> int:
    asked = _asked(options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    heads, subjects, refused = _exams(options)
    with user_may_write(options.out):
        options.out.mkdir(parents=True, exist_ok=True)
    with CaseLog(options.out) as log:
        agree(options.out, asked)
        if options.retry_failed:
            log.before = {
                key: one for key, one in log.before.items() if one.score is not None or not one.asked
            }
        _check_masks(log, options)
        with scratch_folder(options.out, options.scratch) as scratch:
            tried = _tried(options, asked, heads, log, scratch)
        refused += tried.refused
        findings = analysed(tried.outcomes, _question(options), refused=len(refused))
        log.finish(tried.outcomes)
        _write(options, asked, findings, tried, subjects, refused)
    print("\n".join([*summary_lines(findings, asked), "", f"report: {options.out}/report.html"]))  # noqa: T201
    return 0


def _asked(options: Namespace) -> Asked:
    """What decides the scores. Raises UserError for values that make no sense."""
    low, high = options.score_range
    for name, wrong in (
        ("--radii-mm: expected 0.5 to 60", not all(0.5 <= radius <= 60 for radius in options.radii_mm)),
        ("--hu: expected -200 to 2000, not 0", not all(-200 <= hu <= 2000 and hu for hu in options.hu)),
        ("--places: expected 1 to 100", not 1 <= options.places <= 100),
        ("--most-moved-mm: expected 0 to 100", not 0 <= options.most_moved_mm <= 100),
        ("--score-range: expected two numbers, the lower one first", not low < high),
        (f"--threshold: expected {low:g} to {high:g} (--score-range)", not low <= options.threshold <= high),
        ("--sensitivity: expected more than 0 and less than 1", not 0 < options.sensitivity < 1),
        ("--confidence: expected 0.5 to 0.999", not 0.5 <= options.confidence <= 0.999),
        ("--seconds: expected 0.1 to 86400", not 0.1 <= options.seconds <= 86_400),
        ("--start-seconds: expected 0 to 86400", not 0 <= options.start_seconds <= 86_400),
    ):
        if wrong:
            raise UserError(name)
    return Asked(
        command=options.serve or options.model or "",
        serve=options.serve is not None,
        radii_mm=tuple(sorted(set(options.radii_mm))),
        hu=tuple(sorted(set(options.hu))),
        places=options.places,
        seed=options.seed,
        most_moved_mm=options.most_moved_mm,
        score_range=(low, high),
        gzip=options.gzip,
    )


def _question(options: Namespace) -> Question:
    return Question(
        factor=options.factor,
        threshold=options.threshold,
        sensitivity=options.sensitivity,
        confidence=options.confidence,
        seed=options.seed,
        resamples=options.resamples,
    )


def _exams(
    options: Namespace,
) -> tuple[list[tuple[Head, Subject]], Mapping[str, Subject], list[tuple[str, str]]]:
    """The heads that are in the table, the table, and what is not used, with the reason."""
    heads = heads_of(options.images, options.masks)
    table = options.exams or options.images / "exams.jsonl"
    if options.exams is None and not table.is_file():
        subjects = {head.name: Subject(head.name, head.name, ALL) for head in heads}
    else:
        subjects = read_subjects(table, options.factor)
    known = [head for head in heads if head.name in subjects]
    if not known:
        raise UserError(
            f"{table}: none of its exams is in {options.images}; exam is a file's name without ending"
        )
    refused = [(head.name, "not in the table of exams") for head in heads if head.name not in subjects]
    there = {head.name for head in heads}
    refused += [(name, "no image in the folder") for name in subjects if name not in there]
    refused += [
        (head.name, f"no value of {options.factor}") for head in known if not subjects[head.name].level
    ]
    used = [(head, subjects[head.name]) for head in known if subjects[head.name].level]
    if any(head.mask is None for head, _ in used):
        check_skullstrip()
    return used, subjects, refused


def _check_masks(log: CaseLog, options: Namespace) -> None:
    before = {one.alarms_at for one in log.before.values()} - {None, options.threshold}
    if before:
        raise UserError(
            f"{options.out}: false alarms of masks were counted there at another threshold; give a new folder"
        )


def _tried(
    options: Namespace, asked: Asked, heads: Sequence[tuple[Head, Subject]], log: CaseLog, scratch: Path
) -> Tried:
    around = Surroundings(
        folder=scratch / "server",
        environment=_environment(options.env, scratch),
        seconds=options.seconds,
        start_seconds=options.start_seconds,
    )
    trial = Trial(
        asked=asked,
        places=drawn_places(asked.seed, asked.places),
        lesions=lesions_of(asked.radii_mm, asked.hu, asked.places),
        threshold=options.threshold,
        scratch=scratch,
        parallel=options.parallel,
    )
    total = len(heads) * (1 + len(trial.lesions))
    terminal = sys.stderr.isatty()

    def on_case(done: int) -> None:
        if terminal:
            print(f"\r{done} of {total} cases", end="\n" if done == total else "", file=sys.stderr)  # noqa: T201

    return try_model(trial, heads, model_maker(asked.command, around, serve=asked.serve), log, on_case)


def _environment(given: Sequence[str], scratch: Path) -> dict[str, str]:
    """All variables of a model's process. Raises UserError for one that is not there."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    home = scratch / "home"
    home.mkdir()
    environment |= {"HOME": str(home), "TMPDIR": str(home)}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals and name not in os.environ:
            raise UserError(f"--env: there is no variable {name} here; NAME=VALUE sets one")
        environment[name] = value if equals else os.environ[name]
    return environment


def _write(
    options: Namespace,
    asked: Asked,
    findings: Findings,
    tried: Tried,
    subjects: Mapping[str, Subject],
    refused: Sequence[tuple[str, str]],
) -> None:
    files = {
        "challenge.json": challenge_json(findings, asked),
        "detection.csv": detection_csv(findings).encode(),
        "scores.csv": scores_csv(tried.outcomes, subjects, options.factor).encode(),
        "ledger.csv": ledger_csv(tried.outcomes, refused, options.factor).encode(),
        "report.html": report_html(findings, asked),
    }
    with user_may_write(options.out):
        for name, data in files.items():
            with whole_file(options.out / name) as partial:
                partial.write_bytes(data)


COMMAND = Command(
    description=(
        "Plants spheres of known radius, contrast and place in your own exams, one a case, leaves each exam also "
        "untouched, and runs your model on every case: any command that reads a NIfTI file and gives a score or a "
        "mask. Reports for each manufacturer (or --factor) what share is found by radius, the smallest radius "
        "found in 90 %, false alarms, and the gaps with intervals over patients. The lesions are the same in every "
        "exam, at the same place relative to the brain. A case without a usable answer costs its own row in the "
        "ledger. Writes cases.jsonl, ledger.csv, detection.csv, scores.csv, challenge.json and report.html."
    ),
    example="nameplate challenge --model 'python predict.py {image} {output}.nii.gz' --images nifti/ --out "
    "challenge/ --parallel 2",
    add_arguments=_add_arguments,
    run=_run,
)
