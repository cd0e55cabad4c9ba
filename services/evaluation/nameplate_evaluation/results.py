"""What a campaign produced: the report reads nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from nameplate.campaign import Campaign
from nameplate.image.window import Window
from nameplate.steps.cell import Cell
from nameplate.steps.cohort import Member, Refusal
from nameplate.steps.detection import Detection
from nameplate.steps.ingest import Exam, LedgerRow, Target
from nameplate.steps.measured import MeasuredExam
from nameplate.steps.selection import Selection
from nameplate.steps.skullstrip import MaskReport
from nameplate.steps.training import Prediction, Run
from nameplate_evaluation.fingerprint.features import Features

BRAIN_WINDOW = Window(width=100, level=50)


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """One cell of the grid: an experiment on one dataset of one cohort, one training set, one group."""

    rounds: tuple[Selection, ...]
    """The selection after each round, at least one; the last one counts."""
    runs: tuple[Run, ...]
    """All runs, including rejected ones."""
    predictions: Mapping[int, tuple[Prediction, ...]]
    """By seed: for every validation exam, and of kept runs for every test exam too."""
    features: Mapping[int, Features] = field(default_factory=dict, repr=False)
    """By seed: the last features of kept runs' networks, where they were kept."""

    def __post_init__(self) -> None:
        if not self.rounds:
            raise ValueError("a cell needs at least one selection")

    @property
    def selection(self) -> Selection:
        """The selection that counts."""
        return self.rounds[-1]

    @property
    def cell(self) -> Cell:
        """Which cell it is."""
        return self.selection.cell

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """Experiment, cohort, dataset, training set and group."""
        at = self.cell
        return at.experiment, at.cohort, at.dataset, at.training_set, at.group

    @property
    def name(self) -> str:
        """The key as one word for file names and anchors."""
        return "-".join(str(part) for part in self.key)


@dataclass(frozen=True, kw_only=True)
class CohortResult:
    """One cohort: what came in, what was refused, and how the rest was split."""

    name: str
    exams: tuple[Exam, ...] = ()
    ledger: tuple[LedgerRow, ...] = ()
    masks: tuple[MaskReport, ...] = ()
    targets: tuple[Target, ...] = ()
    """What became of the user's own masks."""
    members: tuple[Member, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    measured: tuple[MeasuredExam, ...] = ()
    """What a scanner leaves in the picture, as numbers: a row an exam and stage of the chain."""
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """PNG of each exam's brain, by pseudonym."""
    refused_pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """PNG of a slice of refused series, by id of the ledger's row."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One slice to show; ``example.example_of`` cuts it from a volume."""

    exam: str
    level: str
    """Level of the factor."""
    title: str
    """The dataset, or what the slice shows."""
    image: NDArray[Any]
    """HU, (rows, columns): first row at the front of the head, first column at the patient's right."""
    mask: NDArray[Any] | None = None
    """Mask of the same shape, of the brain or the user's own; its outline is drawn."""
    ellipse: tuple[float, float, float, float] | None = None
    """Cross-section of the sphere: column, row, half width and half height in pixels (whole numbers are
    centres of pixels)."""
    caption: str = ""
    aspect: float = 1.0
    """Height of a pixel over its width."""
    window: Window = BRAIN_WINDOW


@dataclass(frozen=True, kw_only=True)
class CampaignResults:
    """A whole campaign, complete or not."""

    campaign: Campaign
    campaign_text: str
    """The campaign's settings as YAML, defaults included."""
    cohorts: tuple[CohortResult, ...]
    cells: tuple[CellResult, ...]
    examples: tuple[Example, ...] = ()
    detections: tuple[Detection, ...] = ()
    """What the user's own models found of planted lesions."""
    pages: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Files that other steps have made for the report, by path below its folder."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Code version, digests and the like, in the order of printing."""
