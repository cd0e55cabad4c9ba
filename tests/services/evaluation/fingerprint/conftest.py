"""Made-up exams with made-up numbers, of which it is known what they tell about the level."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from nameplate.image.fingerprint.catalogue import STAGES, Measure
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam
from nameplate.streams import stream
from nameplate_evaluation.analysis import Analysis, analyse
from nameplate_evaluation.fingerprint.design import Numbers
from nameplate_evaluation.fingerprint.draws import Labels, Subject, labels_of
from nameplate_evaluation.fingerprint.features import Features
from nameplate_evaluation.fingerprint.where_it_lives import Fingerprint, fingerprint_of
from nameplate_evaluation.results import CampaignResults, CellResult

MEASURES = (
    Measure("noise_peak", "noise texture", "/mm", "peak of the noise spectrum", ""),
    Measure("noise_neighbours", "noise texture", "", "correlation of neighbouring slices", ""),
    Measure("noise_sd", "noise amount", "HU", "noise", ""),
    Measure("hu_csf", "tissue", "HU", "HU of CSF", ""),
    Measure("field_mm", "field", "mm", "field of view", ""),
    Measure("padding_hu", "padding", "HU", "value outside the circle", ""),
    Measure("table_water_mm", "surroundings", "mm", "Table as water", ""),
    Measure("brain_ml", "head", "ml", "volume of the brain", ""),
    Measure("kvp", "protocol", "kV", "tube voltage", ""),
    Measure("model", "header", "", "scanner model", ""),
    Measure("kernel", "header", "", "convolution kernel", ""),
)
SHIFTS = {
    "noise_peak": 2.5,
    "noise_sd": 0.0,
    "hu_csf": 1.0,
    "field_mm": 2.0,
    "table_water_mm": 3.0,
    "brain_ml": 0.0,
}
"""What the second level adds to each number, in standard deviations, as read."""
KEPT = {
    "as read": dict.fromkeys(SHIFTS, 1.0),
    "nifti": {"table_water_mm": 1.0, "noise_peak": 1.0, "hu_csf": 1.0, "field_mm": 1.0},
    "windowed": {"noise_peak": 0.7, "hu_csf": 0.2, "field_mm": 0.9},
    "brain alone": {"noise_peak": 0.5},
}
"""The share of it that is left at each stage."""
UNITS = {"noise_peak": (0.3, 0.02), "noise_sd": (4, 0.3), "hu_csf": (9, 1), "field_mm": (230, 5)}
"""Mean and standard deviation as printed; others are 100 and 10."""


@dataclass(frozen=True)
class Planted:
    """A campaign with measures."""

    results: CampaignResults

    @property
    def analysis(self) -> Analysis:
        return analyse(self.results)

    @property
    def measured(self) -> tuple[MeasuredExam, ...]:
        return self.results.cohorts[0].measured

    def fingerprint(self, draws: int = 200) -> Fingerprint:
        return fingerprint_of(self.analysis, measures=MEASURES, draws=draws)

    def with_measured(self, rows: Sequence[MeasuredExam]) -> "Planted":
        first, *others = self.results.cohorts
        cohorts = (replace(first, measured=tuple(rows)), *others)
        return Planted(replace(self.results, cohorts=cohorts))

    def with_features(self, change: Callable[[str, Features], Features | None]) -> "Planted":
        """Changed by the run's name; None is not kept."""
        cells = []
        for cell in self.results.cells:
            changed = {seed: change(cell.cell.run(seed), found) for seed, found in cell.features.items()}
            kept = {seed: found for seed, found in changed.items() if found is not None}
            cells.append(replace(cell, features=kept))
        return Planted(replace(self.results, cells=tuple(cells)))

    def older(self) -> "Planted":
        """As from a store that has neither measures nor features."""
        return self.with_measured(()).with_features(lambda _, __: None)


