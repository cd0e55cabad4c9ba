"""Everything that an audit finds: each network against each column, the answer's factor first. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nameplate.campaign.field import FIELDS
from nameplate.errors import UserError
from nameplate.stats.holm import holm
from nameplate.stats.threshold import THRESHOLD
from nameplate_evaluation.audit.columns import column_name
from nameplate_evaluation.audit.company import Company, company_of
from nameplate_evaluation.audit.comparison import (
    ALL,
    Comparison,
    LevelFigures,
    LevelGap,
    adjusted,
    comparison_of,
    level_figures,
    main_metric,
    metrics_of,
)
from nameplate_evaluation.audit.figure import Sample
from nameplate_evaluation.audit.levels import Levels, levels_of
from nameplate_evaluation.audit.score_table import Network, ScoreTable
from nameplate_evaluation.audit.settings import AuditSettings
from nameplate_evaluation.audit.strata import Within, within_strata
from nameplate_evaluation.threshold import last_below


@dataclass(frozen=True, kw_only=True)
class NetworkAudit:
    """One network."""

    network: Network
    threshold: float | None
    """The vendor's."""
    threshold_from: str
    """Where it comes from."""
    chosen: float | None
    """The threshold that keeps the wanted share of negatives below it."""
    whole: LevelFigures
    """On all exams."""
    comparisons: tuple[Comparison, ...]
    """The factor's first."""
    within: tuple[Within, ...]
    """Gaps of the factor among exams that agree in another column."""

    @property
    def main(self) -> Comparison:
        """That of the factor."""
        return self.comparisons[0]

    @property
    def main_gaps(self) -> tuple[LevelGap, ...]:
        """The gaps that the answer rests on."""
        return tuple(gap for gap in self.main.gaps if gap.main)


@dataclass(frozen=True, eq=False, kw_only=True)
class Audit:
    """A whole audit."""

    table: ScoreTable
    settings: AuditSettings
    factor: Levels
    others: tuple[Levels, ...]
    left_out: tuple[tuple[str, str], ...]
    """Columns that nothing is compared by, and why."""
    networks: tuple[NetworkAudit, ...]
    company: Company | None
    """What goes with the factor; None without a further column."""
    prevalence: float | None
    """At which predictive values are given."""

    @property
    def comparisons(self) -> int:
        """How many the answers rest on, those of all networks together."""
        return sum(len(one.main_gaps) for one in self.networks)

    @property
    def passed_over(self) -> str:
        """Why the factor is not the manufacturer, where there is one and nobody has asked for another."""
        return "" if self.settings.factor else dict(self.left_out).get("manufacturer", "")

    @property
    def metric(self) -> str:
        """The main metric."""
        return main_metric(dice=self.table.is_dice)

    @property
    def margin(self) -> float:
        """Of the main metric."""
        return self.settings.margin_of(dice=self.table.is_dice)


def audited(table: ScoreTable, settings: AuditSettings) -> Audit:
    """Audit every network of a table. Raises UserError where there is no column to compare by."""
    factor, others, left_out = _columns(table, settings)
    prevalence = None
    if table.labels is not None:
        prevalence = settings.prevalence or float(table.labels.mean())
    company = company_of(table, factor, others, settings.seed)
    networks = [
        _network(table, network, factor, others, settings, prevalence, company) for network in table.networks
    ]
    return Audit(
        table=table,
        settings=settings,
        factor=factor,
        others=others,
        left_out=left_out,
        networks=tuple(_with_holm(networks)),
        company=company,
        prevalence=prevalence,
    )


