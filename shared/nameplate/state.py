"""How far a campaign is: current results, the judges' verdicts among them, and the plan they lead to."""

from collections.abc import Callable, Mapping

from nameplate.campaign import Campaign
from nameplate.job import Snapshot, is_current
from nameplate.plan import Job, Plan, plan
from nameplate.records import Selection
from nameplate.result import Result, read_output
from nameplate.store import Store


class State:
    """Grows with every result that is taken; a judge's result makes its plan longer."""

    def __init__(self, campaign: Campaign, store: Store, sources: Mapping[str, str]) -> None:
        self._campaign = campaign
        self._store = store
        self._sources = sources
        self.results: dict[str, Result] = {}
        """Results that were made from the campaign as it is now, by job id."""
        self.selections: dict[str, tuple[Selection, ...]] = {}
        """Verdicts by cell id, in the order of rounds."""
        self.plan: Plan = plan(campaign, {}, sources)
        self._looked_at: set[str] = set()

    def take(self, job: Job, result: Result) -> None:
        """Remember the result of a job."""
        self.results[job.id] = result
        if job.step == "judge":
            cell = cell_of_judge(job.id)
            self.selections[cell] = (*self.selections.get(cell, ()), read_selection(self._store, result))
            self.plan = plan(self._campaign, self.selections, self._sources)

    def has_needs(self, job: Job) -> bool:
        """Whether the results of all jobs that it reads are here."""
        return all(need in self.results for need in job.needs)

    def take_committed(
        self,
        *,
        among: Callable[[Job], bool] = lambda job: True,  # noqa: ARG005 (every job)
        on_taken: Callable[[Job], None] = lambda job: None,  # noqa: ARG005
        snapshot: Snapshot | None = None,
    ) -> None:
        """Take what is committed already, each job looked at once, verdicts and what follows included.

        ``among`` leaves jobs out that are of no interest; ``on_taken`` is called for each one taken;
        ``snapshot`` stands for the store where many jobs are to be looked at.
        """
        while True:
            before = self.plan
            for job in before.jobs:
                if job.id in self.results or job.id in self._looked_at:
                    continue
                if not among(job) or not self.has_needs(job):
                    continue
                self._looked_at.add(job.id)
                result = is_current(self._store, job, self.results, snapshot)
                if result is not None:
                    self.take(job, result)
                    on_taken(job)
            if self.plan is before:
                return


def current_state(campaign: Campaign, store: Store, sources: Mapping[str, str]) -> State:
    """The state of a campaign as its store tells it."""
    state = State(campaign, store, sources)
    state.take_committed(snapshot=Snapshot.of(store))
    return state


def read_selection(store: Store, result: Result) -> Selection:
    """The verdict that a judge's job committed."""
    return Selection.model_validate_json(read_output(store, result.outputs[0]))


def cell_of_judge(job: str) -> str:
    """The cell that a judge's job is of: judge/<cell>/r<round>."""
    return job.removeprefix("judge/").rpartition("/")[0]