def _measured(results: CampaignResults, strength: float, stages: Sequence[str]) -> list[MeasuredExam]:
    rows = []
    members = results.cohorts[0].members
    for stage in stages:
        for member in members:
            second = member.level != members[0].level
            numbers: dict[str, float | None] = {}
            for name, shift in SHIFTS.items():
                if stage == "brain alone" and name in ("field_mm", "table_water_mm"):
                    continue
                mean, sd = UNITS.get(name, (100, 10))
                drawn = (
                    stream(1, name, member.exam).normal() + 0.2 * stream(2, stage, name, member.exam).normal()
                )
                change = strength * shift * KEPT[stage].get(name, 0.0) * second
                numbers[name] = mean + sd * (drawn + change)
            numbers["noise_neighbours"] = None if second else stream(3, member.exam).normal()
            if stage == "as read":
                numbers["padding_hu"] = -3024.0 if int(member.exam[-1]) % 2 else -1024.0
                if strength and second:
                    numbers["padding_hu"] = -2000.0
            rows.append(MeasuredExam(exam=member.exam, stage=stage, numbers=numbers))  # type: ignore[arg-type]
    return rows


def _exams(results: CampaignResults, strength: float) -> tuple[Exam, ...]:
    members = results.cohorts[0].members
    return tuple(
        Exam(
            exam=member.exam,
            patient=member.patient,
            image=f"images/{member.exam}.nii.gz",
            manufacturer=member.level,
            model=f"scanner {'B' if strength and member.level != members[0].level else 'A'}",
            software="1",
            kernel=("soft", "H30s")[int(member.exam[-1]) % 2],
            institution="",
            age=50.0,
            sex="F",
            kvp=120.0,
            exposure_mas=200.0,
            thickness_mm=5.0,
            gaps_mm=(5.0,),
            pixel_mm=0.45,
            tilt_degrees=0.0,
            source_slices=32,
            slices=28,
        )
        for member in members
    )


def _features(cell: CellResult, strength: float) -> dict[int, Features]:
    found: dict[int, Features] = {}
    for seed in cell.selection.kept:
        rows = [row for row in cell.predictions[seed] if row.split == "test"]
        values = stream(4, cell.cell.run(seed)).normal(size=(len(rows), 60)).astype(np.float32)
        values[:, 0] += 8 * np.array([row.label for row in rows])
        values[:, 1:5] += strength * np.array([row.level != rows[0].level for row in rows])[:, None]
        found[seed] = Features(tuple(row.exam for row in rows), values)
    return found


@pytest.fixture(scope="session")
def with_measures(plant: Callable[..., CampaignResults]) -> Callable[..., Planted]:
    """make(strength, stages) -> a campaign of 100 exams; with strength 0 nothing tells the levels apart."""

    def make(strength: float = 1.0, stages: Sequence[str] = STAGES, **settings: Any) -> Planted:
        results = plant(**{"own": (2.0,), "runs": 2, **settings})
        measured = tuple(_measured(results, strength, stages))
        study = replace(results.cohorts[0], exams=_exams(results, strength), measured=measured)
        cells = tuple(replace(cell, features=_features(cell, strength)) for cell in results.cells)
        return Planted(replace(results, cohorts=(study, *results.cohorts[1:]), cells=cells))

    return make


@pytest.fixture(scope="session")
def planted_fingerprint(with_measures: Callable[..., Planted]) -> Fingerprint:
    """Of a campaign in which much gives the manufacturer away."""
    return with_measures().fingerprint(draws=400)


@pytest.fixture(scope="session")
def labels() -> Callable[..., Labels]:
    """make(codes, patients) -> labels of exams e000, e001, ... with few draws."""

    def make(codes: Sequence[int], patients: Sequence[int] | None = None, draws: int = 200) -> Labels:
        of = range(len(codes)) if patients is None else patients
        subjects = [
            Subject(f"e{n:03d}", f"p{patient:03d}", f"L{code}")
            for n, (code, patient) in enumerate(zip(codes, of, strict=True))
        ]
        made = labels_of(subjects, sorted({s.level for s in subjects}), 5, ("test",), draws)
        assert isinstance(made, Labels)
        return made

    return make


@pytest.fixture(scope="session")
def number() -> Callable[..., Numbers]:
    """make(values, name) -> a measure; NaN is an exam without it."""

    def make(values: Sequence[float], name: str = "m") -> Numbers:
        return Numbers(name, np.asarray(values, dtype=float), stream(5, "ranks", name).random(len(values)))

    return make
