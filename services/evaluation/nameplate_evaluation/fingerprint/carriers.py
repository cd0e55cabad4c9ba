"""The single measures that name the level of the factor, and what they are at each level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nameplate.image.fingerprint.catalogue import STAGES, Measure, Stage
from nameplate_evaluation.fingerprint.draws import Labels
from nameplate_evaluation.fingerprint.measures import Measurements, level_values
from nameplate_evaluation.fingerprint.probe import probe

MOST = 3
"""Measures that are listed for a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A measure that names the level by itself."""

    group: str
    title: str
    unit: str
    aurocs: tuple[float | None, ...]
    """Of the measure alone, by stage of the catalogue; None where it was not measured."""
    best: float
    """The largest of those at the stages at which its group names the level."""
    stage: Stage
    """Of the values: the first of those stages."""
    values: tuple[str, ...]
    """By level: median and quartiles, or the most frequent texts."""


def carriers_of(
    measurements: Measurements, labels: Labels, named: Mapping[str, Sequence[str]]
) -> tuple[Carrier, ...]:
    """The best measures of each group; ``named`` are by group the stages at which it names the level."""
    alone = replace(labels, draws=labels.draws[:0])
    carriers: list[Carrier] = []
    for group in measurements.groups:
        stages = [stage for stage in STAGES if stage in named.get(group, ())]
        if not stages:
            continue
        found = [_carrier(measurements, alone, measure, stages) for measure in measurements.of(group)]
        ranked = sorted((one for one in found if one is not None), key=lambda one: -one.best)
        carriers += ranked[:MOST]
    return tuple(carriers)


def _carrier(
    measurements: Measurements, labels: Labels, measure: Measure, stages: Sequence[Stage]
) -> Carrier | None:
    """The measure alone; None where it names nothing at these stages."""
    aurocs: dict[Stage, float] = {}
    values: dict[Stage, tuple[str, ...]] = {}
    for stage in STAGES:
        columns = measurements.columns(labels, [measure], stage)
        found = probe(labels, columns) if columns else None
        if found is not None:
            aurocs[stage], values[stage] = found.auroc, level_values(columns[0], labels)
    present = [stage for stage in stages if stage in aurocs]
    best = max((aurocs[stage] for stage in present), default=0.0)
    if best <= 0.5:
        return None
    return Carrier(
        group=measure.group,
        title=measure.title,
        unit=measure.unit,
        aurocs=tuple(aurocs.get(stage) for stage in STAGES),
        best=best,
        stage=present[0],
        values=values[present[0]],
    )
