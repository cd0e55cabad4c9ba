"""The progress of a campaign: current results, the selections among them, and the resulting plan."""

from collections.abc import Callable, Mapping

from nameplate.campaign import Campaign
from nameplate.campaign.cohort_source import CohortSource
from nameplate.errors import DamagedObject
from nameplate.job.current import Snapshot, is_asked_again, is_current
from nameplate.job.inputs import Committed
from nameplate.job.result import Result, again_key, committed_jobs, read_result, result_key
from nameplate.plan.plan import Plan, plan
from nameplate.steps import ingest, listing
from nameplate.steps.cell import Cell
from nameplate.steps.selection import SELECTION, Selection
from nameplate.steps.step import Job
from nameplate.store import Store


class State:
    """Grows with every result that is added; a selection makes its plan longer."""

    def __init__(self, campaign: Campaign, store: Store, digests: Mapping[str, str]) -> None:
        self._campaign = campaign
        self._store = store
        self._digests = digests
        self.results: dict[str, Result] = {}
        """Results made from the campaign as it is now, by job id."""
        self.selections: dict[Cell, tuple[Selection, ...]] = {}
        """By cell, in the order of rounds."""
        self._plan: Plan | None = None
        self._checked: set[str] = set()

    def add_result(self, job: Job, result: Result) -> None:
        """Remember the result of a job."""
        self.results[job.id] = result
        if job.step == "selection":
            assert job.cell is not None
            earlier = self.selections.get(job.cell, ())
            self.selections[job.cell] = (*earlier, read_selection(self._store, result))
            self._plan = None

    @property
    def plan(self) -> Plan:
        """All jobs known so far."""
        if self._plan is None:
            self._plan = plan(self._campaign, self.selections, self._digests)
        return self._plan

    def has_needs(self, job: Job) -> bool:
        """Whether all jobs that it reads have results."""
        return all(need in self.results for need in job.needs)

    def add_committed(
        self,
        *,
        among: Callable[[Job], bool] = lambda job: True,  # noqa: ARG005 (every job)
        on_added: Callable[[Job], None] = lambda job: None,  # noqa: ARG005
        snapshot: Snapshot | None = None,
    ) -> None:
        """Add what is already committed, selections and what follows from them included.

        Each job is checked once. ``among`` picks the jobs to look at, ``on_added`` is called for each one
        added, and ``snapshot`` replaces the store when many jobs are checked.
        """
        while True:
            before = self.plan
            for job in before.jobs:
                if job.id in self.results or job.id in self._checked:
                    continue
                if not among(job) or not self.has_needs(job):
                    continue
                self._checked.add(job.id)
                result = is_current(self._store, job, self.results, snapshot)
                if result is not None:
                    self.add_result(job, result)
                    on_added(job)
            if self.plan is before:
                return


def ask_again(store: Store, sources: Mapping[str, CohortSource]) -> bool:
    """Have the sources that are elsewhere asked anew: only they can tell what they hold now.

    For the start of a run. What is listed again as it was leaves all that was made of it current. A listing
    stays committed until the next one is written: a source that does not answer takes nothing away. Studies
    that were not as listed are fetched again. Returns whether anything is to be done again.
    """
    elsewhere = [name for name, source in sources.items() if source.is_elsewhere]
    committed = committed_jobs(store) if elsewhere else []
    again = False
    for name in elsewhere:
        if (listed := listing.job_id(name)) in committed:
            store.put(again_key(listed), b"")
            again = True
        for job in committed:
            if job.startswith(f"{ingest.STEP.name}/{name}/") and _was_not_as_listed(store, job):
                store.delete(result_key(job))
                again = True
    return again


def _was_not_as_listed(store: Store, job: str) -> bool:
    """Whether a shard has refused a study because its source had it no more as it was listed."""
    result = read_result(store, job)
    rows = ingest.LEDGER.read_all(Committed(store, {job: result})) if result is not None else ()
    return any(row.rule in ingest.NOT_AS_LISTED for row in rows)


def current_state(
    campaign: Campaign, store: Store, digests: Mapping[str, str], *, asked_again: bool = False
) -> State:
    """The state of a campaign, read from its store; ``digests`` are those of its sources.

    With ``asked_again`` it lacks what ``ask_again`` has marked, as for a run; who looks takes it as it is.
    """
    state, snapshot = State(campaign, store, digests), Snapshot.of(store)
    state.add_committed(
        among=lambda job: not (asked_again and is_asked_again(store, job, snapshot)), snapshot=snapshot
    )
    return state


def read_selection(store: Store, result: Result) -> Selection:
    """What a job of the step ``selection`` committed."""
    selections = list(SELECTION.read_all(Committed(store, {result.job: result})))
    if len(selections) != 1:
        raise DamagedObject(f"{store.url}: {result.job} committed {len(selections)} selections, expected one")
    return selections[0]
