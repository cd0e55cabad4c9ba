"""The evidence sheet as a page: verdicts on what was stated, and where items of guidelines are answered."""

from collections.abc import Sequence
from html import escape

from nameplate.cohort.quality.markup import counted, link, page, paragraph, table
from nameplate_evaluation.evidence.criteria import METRIC_WORDS, Criterion, Size, chosen_by_default
from nameplate_evaluation.evidence.guidelines import Answered, Guideline, Places, answers, guidelines
from nameplate_evaluation.table import Column, Table, interval, printed

PAGE, CARD = "evidence/index.html", "evidence/model-card.md"
REPORT = "../index.html"


def evidence_page(
    campaign: str,
    digest: str,
    stated_on: str | None,
    criteria: Sequence[Criterion],
    sizes: Sequence[Size],
    places: Places,
) -> bytes:
    """The page at ``PAGE`` of the report; ``places`` is what the report has to link to."""
    ways = [link(REPORT, "Report"), link(CARD.rpartition("/")[2], "Model card")]
    day = f" on {stated_on}" if stated_on is not None else ""
    header = f"<p>{' · '.join(ways)}</p>\n" + paragraph(
        f"What campaign {campaign} stated{day}, and what came of it. The digest of the campaign's settings is"
        f" {digest}: where it was filed elsewhere before the first result, it shows that they were stated"
        " before. This report cannot show it by itself."
    )
    body = [_verdicts(criteria, sizes)]
    for guideline in guidelines():
        body.append(_guideline(guideline, answers(guideline, places)))
    return page(f"Evidence: {campaign}", header, "".join(body))


def guideline_table(places: Places) -> Table:
    """How many items of each guideline a report answers, for the report's own page."""
    rows = []
    for guideline in guidelines():
        found = answers(guideline, places)
        answered = sum(one.answered for one in found)
        rows.append((guideline.title, len(found), answered, len(found) - answered))
    return Table(
        "guidelines",
        "Items of guidelines that this report answers",
        (
            Column("guideline", "Guideline"),
            Column("items", "Items", "count"),
            Column("answered", "Answered", "count"),
            Column("not_answered", "Not answered", "count"),
        ),
        tuple(rows),
        "The evidence sheet has every item with its place, or why it has none. Answered means that the report"
        " has what the item asks for, not that a reader must be content with it.",
        "evidence",
    )


def _verdicts(criteria: Sequence[Criterion], sizes: Sequence[Size]) -> str:
    heads = ("Stated", "Margin or size", "Result", "Verdict", "Because")
    rows = []
    for one in criteria:
        result = "–"
        if one.estimate is not None:
            result = f"{printed(one.estimate.mean, 'points')} ({interval(one.estimate, 'points')})"
        metric = METRIC_WORDS[one.metric]
        rows.append(
            (
                f"{one.experiment}, cohort {one.cohort}: own-level advantage in {metric}, points",
                f"below {100 * one.margin:g}",
                result,
                one.verdict,
                one.why,
            )
        )
    for size in sizes:
        why = "" if size.verdict == "met" else "fewer than stated"
        rows.append((size.what, f"at least {size.stated}", str(size.there), size.verdict, why))
    if not rows:
        return "<h2>Stated before</h2>\n" + paragraph("Nothing that could be compared yet.")
    default = (
        paragraph(
            "The campaign names no comparison: held against the margin is its first sphere experiment with"
            " networks of each level alone."
        )
        if chosen_by_default(criteria)
        else ""
    )
    return "<h2>Stated before</h2>\n" + default + table(heads, rows, texts=(3, 4))


def _guideline(guideline: Guideline, found: Sequence[Answered]) -> str:
    answered = sum(one.answered for one in found)
    return (
        f'<h2 id="{escape(guideline.name)}">{escape(guideline.title)}</h2>\n'
        f"<p>{counted(answered, 'item')} of {len(found)} answered. {link(guideline.source, 'Source')}</p>\n"
        '<div class="scroll"><table>\n<thead><tr><th>Item</th><th class="text">Asks for</th>'
        '<th class="text">Where</th></tr></thead>\n<tbody>'
        + "".join(_row(one) for one in found)
        + "</tbody>\n</table></div>\n"
    )


def _row(one: Answered) -> str:
    if one.answered:
        where = ", ".join(link(_up(address), text) for address, text in one.places)
    else:
        where = f'<span class="flag">not answered</span> {escape(one.why_not)}'
    note = f' <span class="note">{escape(one.item.note)}</span>' if one.item.note else ""
    cells = (escape(one.item.id), escape(one.item.asks), where + note)
    kinds = ("", ' class="text"', ' class="text"')
    return "<tr>" + "".join(f"<td{k}>{c}</td>" for k, c in zip(kinds, cells, strict=True)) + "</tr>\n"


def _up(address: str) -> str:
    """An address of the report's page as seen from the sheet's folder."""
    return f"{REPORT}{address}" if address.startswith("#") else f"../{address}"
