"""``nameplate challenge``: lesions planted in your exams, and what your model finds of them."""

import signal
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from nameplate.errors import UserError
from nameplate.service.command import Command
from nameplate.service.heads import Head, check_skullstrip, heads_of
from nameplate.whole import user_may_write, whole_file
from nameplate_challenge.analysis import analysed
from nameplate_challenge.arguments import add_arguments, asked_of, question_of, threshold_of
from nameplate_challenge.asked import Asked, agree
from nameplate_challenge.case import lesions_of
from nameplate_challenge.case_log import CaseLog
from nameplate_challenge.findings import Findings
from nameplate_challenge.model import model_maker
from nameplate_challenge.place import drawn_places
from nameplate_challenge.report import report_html
from nameplate_challenge.scratch import scratch_folder
from nameplate_challenge.subjects import ALL, Subject, read_subjects
from nameplate_challenge.summary import summary_lines
from nameplate_challenge.surroundings import Surroundings, environment_of, given
from nameplate_challenge.tables import challenge_json, detection_csv, ledger_csv, scores_csv
from nameplate_challenge.trial import Trial, Tried, try_model


def _run(options: Namespace) -> int:
    asked = asked_of(options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    heads, subjects, refused = _exams(options)
    with user_may_write(options.out):
        options.out.mkdir(parents=True, exist_ok=True)
    with CaseLog(options.out) as log:
        if not log.has_scores:
            log.forget()  # what is left of a command that never worked
        agree(options.out, asked, has_results=log.has_scores)
        if options.retry_failed:
            log.before = {
                key: one for key, one in log.before.items() if one.score is not None or not one.asked
            }
        _check_masks(log, options)
        with scratch_folder(options.out, options.scratch) as scratch:
            tried = _tried(options, asked, heads, log, scratch)
        refused += tried.refused
        findings = analysed(tried.outcomes, question_of(options), refused=len(refused))
        log.finish(tried.outcomes)
        _write(options, asked, findings, tried, subjects, refused)
    print("\n".join([*summary_lines(findings, asked), "", f"report: {options.out}/report.html"]))  # noqa: T201
    return 0


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
    before = {one.alarms_at for one in log.before.values()} - {None, threshold_of(options)}
    if before:
        raise UserError(
            f"{options.out}: false alarms of masks were counted there at another threshold; give a new folder"
        )


def _tried(
    options: Namespace, asked: Asked, heads: Sequence[tuple[Head, Subject]], log: CaseLog, scratch: Path
) -> Tried:
    around = Surroundings(
        folder=scratch / "server",
        environment=environment_of(scratch / "home") | given(options.env),
        seconds=options.seconds,
        start_seconds=options.start_seconds,
    )
    trial = Trial(
        asked=asked,
        places=drawn_places(asked.seed, asked.places),
        lesions=lesions_of(asked.radii_mm, asked.hu, asked.places),
        threshold=threshold_of(options),
        scratch=scratch,
        parallel=options.parallel,
    )
    total = len(heads) * (1 + len(trial.lesions))
    terminal = sys.stderr.isatty()

    def on_case(done: int) -> None:
        if terminal:
            print(f"\r{done} of {total} cases", end="\n" if done == total else "", file=sys.stderr)  # noqa: T201

    return try_model(trial, heads, model_maker(asked.command, around, serve=asked.serve), log, on_case)


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
        "Plants spheres of known radius, contrast and place in your own exams, one a case, leaves each "
        "exam also untouched, and runs your model on every case: any command that reads a NIfTI file and "
        "gives a score or a mask. Reports for each manufacturer (or --factor) what share is found by "
        "radius, the smallest radius found in 90 %, false alarms, and the gaps with intervals over "
        "patients. The lesions are the same in every exam, at the same place relative to the brain. A case "
        "without a usable answer costs its own row in the ledger. Writes cases.jsonl, ledger.csv, "
        "detection.csv, scores.csv, challenge.json and report.html."
    ),
    example="nameplate challenge --model 'python predict.py {image} {output}.nii.gz' --images nifti/ --out "
    "challenge/ --parallel 2",
    add_arguments=add_arguments,
    run=_run,
)