def _columns(
    table: ScoreTable, settings: AuditSettings
) -> tuple[Levels, tuple[Levels, ...], tuple[tuple[str, str], ...]]:
    """The factor, the other columns, and those that are left out."""
    found: list[Levels] = []
    left_out = list(table.ignored.items())
    for column in table.columns:
        levels = levels_of(table, column, settings.bins)
        if isinstance(levels, str):
            left_out.append((column.field.name, levels))
        else:
            found.append(levels)
    names = [levels.column.field.name for levels in found]
    wanted = settings.factor if settings.factor is None else column_name(settings.factor)
    if wanted is not None and wanted not in names:
        why = dict(left_out).get(wanted)
        there = ", ".join(names) or "none"
        raise UserError(
            f"--factor {wanted}: {f'cannot be compared by, {why}' if why else 'no such column'};"
            f" there are {there}"
        )
    if not found:
        raise UserError(
            "no column to compare by: beside exam, patient, label and score the table needs one such as"
            " manufacturer (or --exams EXAMS)" + "".join(f"; {name}: {why}" for name, why in left_out[:5])
        )
    name = wanted or ("manufacturer" if "manufacturer" in names else names[0])
    place = names.index(name)
    return found[place], tuple(found[:place] + found[place + 1 :]), tuple(left_out)


def _network(
    table: ScoreTable,
    network: Network,
    factor: Levels,
    others: Sequence[Levels],
    settings: AuditSettings,
    prevalence: float | None,
    company: Company | None,
) -> NetworkAudit:
    sample = Sample(values=network.values, labels=table.labels, patient=table.patient)
    threshold, whence = _threshold(table, network, settings)
    chosen = _chosen(table, network, settings)
    metrics = metrics_of(dice=table.is_dice, threshold=threshold, chosen=chosen)
    calibrated = table.are_probabilities
    main = main_metric(dice=table.is_dice)
    comparisons = [
        comparison_of(
            levels,
            sample,
            metrics,
            main=main if levels is factor else None,
            confidence=settings.confidence,
            prevalence=prevalence,
            calibrated=calibrated,
        )
        for levels in (factor, *others)
    ]
    whole = level_figures(
        ALL,
        sample,
        metrics,
        confidence=settings.confidence,
        prevalence=prevalence,
        calibrated=calibrated,
    )
    within = within_strata(sample, factor, metrics[main], company, settings.confidence)
    return NetworkAudit(
        network=network,
        threshold=threshold,
        threshold_from=whence,
        chosen=chosen,
        whole=whole,
        comparisons=tuple(comparisons),
        within=within,
    )


def _threshold(table: ScoreTable, network: Network, settings: AuditSettings) -> tuple[float | None, str]:
    if table.is_dice:
        return None, ""
    if settings.threshold is not None:
        return settings.threshold, "as stated"
    if network.threshold is not None:
        return network.threshold, "that of the table"
    return (THRESHOLD, "as none was stated") if table.are_probabilities else (None, "")


def _chosen(table: ScoreTable, network: Network, settings: AuditSettings) -> float | None:
    """The lowest threshold that keeps the wanted share of the negatives below it, for all runs together."""
    source = table.chosen_on or table
    if source.labels is None:
        return None
    own = next((one for one in source.networks if one.name == network.name), None)
    if own is not None and np.unique(own.values).size <= 2:
        return None
    negatives = np.sort(own.values[:, ~source.labels].ravel()) if own is not None else np.empty(0)
    if not negatives.size:
        return None
    last = negatives[last_below(negatives.size, settings.specificity)]
    above = negatives[negatives > last]
    return float((last + above[0]) / 2) if above.size else float(np.nextafter(last, np.inf))


def _with_holm(networks: Sequence[NetworkAudit]) -> Iterator[NetworkAudit]:
    """P-values adjusted in two families over all networks: the answer's, and all others."""
    for main in (True, False):
        p_values = [
            gap.estimate.p
            for one in networks
            for comparison in one.comparisons
            for gap in comparison.gaps
            if gap.main == main
        ]
        found = iter(holm(p_values))
        networks = [
            replace(one, comparisons=tuple(adjusted(c, found, main=main) for c in one.comparisons))
            for one in networks
        ]
    yield from networks


def titled(name: str) -> str:
    """A column as sentences call it."""
    return FIELDS[name].title if name in FIELDS else name
