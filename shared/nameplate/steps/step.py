"""What a step of a campaign is, and what one of its jobs is given."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue

from nameplate.campaign import Campaign
from nameplate.campaign.settings import Settings
from nameplate.steps.cell import Cell


class JobSettings(Settings):
    """All that a step's function learns about the campaign. Its dump goes into the job's digest.

    A class whose dump would leave something out, or could hold more than plain values, raises TypeError
    when it is defined: the step could then depend on something that its digest does not see.
    """

    @property
    def text(self) -> str:
        """All of it as JSON, in order: the order of cohorts, too, decides what a report shows."""
        return json.dumps(self.model_dump(mode="json", serialize_as_any=True), allow_nan=False)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for place, fault in faults_of(cls):
            raise TypeError(f"{cls.__name__}.{place}: {fault}")


def faults_of(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Fields of settings that a digest would not fully hold, with what is wrong; nested ones too."""
    if not model.model_config.get("frozen"):
        yield "model_config", f"{model.__name__} is not frozen"
    decorators = model.__pydantic_decorators__
    for name in (*decorators.field_serializers, *decorators.model_serializers):
        yield name, "a serializer could leave something out of the dump"
    for name in model.__private_attributes__:
        yield name, "a private attribute is not in the dump"
    for name, info in model.model_fields.items():
        if info.exclude:
            yield name, "is left out of the dump, and so of the digest"
        for fault in _faults_of_type(info.annotation):
            yield name, fault


_PLAIN = (str, int, float, bool, NoneType, JsonValue)


def _faults_of_type(kind: Any) -> Iterator[str]:
    origin = get_origin(kind)
    if kind in _PLAIN or origin is Literal or kind is Ellipsis:
        return
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from (f"{kind.__name__}.{place}: {fault}" for place, fault in faults_of(kind))
    elif origin is Annotated:
        yield from _faults_of_type(get_args(kind)[0])
    elif origin in (tuple, dict, Union, UnionType):
        for part in get_args(kind):
            yield from _faults_of_type(part)
    else:
        name = getattr(kind, "__name__", str(kind))
        yield f"{name} is not a type that a digest can hold (text, number, settings, or a tuple of them)"


class CohortJobSettings(JobSettings):
    """Settings of a job that works on one cohort."""

    cohort: str


class CellJobSettings(JobSettings):
    """Settings of a job that works on one cell of the grid."""

    cell: Cell


class RoundJobSettings(CellJobSettings):
    """Settings of a job that belongs to one round of a cell."""

    round: int


@dataclass(frozen=True, kw_only=True)
class Job:
    """One unit of work: one process does it, and its result is committed as one."""

    id: str
    """step/..., as `nameplate plan --jobs` lists it."""
    step: str
    settings: JobSettings = field(repr=False)
    needs: tuple[str, ...]
    """Ids of the jobs whose outputs it may read."""

    @property
    def cell(self) -> Cell | None:
        """The cell of the grid that it belongs to, if any."""
        return self.settings.cell if isinstance(self.settings, CellJobSettings) else None

    @property
    def cohort(self) -> str | None:
        """The cohort that it works on; None for a job of several cohorts."""
        if isinstance(self.settings, CohortJobSettings):
            return self.settings.cohort
        return self.cell.cohort if self.cell is not None else None

    @property
    def round(self) -> int:
        """The round of runs that it belongs to; 0 for steps without rounds."""
        return self.settings.round if isinstance(self.settings, RoundJobSettings) else 0


def step_of(job_id: str) -> str:
    """The name of a job's step."""
    return job_id.partition("/")[0]


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much work one job is, as far as the campaign tells."""

    exams: float
    pixels: float
    """Pixels of one slice of the source, in units of 128 x 128."""
    flop: float
    """Operations of one run's training, or of a cell's predictions; 0 for a job of no cell."""


@dataclass(frozen=True, kw_only=True)
class CohortPlan:
    """The plan of one cohort so far, for the step whose jobs come next."""

    campaign: Campaign
    cohort: str
    source: str
    """Digest of the source files; empty for a cohort without any."""
    other: "CohortPlan | None"
    """The plan of the cohort that a derived one takes its members from; None for one with its own exams."""
    jobs: dict[str, list[Job]]
    """By step, in the order of the steps."""

    def ids(self, step: str, **settings: object) -> list[str]:
        """Ids of the jobs of a step whose settings have these values."""
        return [
            job.id
            for job in self.jobs.get(step, [])
            if all(getattr(job.settings, name) == value for name, value in settings.items())
        ]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: what it needs, how it fans out, and what its process may use."""

    name: str
    service: str
    """The service whose package does the work and whose image runs it."""
    settings: type[JobSettings]
    """The settings of one of its jobs."""
    id: str
    """A job's id after the step's name, as a template over ``job``, the job's settings."""
    needs: tuple[str, ...]
    """Steps whose results it reads."""
    scope: Literal["cohort", "arm", "campaign"] = "cohort"
    """How its jobs are planned: cohort by cohort, round by round of an arm, or all at once."""
    jobs: Callable[[CohortPlan], Iterable[Job]] = lambda plan: ()  # noqa: ARG005 (arms plan their own)
    """The jobs of one cohort, for a step with the scope "cohort"."""
    version: int
    """Raised whenever the step's outputs change for the same settings: old results are redone."""
    pool: Literal["cpu", "gpu"] = "cpu"
    memory_mib: int
    """Memory of one job at the paper's size."""
    seconds: Callable[[Load], float] = lambda load: 1.0  # noqa: ARG005
    """A first guess at one job's time on one core."""
    retries: int = 3
    """How often a job is tried again after exit code 75 or an eviction."""
    reads_source: bool = False
    """Whether it reads a cohort's source files, and so needs the key of the pseudonyms."""
    lists_source: bool = False
    """Whether it says what a source holds: its jobs depend on a look at the source, and are done again for
    one elsewhere, which alone can tell whether that has changed."""

    def __post_init__(self) -> None:
        wanted = {"cohort": CohortJobSettings, "arm": CellJobSettings, "campaign": JobSettings}[self.scope]
        if not issubclass(self.settings, wanted):
            raise TypeError(f"step {self.name}: its scope {self.scope!r} asks for {wanted.__name__}")

    @property
    def fan_out(self) -> tuple[str, ...]:
        """What there is one job per, outermost first; read from its id."""
        cell = tuple(Cell.model_fields)
        parts = {"cell": cell, "run": (*cell, "seed")}
        names = re.findall(r"job\.(\w+)", self.id)
        return tuple(part for name in names for part in parts.get(name, (name,)))

    @property
    def entry(self) -> str:
        """The function that does one job: 'module:function', taking settings, inputs and outputs."""
        return f"nameplate_{self.service}.{self.name}_step:{self.name}"

    def id_of(self, job: object) -> str:
        """The id of a job, from its settings or anything else with the attributes that ``id`` names."""
        tail = self.id.format(job=job)
        return f"{self.name}/{tail}" if tail else self.name

    def job(self, settings: JobSettings, needs: Sequence[str]) -> Job:
        """The job with these settings."""
        return Job(id=self.id_of(settings), step=self.name, settings=settings, needs=tuple(needs))
