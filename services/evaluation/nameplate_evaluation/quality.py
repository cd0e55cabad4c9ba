"""The report's quality pages of each cohort, and exams lost by manufacturer as a table and sentences."""

from collections.abc import Sequence

from nameplate.cohort.quality.card import ExamCard
from nameplate.cohort.quality.losses import Losses, losses_of, warnings_of
from nameplate.cohort.quality.pages import INDEX, REFUSED_INDEX, quality_pages
from nameplate.cohort.quality.refused_page import HOW_TO_READ
from nameplate_evaluation.results import CohortResult
from nameplate_evaluation.table import Column, Table, Value


def quality_files(cohorts: Sequence[CohortResult]) -> dict[str, bytes]:
    """Pages and pictures below quality/<cohort>/ for every cohort with exams or refusals of its own."""
    files: dict[str, bytes] = {}
    for cohort in cohorts:
        if not has_pages(cohort):
            continue
        pages = quality_pages(
            cohort.name,
            _cards(cohort),
            cohort.ledger,
            cohort.refused_pictures,
            later=_later(cohort),
            back="../../index.html",
        )
        files |= {f"quality/{cohort.name}/{name}": data for name, data in pages.items()}
    return files


def has_pages(cohort: CohortResult) -> bool:
    """Whether the cohort has exams of its own: a derived one has none."""
    return bool(cohort.exams or cohort.ledger)


def quality_links(cohort: CohortResult) -> tuple[tuple[str, str], ...]:
    """Addresses and texts of the cohort's pages, for the report's page."""
    if not has_pages(cohort):
        return ()
    folder = f"quality/{cohort.name}"
    return (f"{folder}/{INDEX}", "pictures of all exams"), (f"{folder}/{REFUSED_INDEX}", "what was refused")


def loss_warnings(cohort: CohortResult) -> tuple[str, ...]:
    """A sentence for every reason by which one manufacturer's exams were lost more often than by chance."""
    return warnings_of(_losses(cohort))


def losses_table(cohorts: Sequence[CohortResult]) -> Table:
    """Refused series and lost exams by reason and manufacturer."""
    losses = {cohort.name: _losses(cohort) for cohort in cohorts if cohort.ledger}
    makers = tuple(dict.fromkeys(maker for one in losses.values() for maker in one.manufacturers))
    rows: list[tuple[Value, ...]] = []
    for name, one in losses.items():
        for loss in one.reasons:
            counts: list[Value] = []
            for maker in makers:
                if maker in one.manufacturers:
                    place = one.manufacturers.index(maker)
                    counts += [one.exams[place], loss.lost[place], loss.concerned[place], loss.series[place]]
                else:
                    counts += [None] * 4
            rows.append((name, loss.reason, *counts, loss.files, loss.studies, loss.p_lost, loss.p_concerned))
    columns = [
        Column(f"{maker}_{key}", label, "count", maker)
        for maker in makers
        for key, label in (("exams", "of"), ("lost", "lost"), ("refused", "refused"), ("series", "series"))
    ]
    return Table(
        "losses-by-manufacturer",
        "What was refused and lost, by manufacturer",
        (
            Column("cohort", "Cohort"),
            Column("reason", "Reason"),
            *columns,
            Column("files", "Files", "count"),
            Column("studies", "Rows", "count"),
            Column("p_lost", "lost", "p", "p"),
            Column("p_refused", "refused", "p", "p"),
        ),
        tuple(rows),
        f"Of: all exams of the manufacturer. {HOW_TO_READ}",
        "cohort",
    )


def _losses(cohort: CohortResult) -> Losses:
    return losses_of(cohort.ledger, _later(cohort))


def _later(cohort: CohortResult) -> dict[str, str]:
    """Why exams were lost after the ingest. What the matching left out is left out by design."""
    lost = {row.exam: f"{row.step}: {row.reason}" for row in cohort.refusals if row.step != "cohort"}
    for mask in cohort.masks:
        if not mask.usable:
            lost[mask.exam] = f"skullstrip: {' + '.join(mask.flags) or 'no usable mask'}"
    return lost


def _cards(cohort: CohortResult) -> list[ExamCard]:
    masks = {mask.exam: mask for mask in cohort.masks}
    cards = []
    for exam in cohort.exams:
        mask = masks.get(exam.exam)
        cards.append(
            ExamCard(
                exam=exam,
                volume_ml=mask.volume_ml if mask else None,
                brain_hu=mask.brain_hu if mask else None,
                flags=(*exam.flags, *(mask.flags if mask else ())),
                usable=mask is None or mask.usable,
                picture=cohort.pictures.get(exam.exam),
            )
        )
    return cards
