"""The page of what was refused: counts by manufacturer, and a picture of every series that has one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from nameplate.cohort.quality.losses import (
    ANY,
    NOT_CHOSEN,
    UNKNOWN,
    Loss,
    Losses,
    differences_of,
    warnings_of,
)
from nameplate.cohort.quality.markup import counted, flags, image, page, paragraph, table
from nameplate.steps.ingest import LedgerRow

REFUSED = "refused"
"""Folder of the pictures beside the page."""
_MAY_SHOW_A_FACE = frozenset(("image-type", "orientation", "modality", "multi-frame"))
"""Rules that refuse localizers and reformatted images, among others."""
HOW_TO_READ = (
    "Lost: exams without a usable series. An exam counts as lost for one reason: that of its doubtful "
    "series, or else of its series with the most files. Refused: exams of which a series was refused for "
    f"that reason, lost or not. '{NOT_CHOSEN}' is a series that was fit while another one was better. "
    "Rows: studies of your own table that no file of the folder is of. "
    "P-values are of equal rates (permutation test of exams, which count as independent), with Holm's "
    f"adjustment for the number of reasons; exams of an {UNKNOWN} manufacturer are counted and not tested."
)


def refused_page(
    title: str, ledger: Sequence[LedgerRow], losses: Losses, pictures: Mapping[str, bytes], header: str
) -> bytes:
    """The page; ``pictures`` are by id of the ledger's row, and are in ``REFUSED``/<id>.png."""
    refused = [
        row for row in ledger if row.item == "series" and row.verdict == "refused" and row.rule != NOT_CHOSEN
    ]
    doubtful = [row for row in refused if row.doubtful]
    drawn = [row for row in refused if not row.doubtful and row.id in pictures]
    undrawn = [row for row in refused if not row.doubtful and row.id not in pictures]
    top = [paragraph(_summary(losses, refused, doubtful)), header]
    top += [paragraph(line, "warn") for line in warnings_of(losses)]
    top += [paragraph(line, "note") for line in differences_of(losses)]
    body = [losses_table(losses), paragraph(HOW_TO_READ, "note")]
    if doubtful:
        body.append(_section("Doubtful: please look", doubtful, pictures))
    for reason in (loss.reason for loss in losses.reasons):
        if members := [row for row in drawn if row.rule == reason]:
            body.append(_section(reason, members, pictures))
    if undrawn:
        body.append(_undrawn(undrawn))
    return page(title, "".join(top), "".join(body))


def losses_table(losses: Losses) -> str:
    """Counts by reason and manufacturer as a table."""
    spans = [("", 1)]
    heads = ["Reason"]
    for name, count in zip(losses.manufacturers, losses.exams, strict=True):
        spans.append((f"{name}, {counted(count, 'exam')}", 3))
        heads += ["lost", "refused", "series"]
    spans += [("", 2), ("p", 2)]
    heads += ["Files", "Rows", "lost", "refused"]
    return table(heads, [_counts(loss) for loss in losses.reasons], spans=spans)


def _counts(loss: Loss) -> list[str]:
    cells = [loss.reason]
    for counts in zip(loss.lost, loss.concerned, loss.series, strict=True):
        cells += [str(count) if count else "–" for count in counts]
    return [*cells, str(loss.files or "–"), str(loss.studies or "–"), _p(loss.p_lost), _p(loss.p_concerned)]


def _p(value: float | None) -> str:
    return "–" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _summary(losses: Losses, refused: Sequence[LedgerRow], doubtful: Sequence[LedgerRow]) -> str:
    lost = next(sum(loss.lost) for loss in losses.reasons if loss.reason == ANY)
    return (
        f"{lost} of {sum(losses.exams)} exams were lost; {len(refused)} series were refused, "
        f"{len(doubtful)} of them as doubtful."
    )


def _section(name: str, rows: Sequence[LedgerRow], pictures: Mapping[str, bytes]) -> str:
    ordered = sorted(rows, key=lambda row: (row.rule, row.manufacturer, row.seen, row.id))
    cards = "".join(_figure(row, pictures.get(row.id)) for row in ordered)
    head = f"<section><h2>{escape(name)} ({len(rows)})</h2>\n"
    return f'{head}<div class="cards small">\n{cards}</div></section>\n'


def _figure(row: LedgerRow, picture: bytes | None) -> str:
    shown = (
        f'<div class="none">{_why_not_drawn(row)}</div>'
        if picture is None
        else image(f"{REFUSED}/{row.id}.png", picture, "A slice from the middle of the series")
    )
    return (
        f'<figure class="card">{shown}<figcaption><b>{escape(row.manufacturer or UNKNOWN)}</b> '
        f"{flags((row.rule,)) if row.doubtful else ''}<br>{escape(row.seen)}<br>{counted(row.files, 'file')} "
        f"<code>{escape(row.exam or '')}</code></figcaption></figure>\n"
    )


def _why_not_drawn(row: LedgerRow) -> str:
    if row.rule in _MAY_SHOW_A_FACE:
        return "not drawn: it may show a face"
    return "not drawn: no axial image that can be read"


def _undrawn(rows: Sequence[LedgerRow]) -> str:
    """Series without a picture, alike ones together."""
    series: Counter[tuple[str, str, str, str]] = Counter()
    files: Counter[tuple[str, str, str, str]] = Counter()
    for row in rows:
        kind = row.rule, row.seen, row.manufacturer or UNKNOWN, _why_not_drawn(row)
        series[kind] += 1
        files[kind] += row.files
    lines = [
        (*kind[:3], str(series[kind]), str(files[kind]), kind[3])
        for kind in sorted(series, key=lambda kind: (kind[0], -series[kind], kind))
    ]
    heads = ("Reason", "Seen", "Manufacturer", "Series", "Files", "Picture")
    return (
        f"<section><h2>Without a picture ({len(rows)})</h2>\n"
        + table(heads, lines, texts=(1, 2, 5))
        + "</section>\n"
    )
