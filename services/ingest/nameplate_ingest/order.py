"""In which order studies are done: one that ends its process, or that its source does not give, waits."""

from collections.abc import Iterator
from dataclasses import replace

from nameplate.errors import TryAgain
from nameplate_ingest.conversion import Conversion, Work, convert, failed
from nameplate_ingest.results.journal import Done, Outcome
from nameplate_ingest.workers import Died, Workers

_MOST_IN_A_ROW = 5
"""Studies that a source may begin to refuse one after the other; then it may not be the studies."""


def outcomes_of(
    todo: list[Work], conversion: Conversion, pool: Workers, done: Done | None
) -> Iterator[Outcome]:
    """Convert the studies, from the last to the first; each is forgotten when it is done.

    Those that the source refuses for now are asked for once more when the others are done, and those that it
    has refused to an earlier run are done last. TryAgain for one that is refused then, too, unless the
    source's settings leave it out; and when the source begins to refuse many, one after the other, since it
    would take days to ask for all.
    """
    total = len(todo)
    known = frozenset() if done is None else frozenset(done.refused)
    todo.sort(key=lambda work: work.exam not in known)
    again: list[Work] = []
    in_a_row = 0
    for work, outcome in _each(todo, conversion, pool, done):
        if not outcome.refused_for_now:
            in_a_row = 0
            yield outcome
            continue
        again.append(work)
        if work.exam in known:
            continue
        if done is not None:
            done.add(outcome)
        in_a_row += 1
        if in_a_row == _MOST_IN_A_ROW:
            raise TryAgain(
                f"{_reason(outcome)}, {in_a_row} studies in a row; the same command goes on from here"
            )
    refused = 0
    again.reverse()
    for _, outcome in _each(again, conversion, pool, done):
        if outcome.refused_for_now and not conversion.source.leaves_out:
            refused += 1
            last = outcome
        else:
            yield outcome
    if refused:
        raise TryAgain(
            f"{_reason(last)}: {refused} of {total} studies did not come, all others are done; the same "
            "command asks for them again, and with `if_refused: leave-out` goes on without them"
        )


def _reason(outcome: Outcome) -> str:
    return next(row.seen for row in outcome.rows)


def _each(
    todo: list[Work], conversion: Conversion, pool: Workers, done: Done | None
) -> Iterator[tuple[Work, Outcome]]:
    if done is None or pool.count:
        yield from _run(todo, conversion, pool)
        return
    # An earlier run ended inside one of these; it may have been the study's fault. In a process of its
    # own it cannot end this one.
    suspects = [work for work in todo if work.exam in done.suspects]
    others = [work for work in todo if work.exam not in done.suspects]
    todo.clear()
    yield from _run(others, conversion, pool, done)
    if suspects:
        with Workers(1, conversion) as apart:
            yield from _run(suspects, conversion, apart)


def _run(
    todo: list[Work], conversion: Conversion, pool: Workers, done: Done | None = None
) -> Iterator[tuple[Work, Outcome]]:
    """``done`` is told of each study that this process begins itself."""
    works = _in_turn(todo, conversion)
    on_start = None if done is None else lambda work: done.start(work.exam)
    for work, outcome in pool.run(convert, works, on_start):
        if isinstance(outcome, Died):
            yield work, failed(work, "the worker died", conversion.pseudonyms)
        else:
            yield work, outcome


def _in_turn(todo: list[Work], conversion: Conversion) -> Iterator[Work]:
    """From the last to the first, but those before all others that their source fetches together."""
    works = {work.uid: work for work in reversed(todo)}
    todo.clear()
    output, studies = conversion.output, {uid: work.study for uid, work in works.items()}
    with output.scratch("pass") as scratch:
        for uid in conversion.source.ahead(studies, lambda uid: output.fetched(works[uid].exam), scratch):
            yield replace(works.pop(uid), is_fetched=True)
    studies.clear()
    while works:
        yield works.pop(next(iter(works)))
