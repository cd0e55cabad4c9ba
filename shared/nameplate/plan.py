"""From a campaign and the judges' verdicts so far to the jobs: pure, and the same on every machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nameplate.campaign import ORIGINAL, SKULL, Campaign
from nameplate.campaign.experiment import ExperimentSettings
from nameplate.pipeline import step_named
from nameplate.records import Selection
from nameplate.result import Result, digest_of

Parameters = Mapping[str, str | int]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One unit of work: one process does it, and its result is committed as one."""

    id: str
    step: str
    parameters: Parameters
    needs: tuple[str, ...]
    """Ids of the jobs whose outputs it may read."""
    settings: Any = field(repr=False)
    """The part of the campaign that decides its outputs, as JSON."""

    def digest(self, results: Mapping[str, Result]) -> str:
        """Digest of everything that decides the outputs; ``results`` holds those of ``needs``."""
        return digest_of(
            {
                "step": self.step,
                "version": step_named(self.step).version,
                "parameters": dict(self.parameters),
                "settings": self.settings,
                "needs": {need: results[need].fingerprint for need in self.needs},
            }
        )


@dataclass(frozen=True, order=True)
class Line:
    """One experiment on one training set: cells whose rounds of runs wait for no other line."""

    experiment: str
    training_set: str

    @property
    def id(self) -> str:
        """experiment/training set, as plain text of letters, digits, dots and dashes."""
        return f"{self.experiment}/{slug(self.training_set)}"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One square of the grid: runs that differ by their seed alone."""

    experiment: str
    cohort: str
    dataset: str
    training_set: str
    group: int

    @classmethod
    def of(cls, parameters: Parameters) -> "Cell":
        """The cell that a job with these parameters belongs to."""
        return cls(
            experiment=str(parameters["experiment"]),
            cohort=str(parameters["cohort"]),
            dataset=str(parameters["dataset"]),
            training_set=str(parameters["training_set"]),
            group=int(parameters["group"]),
        )

    @property
    def id(self) -> str:
        """experiment/cohort/dataset/training set/group, as part of keys."""
        return f"{self.experiment}/{self.cohort}/{self.dataset}/{slug(self.training_set)}/g{self.group}"

    @property
    def line(self) -> Line:
        """The line that it belongs to."""
        return Line(self.experiment, self.training_set)

    @property
    def parameters(self) -> dict[str, str | int]:
        """The cell as parameters of a job."""
        return {
            "experiment": self.experiment,
            "cohort": self.cohort,
            "dataset": self.dataset,
            "training_set": self.training_set,
            "group": self.group,
        }


def slug(level: str) -> str:
    """A level of the factor ('Revolution CT') as part of a key; different levels stay different."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else f"_{ord(c):x}_" for c in level)
    return plain if plain[0].isalnum() else f"x{plain}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Jobs in an order in which they can run; later rounds appear once their judge has spoken."""

    jobs: tuple[Job, ...]
    open_cells: tuple[Cell, ...]
    """Cells whose last judge has not spoken yet: more jobs may follow."""

    def job(self, job_id: str) -> Job:
        """The job of this id; KeyError when the plan has none."""
        for job in self.jobs:
            if job.id == job_id:
                return job
        raise KeyError(job_id)


def cells_of(campaign: Campaign) -> tuple[Cell, ...]:
    """Every cell of the campaign's grid, in the campaign's order."""
    return tuple(
        Cell(
            experiment=experiment.name,
            cohort=cohort,
            dataset=dataset,
            training_set=training_set,
            group=group,
        )
        for experiment in campaign.experiments
        for cohort in experiment.cohorts
        for dataset in campaign.datasets_of(experiment)
        for training_set in experiment.training_sets
        for group in range(experiment.groups)
    )


def plan(
    campaign: Campaign,
    selections: Mapping[str, tuple[Selection, ...]],
    sources: Mapping[str, str],
) -> Plan:
    """All jobs that are known by now.

    ``selections`` are the judges' verdicts by cell id, in the order of rounds. ``sources`` gives a
    digest of the files of each cohort that is read from a folder.
    """
    jobs: list[Job] = []
    for name in campaign.cohorts:
        jobs += _cohort_jobs(campaign, name, sources.get(name, ""))
    open_cells: list[Cell] = []
    for cell in cells_of(campaign):
        made, finished = _cell_jobs(campaign, cell, selections.get(cell.id, ()))
        jobs += made
        if not finished:
            open_cells.append(cell)
    if not open_cells:
        jobs.append(_report_job(campaign, jobs))
    return Plan(jobs=tuple(jobs), open_cells=tuple(open_cells))


def _dump(settings: Any) -> Any:
    return settings.model_dump(mode="json")


