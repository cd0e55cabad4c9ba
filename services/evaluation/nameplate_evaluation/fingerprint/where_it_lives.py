"""Where the fingerprint lives: what names the level of the factor, and what each step of the chain removes.

Every group of measures is probed at every stage from the scanner's pixels to the networks' last features.
That a probe names the level shows that the picture, or the network, holds it. It does not show that a
network's answers rest on it: that is what training on one level and testing on another is for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.catalogue import STAGES, Measure, Stage
from nameplate.image.fingerprint.measure import MEASURES
from nameplate.image.fingerprint.slices import Missing
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.fingerprint.carriers import Carrier, carriers_of
from nameplate_evaluation.fingerprint.design import Column
from nameplate_evaluation.fingerprint.draws import DRAWS, Labels, Subject, labels_of
from nameplate_evaluation.fingerprint.measures import Measurements, absent_levels
from nameplate_evaluation.fingerprint.multiplicity import step_down
from nameplate_evaluation.fingerprint.networks import CellProbe, RunsProbe, network_probes, pooled
from nameplate_evaluation.fingerprint.probe import probe
from nameplate_evaluation.results import CohortResult

NETWORKS = "networks"
"""The last stage."""
EVERY_NUMBER = "all measured numbers"
"""A row for all groups that are measured in the picture together."""
NO_NUMBER = "too few exams have these numbers"
MISSING = "missing for"
"""Begins the note of a place that one level has no numbers of: they cannot be compared."""
NAMED_IN_A_NOTE = 2
SIGNIFICANT = 0.05
BAND = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One group of numbers at one stage."""

    group: str
    stage: str
    """One of the catalogue's stages, or ``NETWORKS``."""
    exams: int
    auroc: float | None
    """Of naming the level; 0.5 is chance. Of networks, the mean over runs. None with a reason in ``note``."""
    balanced_accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    """The band that holds 95 % of the AUROCs of permuted labels."""
    p: float | None = None
    p_family: float | None = None
    """The same, allowing for all places of the cohort."""
    runs: int | None = None
    lowest: float | None = None
    highest: float | None = None
    """Of the runs' AUROCs."""
    note: str = ""

    @property
    def named(self) -> bool:
        """Whether it names the level, allowing for all places of the cohort."""
        return self.p_family is not None and self.p_family <= SIGNIFICANT


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortFingerprint:
    """What names the level of the factor in one cohort."""

    cohort: str
    factor: str
    levels: tuple[str, ...]
    exams: int
    places: tuple[Place, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    cells: tuple[CellProbe, ...] = ()
    reason: str = ""
    """Why nothing could be probed (then there are no places and no cells), or which levels are left out."""

    def place(self, group: str, stage: str) -> Place | None:
        """One place, or None where the group does not exist at the stage."""
        return next((one for one in self.places if (one.group, one.stage) == (group, stage)), None)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that there are places of, in the order of rows."""
        return tuple(dict.fromkeys(place.group for place in self.places))


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Every study cohort's."""

    cohorts: tuple[CohortFingerprint, ...]


def fingerprint_of(
    analysis: Analysis, *, measures: Sequence[Measure] = MEASURES, draws: int = DRAWS
) -> Fingerprint:
    """Probe every study cohort: its measured exams, and the kept features of its cells.

    Takes a few seconds; the same results give the same values.
    """
    found = []
    for cohort in analysis.results.cohorts:
        if analysis.role(cohort.name) != "study":
            continue
        measurements = Measurements(
            measures=tuple(measures),
            rows={(row.exam, row.stage): row for row in cohort.measured},
            exams={exam.exam: exam for exam in cohort.exams},
            factor=analysis.campaign.factor.name,
        )
        cells = network_probes(analysis, cohort.name, draws)
        found.append(_unless_empty(_of_cohort(analysis, cohort, measurements, cells, draws)))
    return Fingerprint(tuple(found))


@dataclass(frozen=True, slots=True, eq=False)
class _Pending:
    """A place before the correction for all of them."""

    place: Place
    null: NDArray[np.float64] | None


def _of_cohort(
    analysis: Analysis,
    cohort: CohortResult,
    measurements: Measurements,
    cells: tuple[CellProbe, ...],
    draws: int,
) -> CohortFingerprint:
    subjects = [Subject(member.exam, member.patient, member.level) for member in cohort.members]
    names = ("fingerprint", cohort.name, "exams")
    labels = labels_of(subjects, analysis.levels, analysis.campaign.seed, names, draws)
    found = CohortFingerprint(
        cohort=cohort.name,
        factor=measurements.factor,
        levels=analysis.levels if isinstance(labels, Missing) else labels.levels,
        exams=len(subjects),
        cells=cells,
    )
    if not measurements.rows:
        reason = "no measures of this cohort's exams are kept"
        return replace(found, places=_settled(_networks(cells)), reason=reason)
    if isinstance(labels, Missing):
        return replace(found, places=_settled(_networks(cells)), reason=labels.reason)
    places = _settled([*_groups(measurements, labels), *_networks(cells)])
    named: dict[str, list[str]] = {}
    for place in places:
        if place.named:
            named.setdefault(place.group, []).append(place.stage)
    return replace(
        found,
        places=places,
        carriers=carriers_of(measurements, labels, named),
        reason=f"left out: {'; '.join(labels.left_out)}" if labels.left_out else "",
    )


def _unless_empty(found: CohortFingerprint) -> CohortFingerprint:
    """Only the reason where no probe has a result, as in stores without measures and features."""
    probed = any(place.auroc is not None for place in found.places) or any(
        isinstance(one, RunsProbe) for cell in found.cells for one in (cell.overall, cell.within)
    )
    if probed:
        return found
    notes = [place.note for place in found.places if place.note]
    reason = found.reason or next(iter(notes), "nothing was measured")
    return replace(found, places=(), carriers=(), cells=(), reason=reason)


def _groups(measurements: Measurements, labels: Labels) -> list[_Pending]:
    """Every group at every stage where it exists, and all that is measured in the picture together."""
    pending = []
    rows = [(str(group), measurements.of(group)) for group in measurements.groups]
    for group, measures in (*rows, (EVERY_NUMBER, measurements.of())):
        for stage in STAGES:
            columns = measurements.columns(labels, measures, stage)
            if columns:
                place = Place(group=group, stage=stage, exams=len(labels.exams), auroc=None)
                pending.append(_probed(place, measurements, labels, columns, stage))
    return pending


def _probed(
    place: Place, measurements: Measurements, labels: Labels, columns: Sequence[Column], stage: Stage
) -> _Pending:
    found = probe(labels, columns)
    if found is None:
        why = measurements.why_missing(columns, stage)
        return _Pending(replace(place, note=f"{NO_NUMBER} ({why})" if why else NO_NUMBER), None)
    absent = {column.name: absent_levels(column, labels) for column in columns}
    if all(absent.values()):
        levels = sorted({level for one in absent.values() for level in one}, key=labels.levels.index)
        return _Pending(replace(place, note=f"{MISSING} {', '.join(levels)}"), None)
    titles = {measure.name: measure.title for measure in measurements.measures}
    one_sided: dict[str, list[str]] = {}
    for name, lacking in absent.items():
        if lacking and name not in found.left_out:
            one_sided.setdefault(", ".join(lacking), []).append(titles[name])
    notes = [f"{MISSING} {lacking}: {_some(names)}" for lacking, names in one_sided.items()]
    if found.left_out:
        notes.append(f"too few exams have: {_some([titles[name] for name in found.left_out])}")
    if found.constant:
        notes.append("the same in all exams")
    return _Pending(
        replace(place, auroc=found.auroc, balanced_accuracy=found.balanced_accuracy, note="; ".join(notes)),
        found.null,
    )


def _some(names: Sequence[str]) -> str:
    """The names, or the first ones and how many there are more."""
    if len(names) <= NAMED_IN_A_NOTE:
        return ", ".join(names)
    first = names[: NAMED_IN_A_NOTE - 1]
    return f"{', '.join(first)} and {len(names) - len(first)} more"


def _networks(cells: Sequence[CellProbe]) -> list[_Pending]:
    """One place for the networks of one experiment and training set: within class where there are classes."""
    pending = []
    for experiment, training_set in dict.fromkeys((cell.experiment, cell.training_set) for cell in cells):
        here = [cell for cell in cells if (cell.experiment, cell.training_set) == (experiment, training_set)]
        within = any(cell.within is not None for cell in here)
        results = [cell.within if within else cell.overall for cell in here]
        place = Place(
            group=f"{experiment}, trained on {training_set}",
            stage=NETWORKS,
            exams=max(cell.exams for cell in here),
            auroc=None,
            note="within class" if within else "",
        )
        probed = [result for result in results if isinstance(result, RunsProbe)]
        if not probed:
            missing = next(result for result in results if isinstance(result, Missing))
            pending.append(_Pending(replace(place, note=missing.reason), None))
            continue
        runs = pooled(probed)
        place = replace(
            place,
            auroc=float(runs.aurocs.mean()),
            balanced_accuracy=float(runs.balanced_accuracies.mean()),
            runs=len(runs.aurocs),
            lowest=float(runs.aurocs.min()),
            highest=float(runs.aurocs.max()),
        )
        pending.append(_Pending(place, runs.null))
    return pending


def _settled(pending: Sequence[_Pending]) -> tuple[Place, ...]:
    """Places with their bands and p-values; those without a result do not count as tried."""
    tried = [one for one in pending if one.null is not None]
    nulls = np.stack([one.null for one in tried if one.null is not None]) if tried else np.zeros((0, 1))
    adjusted = step_down(np.array([one.place.auroc for one in tried], dtype=np.float64), nulls)
    settled = {}
    for n, one in enumerate(tried):
        low, high = np.quantile(nulls[n], [(1 - BAND) / 2, (1 + BAND) / 2])
        settled[id(one)] = replace(
            one.place,
            low=float(low),
            high=float(high),
            p=float(adjusted.single[n]),
            p_family=float(adjusted.family[n]),
        )
    return tuple(settled.get(id(one), one.place) for one in pending)
