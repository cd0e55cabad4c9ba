"""The tables of an audit, for the page and as CSV."""

from collections.abc import Iterable

from nameplate_evaluation.audit.answer import kind_of
from nameplate_evaluation.audit.audit import Audit, NetworkAudit, titled
from nameplate_evaluation.audit.comparison import Comparison, LevelFigures
from nameplate_evaluation.audit.levels import FEWEST_PATIENTS, MOST_LEVELS
from nameplate_evaluation.separability.words import verdict
from nameplate_evaluation.table import Column, Kind, Table, Value

_METRICS: dict[str, tuple[str, Kind, str]] = {
    "dice": ("Dice", "dice", ""),
    "auroc": ("AUROC", "percent", ""),
    "accuracy": ("accuracy", "percent", "At the threshold, %"),
    "sensitivity": ("sensitivity", "percent", "At the threshold, %"),
    "specificity": ("specificity", "percent", "At the threshold, %"),
    "ppv": ("PPV", "percent", "At the threshold, %"),
    "npv": ("NPV", "percent", "At the threshold, %"),
    "sensitivity_chosen": ("sensitivity", "percent", "At the chosen threshold, %"),
    "specificity_chosen": ("specificity", "percent", "At the chosen threshold, %"),
    "excess": ("obs. \u2212 exp., %", "points", "Calibration"),
    "slope": ("slope", "number", "Calibration"),
}
"""Words, kind of number and heading, in the order of tables."""
_GAP_KINDS: dict[str, Kind] = {"percent": "points", "dice": "dice points"}
_LONG = {
    "sensitivity_chosen": "sensitivity, chosen threshold",
    "specificity_chosen": "specificity, chosen threshold",
    "excess": "observed minus expected positives",
    "slope": "calibration slope",
}


def tables_of(audit: Audit) -> list[Table]:
    """All tables with rows, in order."""
    found = [_levels_table(audit, main=True), _gap_table(audit, main=True), _company_table(audit)]
    found += [_within_table(audit), _levels_table(audit, main=False), _gap_table(audit, main=False)]
    found.append(_loss_table(audit))
    return [table for table in found if table.rows]


def _comparisons(audit: Audit, *, main: bool) -> Iterable[tuple[NetworkAudit, Comparison]]:
    for one in audit.networks:
        for comparison in one.comparisons[:1] if main else one.comparisons[1:]:
            yield one, comparison


def _levels_table(audit: Audit, *, main: bool) -> Table:
    several = len(audit.networks) > 1
    used = [
        name
        for name in _METRICS
        if any(name in of.values for one in audit.networks for c in one.comparisons for of in c.of_level)
    ]
    rows: list[tuple[Value, ...]] = []
    for one, comparison in _comparisons(audit, main=main):
        levels: tuple[LevelFigures, ...] = comparison.of_level
        if main:
            levels = (*levels, one.whole)
        for of in levels:
            first: tuple[Value, ...] = (one.network.name,) if several else ()
            if not main:
                first = (*first, comparison.levels.title)
            figures = tuple(of.values.get(name) for name in used)
            counts = (of.exams, of.patients, *(() if audit.table.is_dice else (of.positives,)))
            rows.append((*first, of.level, *counts, *figures))
    columns = (
        *((Column("network", "Network"),) if several else ()),
        *(() if main else (Column("column", "Column"),)),
        Column("level", "Level"),
        Column("exams", "Exams", "count"),
        Column("patients", "Patients", "count"),
        *(() if audit.table.is_dice else (Column("positives", "Positive", "count"),)),
        *(Column(name, _METRICS[name][0], _METRICS[name][1], _METRICS[name][2]) for name in used),
    )
    return Table(
        "levels" if main else "columns",
        f"Results by {audit.factor.title}" if main else "Results by every other column",
        columns,
        tuple(rows),
        _levels_note(audit),
        "levels" if main else "columns",
    )


def _levels_note(audit: Audit) -> str:
    if audit.table.is_dice:
        return "Below each figure its interval."
    one = audit.networks[0]
    limit = "" if one.threshold is None else f" The threshold is {one.threshold:g}, {one.threshold_from}."
    where = "validation exams" if audit.table.chosen_on else "these exams themselves, which flatters it"
    prevalence = f"{100 * (audit.prevalence or 0):.3g} %"
    stated = "as stated" if audit.settings.prevalence else "that of this table"
    text = (
        f"Below each figure its {100 * audit.settings.confidence:g} % interval.{limit} Predictive values are"
        f" those at a prevalence of {prevalence} ({stated}). The chosen threshold keeps"
        f" {100 * audit.settings.specificity:g} % of the negatives below it, found on {where}"
    )
    if len(audit.networks) == 1 and one.chosen is not None:
        text += f": {one.chosen:.4g}"
    return (
        f"{text}. Calibration: observed minus expected share of positives (below 0 the score is"
        " too high), and slope (below 1 it is overconfident)."
    )


