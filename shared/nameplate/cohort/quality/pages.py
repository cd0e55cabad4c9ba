"""All files of the quality pages of one cohort."""

from collections.abc import Mapping, Sequence

from nameplate.cohort.quality.card import ExamCard
from nameplate.cohort.quality.exam_page import IMAGES, exam_page
from nameplate.cohort.quality.losses import NOT_CHOSEN, losses_of, warnings_of
from nameplate.cohort.quality.markup import link, paragraph
from nameplate.cohort.quality.refused_page import REFUSED, refused_page
from nameplate.steps.ingest import LedgerRow

INDEX, REFUSED_INDEX = "index.html", "refused.html"


def quality_pages(
    name: str,
    cards: Sequence[ExamCard],
    ledger: Sequence[LedgerRow],
    pictures: Mapping[str, bytes],
    *,
    later: Mapping[str, str] | None = None,
    back: str = "",
) -> dict[str, bytes]:
    """Pages and pictures by file name: ``INDEX``, ``REFUSED_INDEX``, images/<exam>.png, refused/<id>.png.

    ``name`` is the cohort's; ``pictures`` are of refused series, by id of the ledger's row; ``later`` says
    why exams that the ingest chose were lost afterwards; ``back`` is the address of a page that links here.
    Nothing of the cards and the ledger is shown but what these records hold. The same input gives the same
    bytes.
    """
    losses = losses_of(ledger, later)
    shown = {
        row.id: pictures[row.id]
        for row in ledger
        if row.verdict == "refused" and row.rule != NOT_CHOSEN and row.id in pictures
    }
    ways = [link(back, "Report")] if back else []
    to_refused = [*ways, link(REFUSED_INDEX, "What was refused, by manufacturer")]
    header = f"<p>{' · '.join(to_refused)}</p>\n"
    header += "".join(paragraph(line, "warn") for line in warnings_of(losses))
    to_exams = f"<p>{' · '.join([*ways, link(INDEX, 'Exams')])}</p>\n"
    return {
        INDEX: exam_page(f"Exams: {name}", cards, header),
        REFUSED_INDEX: refused_page(f"Refused: {name}", ledger, losses, shown, to_exams),
        **{f"{IMAGES}/{card.exam.exam}.png": card.picture for card in cards if card.picture is not None},
        **{f"{REFUSED}/{id_}.png": data for id_, data in sorted(shown.items())},
    }
