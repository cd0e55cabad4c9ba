"""The trial of a model: every case of every exam, several at once, and what came of it as it comes."""

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

from nameplate.errors import UserError
from nameplate.image.sphere import Point
from nameplate.image.volume import nifti_bytes, plain_nifti_bytes
from nameplate.service.heads import Head
from nameplate.steps.challenge import MODEL, Lesion, Outcome
from nameplate.whole import user_may_write
from nameplate_challenge.answer import read_answer
from nameplate_challenge.asked import Asked
from nameplate_challenge.case import case_key
from nameplate_challenge.case_log import CaseLog
from nameplate_challenge.hit import hit
from nameplate_challenge.model import Model, NoScore
from nameplate_challenge.planting import Case, cases_of, content_of, read_exam
from nameplate_challenge.request import Request
from nameplate_challenge.subjects import Subject

FIRST = 8
"""If so many first cases fail alike, so will the others: it is said at once."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be done."""

    asked: Asked
    places: Sequence[Point]
    """In half axes of the brain."""
    lesions: Sequence[Lesion]
    threshold: float
    """For the false alarms of masks."""
    scratch: Path
    parallel: int
    alone: bool = True
    """Whether these are all the cases: then it is an error if nothing can be scored. Else others may do
    better, and what is left after ``FIRST`` failures alike is given up."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it."""

    outcomes: list[Outcome]
    """Of every case of every exam that could be read."""
    refused: list[tuple[str, str]]
    """Exams that could not, with the reason."""


def try_model(
    trial: Trial,
    exams: Sequence[tuple[Head, Subject]],
    models: Callable[[int], Model],
    log: CaseLog,
    on_case: Callable[[int], None],
) -> Tried:
    """Ask for every case that the log does not have; ``on_case`` hears how many are done.

    Raises UserError if nothing can be scored, with the commonest reason.
    """
    tried = Tried([], [])
    failed: list[Outcome] = []
    scored = log.has_scores
    given_up = ""

    def keep(outcome: Outcome) -> None:
        nonlocal scored, given_up
        if outcome.score is not None:
            scored = True
            for earlier in failed:
                log.append(earlier)
            failed.clear()
        # A failure is kept once it is known that the command works at all: else it is asked again next time.
        if scored or not outcome.asked:
            log.append(outcome)
        else:
            failed.append(outcome)
            if len(failed) == FIRST and len({one.reason for one in failed}) == 1:
                if trial.alone:
                    raise UserError(f"the first {FIRST} cases all failed: {_why(outcome)}")
                given_up = f"{MODEL}not asked: the first {FIRST} cases all failed alike"
        tried.outcomes.append(outcome)
        on_case(len(tried.outcomes))

    def new_cases() -> Iterator[Case]:
        for head, subject in exams:
            try:
                outcomes = _outcomes(trial, head, subject)
                tried.outcomes.extend(
                    _as_now(log.before[one.key], one) for one in outcomes if one.key in log.before
                )
                open_ones = [one for one in outcomes if one.key not in log.before]
                if open_ones:
                    image, mask = read_exam(head)
                    for case in cases_of(image, mask, open_ones, trial.places, trial.asked.most_moved_mm):
                        yield replace(case, outcome=_because(case.outcome, given_up)) if given_up else case
            except UserError as error:
                reason = str(error).removeprefix(f"{head.image}: ").removeprefix(f"{head.mask}: ")
                tried.refused.append((head.name, reason))

    with contextlib.closing(_answers(trial, new_cases(), models)) as answers:
        for outcome in answers:
            keep(outcome)
    if trial.alone and not any(outcome.score is not None for outcome in tried.outcomes):
        reasons = Counter([_why(one) for one in tried.outcomes] + [reason for _, reason in tried.refused])
        if not reasons:
            raise UserError("no exam is both in the folder and in the table")
        (reason, count), *_ = reasons.most_common(1)
        raise UserError(f"nothing could be scored; the commonest reason, {count} times: {reason}")
    return tried


def _why(outcome: Outcome) -> str:
    return f"{outcome.reason} ({outcome.said})" if outcome.said else outcome.reason


def _because(outcome: Outcome, reason: str) -> Outcome:
    return outcome if outcome.reason else outcome.model_copy(update={"reason": reason})


def _as_now(before: Outcome, now: Outcome) -> Outcome:
    """An earlier outcome, under what the table says now."""
    return before.model_copy(update={"patient": now.patient, "level": now.level})


def _outcomes(trial: Trial, head: Head, subject: Subject) -> list[Outcome]:
    content = f"{head.name} {content_of(head)}"  # a copy of an exam under another name is another exam
    return [
        Outcome(
            key=case_key(content, lesion, trial.asked.command),
            exam=head.name,
            patient=subject.patient,
            level=subject.level,
            lesion=lesion,
        )
        for lesion in (None, *trial.lesions)
    ]


def _answers(
    trial: Trial, cases: Iterator[Case], models: Callable[[int], Model]
) -> Generator[Outcome, None, None]:
    """The outcomes of the cases, in the order in which they are known."""
    made = [models(number) for number in range(trial.parallel)]
    free: SimpleQueue[Model] = SimpleQueue()
    for model in made:
        free.put(model)

    def work(case: Case, number: int) -> Outcome:
        model = free.get()
        try:
            return _asked(trial, case, number, model)
        finally:
            free.put(model)

    pool = ThreadPoolExecutor(trial.parallel)
    waiting: set[Future[Outcome]] = set()
    try:
        for number, case in enumerate(cases):
            if case.outcome.reason:
                yield case.outcome
                continue
            waiting.add(pool.submit(work, case, number))
            # As many again are prepared while the model works, and no more are in memory.
            if len(waiting) >= 2 * trial.parallel:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        for future in waiting:
            future.cancel()
        for model in made:
            model.close()
        pool.shutdown()


def _asked(trial: Trial, case: Case, number: int, model: Model) -> Outcome:
    request = Request(trial.scratch / f"{number:06d}", number, trial.asked.gzip)
    try:
        with user_may_write(request.folder):
            request.folder.mkdir(parents=True)
            planted = case.planted()
            request.image.write_bytes((nifti_bytes if request.gzip else plain_nifti_bytes)(planted))
        printed = model.ask(request)
        answer = read_answer(
            request, printed, case.image, trial.asked.score_range, prefers_line=model.prefers_line
        )
    except NoScore as error:
        model.distrust()
        said = error.said.replace(str(request.folder), "CASE").replace(str(trial.scratch), "SCRATCH")
        return case.outcome.model_copy(update={"reason": error.reason, "said": said})
    finally:
        shutil.rmtree(request.folder, ignore_errors=True)
    if isinstance(answer, float):
        return case.outcome.model_copy(update={"score": answer})
    score, alarms = hit(answer, case.image, case.sphere, trial.threshold)
    return case.outcome.model_copy(update={"score": score, "alarms": alarms, "alarms_at": trial.threshold})