def _gap_table(audit: Audit, *, main: bool) -> Table:
    several = len(audit.networks) > 1
    rows: list[tuple[Value, ...]] = []
    for one, comparison in _comparisons(audit, main=main):
        for gap in comparison.gaps:
            if gap.metric == "accuracy":  # says nothing that sensitivity and specificity do not
                continue
            words, kind, _ = _METRICS[gap.metric]
            estimate = gap.estimate
            first: tuple[Value, ...] = (one.network.name,) if several else ()
            if not main:
                first = (*first, comparison.levels.title)
            scale = 100 if _GAP_KINDS.get(kind) == "points" else 1
            ends = [None if end is None else scale * end for end in (estimate.low, estimate.high)]
            rows.append(
                (
                    *first,
                    f"{gap.first} \u2212 {gap.second}",
                    _LONG.get(gap.metric, words),
                    scale * estimate.mean,
                    *ends,
                    estimate.p,
                    gap.p_holm,
                    None if estimate.detectable is None else scale * estimate.detectable,
                    "yes" if gap.main else "",
                )
            )
    columns = (
        *((Column("network", "Network"),) if several else ()),
        *(() if main else (Column("column", "Column"),)),
        Column("levels", "Levels"),
        Column("metric", "Metric"),
        Column("gap", "Gap", "signed"),
        Column("low", "from", "signed"),
        Column("high", "to", "signed"),
        Column("p", "p", "p"),
        Column("p_holm", "p, Holm", "p"),
        Column("detectable", "Detectable", "number"),
        Column("answer", "Answer"),
    )
    return Table(
        "gaps" if main else "column-gaps",
        f"Gaps between {audit.factor.plural}" if main else "Gaps in every other column",
        columns,
        tuple(rows),
        "Shares in points (of 100), calibration and Dice as they are. Answer: the comparisons that the"
        " answer rests on, adjusted among themselves by Holm's method; all others, of all columns together,"
        " are adjusted among themselves, and are to look further, not to conclude. Detectable: the gap that"
        " would be found in four of five such audits, looked at alone.",
        "gaps" if main else "columns",
    )


def _company_table(audit: Audit) -> Table:
    company = audit.company
    rows = []
    for row in company.rows if company is not None else ():
        name = f"{row.field.title}, {row.field.unit}" if row.field.unit else row.field.title
        judged = row.judged
        rows.append(
            (
                name,
                verdict(row, audit.factor.title),
                judged.difference,
                judged.v,
                judged.overlap,
                row.alone,
                row.chance,
                row.others,
                sum(judged.missing),
            )
        )
    looked = f" {company.exams} exams of patients drawn by chance." if company and company.drawn else ""
    return Table(
        "company",
        f"What goes with the {audit.factor.title}",
        (
            Column("column", "Column"),
            Column("verdict", "Verdict"),
            Column("difference", "Std. diff.", "number"),
            Column("v", "V", "number"),
            Column("overlap", "Overlap, %", "percent"),
            Column("named", "alone", "percent", "Level named, %"),
            Column("chance", "chance", "percent", "Level named, %"),
            Column("others", "all others", "percent", "Level named, %"),
            Column("missing", "Not known", "count"),
        ),
        tuple(rows),
        "Std. diff.: largest difference of two levels in pooled standard deviations. V: Cram\u00e9r's,"
        " corrected for bias. Overlap: share of the exams whose value all levels have, as a share of what"
        f" chance would give. Level named: how often the {audit.factor.title} is named right from the"
        f" column alone, by chance, and from all other columns together.{looked}",
        "company",
    )


def _within_table(audit: Audit) -> Table:
    kind, several = kind_of(audit), len(audit.networks) > 1
    rows: list[tuple[Value, ...]] = [
        (
            *((one.network.name,) if several else ()),
            w.column.title,
            f"{w.first} \u2212 {w.second}",
            w.strata,
            w.exams,
            w.gap,
            w.pooled,
        )
        for one in audit.networks
        for w in one.within
    ]
    return Table(
        "within",
        f"The gap among exams that agree in another column"
        f" ({'Dice' if audit.table.is_dice else 'AUROC, points'})",
        (
            *((Column("network", "Network"),) if several else ()),
            Column("column", "Column held fixed"),
            Column("levels", "Levels"),
            Column("strata", "Strata", "count"),
            Column("exams", "Exams", "count"),
            Column("within", "Within", kind),
            Column("pooled", "The same exams together", kind),
        ),
        tuple(rows),
        "Of columns that go with the factor in part. A gap that vanishes within them came with them.",
        "company",
    )


def not_counted(audit: Audit) -> list[tuple[int, str, str]]:
    """How many rows, exams or patients do not count, or not in each comparison, and why."""
    rows = [(loss.count, loss.what, loss.reason) for loss in audit.table.losses]
    for levels in (audit.factor, *audit.others):
        if levels.unknown:
            rows.append((levels.unknown, "exams", f"have no {levels.title}"))
        for count, exams, why in (
            (levels.small, levels.small_exams, f"fewer than {FEWEST_PATIENTS} patients each"),
            (levels.beyond, levels.beyond_exams, f"at most {MOST_LEVELS} are compared"),
        ):
            if count:
                what = f"have one of {count} further values of {levels.title}, which are not compared ({why})"
                rows.append((exams, "exams", what))
    if audit.factor.several:
        what = f"have exams of several levels of {audit.factor.title}: they count, as pairs"
        rows.append((audit.factor.several, "patients", what))
    return rows


def _loss_table(audit: Audit) -> Table:
    rows: list[tuple[Value, ...]] = list(not_counted(audit))
    for name, why in audit.left_out:
        rows.append((None, "column", f"{titled(name)} is not compared by: {why}"))
    return Table(
        "left-out",
        "What does not count, or not fully",
        (Column("count", "", "count"), Column("what", "What"), Column("reason", "Why")),
        tuple(rows),
        "",
        "table",
    )
