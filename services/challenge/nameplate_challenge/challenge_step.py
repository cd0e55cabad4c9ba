"""The step ``challenge``: lesions planted in one shard's exams, and what a user's model makes of them."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from nameplate.errors import TryAgain
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.service.heads import Head
from nameplate.steps.challenge import OUTCOMES, UNREAD, ChallengeJob, Unread
from nameplate.steps.cohort import MEMBERS
from nameplate.steps.ingest import EXAMS, IMAGE
from nameplate.steps.skullstrip import MASK
from nameplate_challenge.asked import asked_by
from nameplate_challenge.case import lesions_of
from nameplate_challenge.case_log import CaseLog
from nameplate_challenge.model import Model, model_maker
from nameplate_challenge.place import drawn_places
from nameplate_challenge.question import Question
from nameplate_challenge.remote_model import RemoteModel
from nameplate_challenge.subjects import Subject
from nameplate_challenge.surroundings import Surroundings, environment_of
from nameplate_challenge.trial import Trial, Tried, try_model

MODELS_VARIABLE = "NAMEPLATE_MODELS"
"""Environment variable of a cluster's pods: where models answer, as http://host:port with {model} in it."""
SAVE_SECONDS = 30.0
"""Between two savings of what the model has answered so far."""


def challenge(job: ChallengeJob, inputs: Inputs, outputs: Outputs) -> None:
    """Write what the model made of every case of the shard's members."""
    here = {exam.exam for exam in EXAMS.read(inputs, cohort=job.cohort, shard=job.shard)}
    members = [one for one in MEMBERS.read(inputs, cohort=job.cohort) if one.exam in here]
    exams = [
        (
            Head(
                one.exam,
                inputs.fetch(IMAGE.key(cohort=job.cohort, exam=one.exam)),
                inputs.fetch(MASK.key(cohort=job.cohort, exam=one.exam)),
            ),
            Subject(one.exam, one.patient, one.level),
        )
        for one in sorted(members, key=lambda one: one.exam)
    ]
    tried = _tried(job, exams, outputs)
    rows = sorted(tried.outcomes, key=lambda one: one.order)
    OUTCOMES.write(outputs, rows, cohort=job.cohort, model=job.model, shard=job.shard)
    unread = [Unread(exam=exam, reason=reason) for exam, reason in sorted(tried.refused)]
    UNREAD.write(outputs, unread, cohort=job.cohort, model=job.model, shard=job.shard)


def _tried(job: ChallengeJob, exams: list[tuple[Head, Subject]], outputs: Outputs) -> Tried:
    """All cases; those that an interrupted run of this job has scores for are not asked again."""
    asked = asked_by(job.given, job.grid, job.seed)
    scratch = outputs.scratch / "model"
    scratch.mkdir()
    trial = Trial(
        asked=asked,
        places=drawn_places(asked.seed, asked.places),
        lesions=lesions_of(asked.radii_mm, asked.hu, asked.places),
        threshold=job.given.found_from,
        scratch=scratch,
        parallel=1,
        alone=False,
    )
    folder = outputs.load_checkpoints()
    saved = time.monotonic()

    def on_case(done: int) -> None:  # noqa: ARG001
        nonlocal saved
        ends = outputs.should_stop()
        if ends or time.monotonic() - saved > SAVE_SECONDS:
            outputs.save_checkpoints(folder)
            saved = time.monotonic()
        if ends:
            raise TryAgain(f"asked to stop in {job.cohort}/{job.model}; what was answered is kept")

    with CaseLog(folder) as log:
        return try_model(trial, exams, _models(job, scratch, outputs.should_stop), log, on_case)


def _models(job: ChallengeJob, scratch: Path, should_stop: Callable[[], bool]) -> Callable[[int], Model]:
    """Who is asked: a model's own pod where there is one, else processes here."""
    if where := os.environ.get(MODELS_VARIABLE):
        question = Question.of(job.given, gzip=job.grid.gzip)
        return lambda number: RemoteModel(where.replace("{model}", job.model), question, should_stop)  # noqa: ARG005
    around = Surroundings(
        folder=scratch / "server",
        environment=environment_of(scratch / "home") | job.given.environment,
        seconds=job.given.seconds,
        start_seconds=job.given.start_seconds,
    )
    return model_maker(job.given.said, around, serve=job.given.serve is not None)
