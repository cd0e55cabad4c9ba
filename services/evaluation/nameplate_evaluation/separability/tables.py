"""The tables of separability: fields against the factor, advantages within strata, the sub-cohort."""

import math
from collections.abc import Sequence

from nameplate_evaluation.separability.confound import ALPHA, FEWEST_PATIENTS, LOW_OVERLAP, Confound
from nameplate_evaluation.separability.power import POWER, WORTH_FINDING
from nameplate_evaluation.separability.proposal import Proposal
from nameplate_evaluation.separability.separability import Separability
from nameplate_evaluation.separability.strata import FEWEST_EXAMS, Stratified
from nameplate_evaluation.separability.words import verdict
from nameplate_evaluation.table import Column, Table, Value

SECTION = "separability"


def tables(
    found: Sequence[Separability],
    strata: Sequence[Stratified] = (),
    proposals: Sequence[Proposal] = (),
) -> list[Table]:
    """All tables of the section; those without rows are empty."""
    return [confound_table(found), strata_table(strata), proposal_table(proposals)]


def confound_table(found: Sequence[Separability]) -> Table:
    """Every field of every study cohort."""
    factor = found[0].factor if found else None
    levels = factor.levels if factor else ()
    title = factor.title if factor else "factor"
    rows: list[tuple[Value, ...]] = []
    for one in found:
        for row in one.rows:
            name = f"{row.field.title}, {row.field.unit}" if row.field.unit else row.field.title
            rows.append(
                (
                    one.cohort,
                    name,
                    verdict(row, title),
                    *_figures(row.before),
                    row.alone_before,
                    *_figures(row.after),
                    row.alone,
                    row.chance,
                    row.others,
                    _finite(row.judged.detectable),
                    *row.judged.missing,
                )
            )
    stages = (("before", "Before matching"), ("after", "After matching"))
    before, after = (
        (
            Column(f"{key}_difference", "Std. diff.", "number", group),
            Column(f"{key}_v", "V", "number", group),
            Column(f"{key}_overlap", "Overlap, %", "percent", group),
            Column(f"{key}_named", "Named, %", "percent", group),
        )
        for key, group in stages
    )
    return Table(
        "separability",
        f"What goes with the {title}",
        (
            Column("cohort", "Cohort"),
            Column("field", "Field"),
            Column("verdict", "Verdict"),
            *before,
            *after,
            Column("chance", "chance", "percent", "Named, %"),
            Column("others", "all others", "percent", "Named, %"),
            Column("detectable", "Detectable", "number"),
            *(Column(f"missing_{level}", level, "count", "Not known, exams") for level in levels),
        ),
        tuple(rows),
        f"Std. diff.: largest difference of two {factor.plural if factor else 'levels'} in pooled standard"
        " deviations. V: Cramer's, corrected for bias; of a number, that of its deciles. Overlap: share of"
        " the exams whose value all have (of a number: that lie in no stretch of values without one of them),"
        " as a share of what chance would give; below"
        f" {100 * LOW_OVERLAP:.0f} % little can be compared. Named: how often the {title} is named right"
        " from the field alone, in five folds that keep patients together; by chance, that is by always"
        " naming the commonest; and from all other fields. Detectable: the least standardised difference of"
        f" a number, or V of a text, that so many patients show in {100 * POWER:.0f} of 100 cohorts. Told"
        " apart: no more unlike than chance would make them with patients kept together (p above"
        f" {ALPHA:g} after Holm's correction for the fields), and {WORTH_FINDING['number']:g} standard"
        f" deviations or a V of {WORTH_FINDING['text']:g} would be detectable; or next to nothing. No"
        " difference found: that could be for the small number of patients. Not known: fewer than"
        f" {FEWEST_PATIENTS} patients with a value.",
        SECTION,
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or math.isinf(value) else value


def _figures(found: Confound) -> tuple[Value, Value, Value]:
    return found.difference, found.v, found.overlap


def strata_table(strata: Sequence[Stratified]) -> Table:
    """The advantage among test exams that agree in a field."""
    rows: list[tuple[Value, ...]] = []
    for one in strata:
        title = one.field.title
        for stratum in one.strata:
            rows.append((one.cohort, title, stratum.name, sum(stratum.exams), stratum.advantage, None))
        rows.append((one.cohort, title, "within these strata", one.exams, one.within, one.change))
        rows.append((one.cohort, title, "the same exams together", one.exams, one.together, None))
        rows.append((one.cohort, title, "all test exams", one.of_exams, one.whole, None))
    return Table(
        "advantage-within-strata",
        "The advantage among test exams that agree in a field",
        (
            Column("cohort", "Cohort"),
            Column("field", "Field"),
            Column("stratum", "Test exams"),
            Column("exams", "Number", "count"),
            Column("advantage", "Advantage", "points", "AUROC, points"),
            Column("change", "Change", "points", "AUROC, points"),
        ),
        tuple(rows),
        f"Over all tasks. Strata with {FEWEST_EXAMS} test exams or more of each level, weighted by their"
        " exams; change is what they have less or more than the same exams taken together. The networks are"
        " the same, trained on all training exams: a difference that training exams had in the field remains."
        " Description, with no correction for the number of fields; a smaller advantage does not say that the"
        " field made the rest.",
        SECTION,
    )


def proposal_table(proposals: Sequence[Proposal]) -> Table:
    """What matching on further fields would do."""
    rows: list[tuple[Value, ...]] = []
    for one in proposals:
        for field in one.fields:
            groups = len(field.levels.levels) or None
            rows.append(
                (
                    one.cohort,
                    field.field.title,
                    groups,
                    field.now.overlap,
                    field.then.overlap,
                    field.now.difference,
                    field.then.difference,
                    field.now.v,
                    field.then.v,
                    min(one.now),
                    min(one.then),
                )
            )
    return Table(
        "matched-sub-cohort",
        "A sub-cohort matched on further fields",
        (
            Column("cohort", "Cohort"),
            Column("field", "Matched on"),
            Column("groups", "Groups", "count"),
            Column("overlap_now", "now", "percent", "Overlap, %"),
            Column("overlap_then", "then", "percent", "Overlap, %"),
            Column("difference_now", "now", "number", "Std. diff."),
            Column("difference_then", "then", "number", "Std. diff."),
            Column("v_now", "now", "number", "V"),
            Column("v_then", "then", "number", "V"),
            Column("exams_now", "now", "count", "Exams, smallest level"),
            Column("exams_then", "then", "count", "Exams, smallest level"),
        ),
        tuple(rows),
        "Fields by how unlike the levels are in them, each in as fine groups as leave a third of the exams"
        " and enough for the split. A dash under 'then' is a field that has become constant.",
        SECTION,
    )
