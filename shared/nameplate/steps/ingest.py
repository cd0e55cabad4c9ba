"""Step ``ingest``: one shard of a cohort from DICOM to NIfTI, and a ledger of every series and file."""

import math
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from nameplate.campaign.field import FIELDS, Value
from nameplate.campaign.ingest import IngestSettings
from nameplate.records import Record
from nameplate.steps.files import File, Rows
from nameplate.steps.measured import MeasuredExam
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step


class Exam(Record):
    """One exam after ingest: pseudonyms and the allow-listed tags of its chosen series."""

    exam: str
    """Pseudonym of the study: 'e' and 16 hex digits (keyed hash)."""
    patient: str
    """Pseudonym of the patient: 'p' and 16 hex digits (keyed hash)."""
    image: str
    """Path of the image below the output folder: images/<exam>.nii.gz."""
    manufacturer: str
    """Normalised: GE, Siemens, Philips, Canon..."""
    model: str
    software: str
    kernel: str
    kernel_class: Literal["soft", "medium", "sharp", ""] = ""
    """Whether the kernel shows soft tissue or bone and lung; empty if it is not known."""
    institution: str
    """Pseudonym: 'i' and 16 hex digits, or empty."""
    age: float | None
    """Years."""
    sex: Literal["F", "M", "O"] | None
    kvp: float | None
    exposure_mas: float | None
    thickness_mm: float
    """Slice thickness of the source series."""
    gaps_mm: tuple[float, ...]
    """Distinct distances between neighbouring slices of the source, along the normal."""
    pixel_mm: float
    """Pixel size of the source."""
    tilt_degrees: float
    """Gantry tilt measured from the positions, signed."""
    source_slices: int
    slices: int
    """Slices of the NIfTI volume."""
    flags: tuple[str, ...] = ()
    """What was put right, and what a person should look at."""
    fields: dict[str, str] = Field(default_factory=dict)
    """The columns that the user's table (``fields_csv``) has for this exam, by name; none of them empty."""

    def value_of(self, name: str) -> Value:
        """The value of a field: a finite number, a text that is not empty, or None where it is not known.

        A column of the user's is a text. None for a name that is no field of this exam.
        """
        if name not in FIELDS:
            return self.fields.get(name) or None
        value = self._derived(name) if name in _DERIVED else getattr(self, name)
        if value is None or value == "":
            return None
        if FIELDS[name].kind == "text":
            return str(value)
        return float(value) if math.isfinite(value) else None

    def _derived(self, name: str) -> float | None:
        if name == "largest_gap_mm":
            return max(self.gaps_mm, default=None)
        return abs(self.tilt_degrees)


_DERIVED = ("largest_gap_mm", "absolute_tilt_degrees")
"""Fields that are computed from what the record holds."""


class Target(Record):
    """What became of the user's own mask of an exam."""

    exam: str
    rule: str
    """The rule that refused it, as the ledger says it; empty if it can be learned."""
    volume_ml: float
    """Of what is inside, on the image's grid; 0 for an empty mask, which says that nothing is there."""

    @property
    def usable(self) -> bool:
        """Whether it can be learned."""
        return not self.rule


class LedgerRow(Record):
    """What became of one series, of one file outside any series, of a mask, or of the rows of a table of the
    user's."""

    item: Literal["series", "file", "mask", "table"]
    id: str
    """Pseudonym of the series ('s' + 16 hex) or file ('f' + 16 hex); of a table, its setting."""
    exam: str | None
    """Pseudonym of the study, if one was read."""
    verdict: Literal["chosen", "refused"]
    rule: str
    """'chosen', or the name of the rule that refused it."""
    seen: str
    """What the rule saw: numbers and words of a fixed vocabulary, never free text from the source."""
    files: int
    manufacturer: str = ""
    """Of the series, normalised; empty if unknown, and for files outside any series."""
    doubtful: bool = False
    """Refused because the witnesses disagree: to be looked at by a person."""
    studies: int = 0
    """Studies of a table, or masks, that it is about, which no file is of; 0 for series and files."""


SOURCE_REFUSED = "source-refused"
"""Rule that refuses a study which its source has and does not give."""
NOT_AS_LISTED = ("source-gone", "source-changed", SOURCE_REFUSED)
"""Rules that refuse a study which its source did not give as it had listed it: it is asked for again."""

IMAGE = File("cohorts/{cohort}/images/{exam}.nii.gz")
"""The ingested volume of an exam, HU."""
EXAMS = Rows("cohorts/{cohort}/exams/{shard:03d}.jsonl", Exam)
"""Exams of one shard."""
AS_READ = Rows("cohorts/{cohort}/as-read/{shard:03d}.jsonl", MeasuredExam)
"""What was measured in the scanner's own pixels, before they were resampled; one row an exam of a shard."""
LEDGER = Rows("cohorts/{cohort}/ledger/{shard:03d}.jsonl", LedgerRow)
"""Every series and every refused file of one shard; in the first, also what of a table is used nowhere."""
TARGET = File("cohorts/{cohort}/targets/{exam}.nii.gz")
"""The user's own mask of an exam on the grid of its image, 0 and 1; only where the cohort has masks."""
TARGETS = Rows("cohorts/{cohort}/targets/{shard:03d}.jsonl", Target)
"""What became of the masks of one shard's exams; only where the cohort has masks."""
REFUSED_PICTURES = File("cohorts/{cohort}/refused/{shard:03d}.tar")
"""A slice of each refused series of one shard, as <id of the ledger row>.png, where there is one to draw."""


class IngestJob(CohortJobSettings):
    """Settings of one job."""

    shard: int
    shards: int
    simulated_seed: int | None
    """Seed of a simulated cohort, for the key of its pseudonyms; None for exams that are read."""
    ingest: IngestSettings


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job per shard; none for a derived cohort, which has no exams of its own."""
    if plan.other is not None:
        return
    cohort = plan.campaign.cohorts[plan.cohort]
    simulated, listed = plan.ids("phantom"), plan.ids("listing")
    for shard in range(cohort.shards):
        settings = IngestJob(
            cohort=plan.cohort,
            shard=shard,
            shards=cohort.shards,
            simulated_seed=plan.campaign.seed if cohort.phantom is not None else None,
            ingest=cohort.ingest,
        )
        yield STEP.job(settings, [*simulated[shard : shard + 1], *listed])


STEP = Step(
    name="ingest",
    service="ingest",
    settings=IngestJob,
    id="{job.cohort}/{job.shard:03d}",
    needs=("phantom", "listing"),
    jobs=jobs,
    version=7,
    memory_mib=1500,
    seconds=lambda load: 0.03 * load.exams * load.pixels,
    reads_source=True,
)