def _cohort_jobs(campaign: Campaign, name: str, source: str) -> list[Job]:
    """Everything from DICOM to packed datasets, of one cohort."""
    cohort = campaign.cohorts[name]
    jobs: list[Job] = []
    shards = range(cohort.shards)

    def add(step: str, tail: str, parameters: Parameters, needs: list[str], settings: Any) -> str:
        job_id = f"{step}/{name}/{tail}".rstrip("/")
        jobs.append(
            Job(
                id=job_id,
                step=step,
                parameters={"cohort": name, **parameters},
                needs=tuple(needs),
                settings=settings,
            )
        )
        return job_id

    ingested: list[str] = []
    stripped: list[str] = []
    for shard in shards:
        at: Parameters = {"shard": shard}
        needs = []
        if cohort.phantom is not None:
            of = [campaign.seed, cohort.shards, _dump(cohort.phantom)]
            needs = [add("phantom", f"{shard:03d}", at, [], of)]
        of = [cohort.shards, source, _dump(cohort.ingest)]
        ingested.append(add("ingest", f"{shard:03d}", at, needs, of))
        stripped.append(add("skullstrip", f"{shard:03d}", at, [ingested[-1]], _dump(cohort.skullstrip)))
    spheres = campaign.datasets.spheres
    of = [
        campaign.seed,
        _dump(campaign.factor),
        cohort.match and _dump(cohort.match),
        _dump(cohort.split),
        spheres.positives,
    ]
    made = add("cohort", "", {}, [*ingested, *stripped], of)

    datasets = _datasets_on(campaign, name)
    synthesised: dict[str, list[str]] = {}
    for dataset in datasets:
        level = next((level for level in spheres.levels if level.name == dataset), None)
        earlier = [] if dataset == ORIGINAL else [ORIGINAL]
        if level is not None and level.start is not None:
            earlier.append(level.start)
        of = [campaign.seed, campaign.datasets.slices, cohort.ingest.floor_hu, spheres.intensity]
        of.append(_dump(level) if level is not None else None)
        # Original's labels say who is of the first level.
        of.append(campaign.factor.levels[0] if dataset == ORIGINAL else None)
        synthesised[dataset] = [
            add(
                "synthesis",
                f"{dataset}/{shard:03d}",
                {"dataset": dataset, "shard": shard},
                [ingested[shard], stripped[shard], made, *(synthesised[e][shard] for e in earlier)],
                of,
            )
            for shard in shards
        ]
    for experiment in campaign.experiments:
        if name not in experiment.cohorts:
            continue
        for dataset in campaign.datasets_of(experiment):
            add(
                "pack",
                f"{experiment.name}/{dataset}",
                {"experiment": experiment.name, "dataset": dataset},
                [made, *(job for earlier in _chain(campaign, dataset) for job in synthesised[earlier])],
                [experiment.task, _dump(experiment.input)],
            )
    return jobs


def _chain(campaign: Campaign, dataset: str) -> list[str]:
    """The datasets whose images a dataset's samples may name: Original, and the levels it starts from."""
    starts = {level.name: level.start for level in campaign.datasets.spheres.levels}
    chain: list[str] = []
    name: str | None = dataset
    while name is not None and name != ORIGINAL:
        chain.insert(0, name)
        name = starts.get(name)
    return [ORIGINAL, *chain]


def _datasets_on(campaign: Campaign, cohort: str) -> list[str]:
    """The datasets that the experiments on this cohort need, with those they start from, in order."""
    wanted = {ORIGINAL}
    for experiment in campaign.experiments:
        if cohort in experiment.cohorts:
            wanted.update(campaign.datasets_of(experiment))
    levels = campaign.datasets.spheres.levels
    for level in reversed(levels):
        if level.name in wanted and level.start is not None:
            wanted.add(level.start)
    return [ORIGINAL, *(level.name for level in levels if level.name in wanted)] + (
        [SKULL] if SKULL in wanted else []
    )


def _cell_jobs(campaign: Campaign, cell: Cell, selections: tuple[Selection, ...]) -> tuple[list[Job], bool]:
    """Rounds of training with their judges, and the evaluation once the last judge has spoken."""
    experiment = campaign.experiment(cell.experiment)
    packed = f"pack/{cell.cohort}/{cell.experiment}/{cell.dataset}"
    of = [campaign.seed, _dump(campaign.factor), _training_settings(experiment, cell.dataset)]
    jobs: list[Job] = []
    trained: list[str] = []
    judged: list[str] = []
    seeds = tuple(range(experiment.rounds.first))
    for number in range(experiment.rounds.limit + 1):
        for seed in seeds:
            job_id = f"training/{cell.id}/s{seed:03d}"
            parameters = {**cell.parameters, "seed": seed, "round": number}
            # A later round waits for the judge that asked for it, but reads nothing of it.
            needs = (packed, *judged[-1:])
            jobs.append(Job(id=job_id, step="training", parameters=parameters, needs=needs, settings=of))
            trained.append(job_id)
        job_id = f"judge/{cell.id}/r{number:02d}"
        parameters = {**cell.parameters, "round": number}
        settings = _dump(experiment.rounds)
        jobs.append(
            Job(id=job_id, step="judge", parameters=parameters, needs=tuple(trained), settings=settings)
        )
        judged.append(job_id)
        if number >= len(selections):
            return jobs, False
        seeds = selections[number].next_seeds
        if not seeds:
            break
    last = selections[len(judged) - 1]
    if last.kept:
        kept = [f"training/{cell.id}/s{seed:03d}" for seed in last.kept]
        jobs.append(
            Job(
                id=f"evaluation/{cell.id}",
                step="evaluation",
                parameters=cell.parameters,
                needs=(packed, judged[-1], *kept),
                settings=of,
            )
        )
    return jobs, True


def _training_settings(experiment: ExperimentSettings, dataset: str) -> Any:
    """What of an experiment decides a run's weights and verdict."""
    return {
        "task": experiment.task,
        "input": _dump(experiment.input),
        "network": _dump(experiment.network),
        "training": experiment.training.model_dump(mode="json", exclude={"checkpoint_epochs"}),
        "convergence": _dump(experiment.convergence_of(dataset)),
    }


def _report_job(campaign: Campaign, jobs: list[Job]) -> Job:
    read = step_named("report").needs
    return Job(
        id="report",
        step="report",
        parameters={},
        needs=tuple(job.id for job in jobs if job.step in read),
        settings=_dump(campaign),
    )
