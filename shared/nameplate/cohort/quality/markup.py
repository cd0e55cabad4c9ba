"""The frame of the quality pages: plain HTML in the report's style, without script or outside files."""

from collections.abc import Iterable, Sequence
from html import escape

from nameplate.image.png import size_of

STYLE = """\
:root { color-scheme: light dark; --paper: #fff; --ink: #1d1f23; --soft: #5b616b; --line: #d9dce1;
  --tint: #f5f6f8; --warn: #8a4b00; --warnbg: #fff5e3; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --paper: #15171b; --ink: #e6e8ec; --soft: #a2a8b3;
  --line: #353a43; --tint: #1f2329; --warn: #ffc46b; --warnbg: #33260f; --link: #7db7f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main, header { max-width: 1560px; margin: 0 auto; padding: 0 24px; } header { padding-top: 36px; }
main { padding-bottom: 40px; }
h1 { font-size: 25px; line-height: 1.36; margin: 0 0 8px; }
h2 { font-size: 20px; margin: 36px 0 10px; padding-top: 14px; border-top: 2px solid var(--ink); }
p { max-width: 96ch; margin: 8px 0; text-wrap: pretty; } a { color: var(--link); }
.note { color: var(--soft); font-size: 14px; }
.warn { background: var(--warnbg); border-left: 4px solid #d98500; padding: 8px 14px; color: var(--warn); }
.cards { display: grid; gap: 16px 14px;
  grid-template-columns: repeat(auto-fill, minmax(min(476px, 100%), 1fr)); }
.cards.small { grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); }
.card { margin: 0; font-size: 13.5px; line-height: 1.4; break-inside: avoid; content-visibility: auto;
  contain-intrinsic-size: auto 476px auto 205px; }
.small .card { contain-intrinsic-size: auto 150px auto 190px; }
.card img { display: block; max-width: 100%; height: auto; background: #000; border-radius: 3px; }
.card .none { display: grid; place-items: center; width: 112px; height: 112px; padding: 8px;
  text-align: center; background: var(--tint); color: var(--soft); border-radius: 3px; font-size: 12px; }
.card.first img { outline: 2px solid #d98500; } figcaption { margin-top: 4px; }
.flag { display: inline-block; background: var(--warnbg); color: var(--warn); border-radius: 3px;
  padding: 0 6px; margin: 2px 4px 0 0; }
code { color: var(--soft); font-size: 11.5px; font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13.5px; line-height: 1.35;
  font-variant-numeric: tabular-nums; margin: 10px 0; }
th, td { padding: 4px 9px; text-align: right; } th { vertical-align: bottom; font-weight: 600; }
th:first-child, td:first-child, .text { text-align: left; } th.span { text-align: center;
  border-bottom: 1px solid var(--line); }
thead { border-bottom: 1.5px solid var(--ink); } tbody { border-bottom: 1px solid var(--ink); }
tbody tr + tr td { border-top: 1px solid var(--line); }
@media (max-width: 700px) { main, header { padding-left: 16px; padding-right: 16px; } }
@media print { @page { size: A4; margin: 12mm; } :root { color-scheme: light; --paper: #fff; --ink: #1d1f23;
  --soft: #5b616b; --line: #d9dce1; --tint: #f5f6f8; --warn: #8a4b00; --warnbg: #fff5e3; }
  body { font-size: 10pt; } main, header { max-width: none; padding: 0; } .scroll { overflow: visible; }
  .cards { grid-template-columns: 1fr 1fr; } .cards.small { grid-template-columns: repeat(5, 1fr); }
  .card { font-size: 8.5pt; content-visibility: visible; } table { font-size: 8.2pt; }
  img, .warn, .flag { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
_POLICY = "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'"


def page(title: str, header: str, body: str) -> bytes:
    """A whole page; ``header`` and ``body`` are markup, ``title`` is text."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{escape(title)}</h1>\n{header}</header>\n<main>\n{body}</main>\n</body>\n</html>\n"
    ).encode()


def counted(count: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "exam"), counted(0, "exam")
    ('1 exam', '0 exams')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def link(target: str, text: str) -> str:
    """A link to another file of the same folder tree."""
    return f'<a href="{escape(target)}">{escape(text)}</a>'


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    given = f' class="{kind}"' if kind else ""
    return f"<p{given}>{escape(text)}</p>\n"


def image(file: str, data: bytes, alt: str) -> str:
    """A picture that is loaded when it comes into view."""
    columns, rows = size_of(data)
    return (
        f'<img src="{escape(file)}" width="{columns}" height="{rows}" loading="lazy" decoding="async" '
        f'alt="{escape(alt)}">'
    )


def flags(words: Iterable[str]) -> str:
    """Words that catch the eye."""
    return "".join(f'<span class="flag">{escape(word)}</span>' for word in words)


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    spans: Sequence[tuple[str, int]] = (),
    texts: Sequence[int] = (),
) -> str:
    """A table of text; the first column and those in ``texts`` are to the left, all others to the right.

    ``spans`` is an upper heading: texts and over how many columns each goes.
    """

    def kind(place: int) -> str:
        return ' class="text"' if place in texts else ""

    upper = "".join(
        f'<th colspan="{width}"{" class=span" if text else ""}>{escape(text)}</th>' for text, width in spans
    )
    lines = ["".join(f"<td{kind(n)}>{escape(cell)}</td>" for n, cell in enumerate(row)) for row in rows]
    return (
        '<div class="scroll"><table>\n<thead>'
        + (f"<tr>{upper}</tr>" if spans else "")
        + f"<tr>{''.join(f'<th{kind(n)}>{escape(head)}</th>' for n, head in enumerate(heads))}</tr></thead>\n"
        + f"<tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody>\n</table></div>\n"
    )
