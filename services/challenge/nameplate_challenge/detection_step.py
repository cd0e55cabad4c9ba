"""The step ``detection``: what a model of the user's finds of the planted lesions, by level of the factor."""

from collections import Counter

from nameplate.errors import UserError
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.challenge import OUTCOMES, UNREAD
from nameplate.steps.detection import DETECTION, KEPT, SHOWN, DetectionJob
from nameplate_challenge.analysis import Question, analysed
from nameplate_challenge.asked import asked_by
from nameplate_challenge.report import report_html
from nameplate_challenge.subjects import Subject
from nameplate_challenge.tables import challenge_json, detection_csv, ledger_csv, scores_csv
from nameplate_challenge.words import detection_of


def detection(job: DetectionJob, inputs: Inputs, outputs: Outputs) -> None:
    """Write the figures of one model on one cohort, and the pages and tables of them.

    Raises UserError if the model has not scored a single case, with the commonest reason.
    """
    outcomes = OUTCOMES.read_all(inputs, cohort=job.cohort, model=job.model)
    unread = [(row.exam, row.reason) for row in UNREAD.read_all(inputs, cohort=job.cohort, model=job.model)]
    if not any(one.score is not None for one in outcomes):
        reasons = Counter([one.reason for one in outcomes] + [reason for _, reason in unread])
        (reason, count), *_ = reasons.most_common(1) or [("no exam", 0)]
        raise UserError(
            f"challenge.models.{job.model}: nothing could be scored; the commonest reason, {count} times: "
            f"{reason}"
        )
    asked = asked_by(job.given, job.grid, job.seed)
    question = Question(
        factor=job.factor,
        threshold=job.given.found_from,
        sensitivity=job.sensitivity,
        confidence=job.confidence,
        seed=job.seed,
        resamples=job.resamples,
    )
    findings = analysed(outcomes, question, refused=len(unread))
    subjects = {one.exam: Subject(one.exam, one.patient, one.level) for one in outcomes}
    names = {"cohort": job.cohort, "model": job.model}
    shown = {
        "challenge.json": challenge_json(findings, asked),
        "detection.csv": detection_csv(findings).encode(),
        "index.html": report_html(findings, asked),
    }
    kept = {
        "scores.csv": scores_csv(outcomes, subjects, job.factor).encode(),
        "ledger.csv": ledger_csv(outcomes, unread, job.factor).encode(),
    }
    for file, data in shown.items():
        outputs.write(SHOWN.key(file=file, **names), data)
    for file, data in kept.items():
        outputs.write(KEPT.key(file=file, **names), data)
    DETECTION.write(outputs, detection_of(findings, asked, job), **names)
