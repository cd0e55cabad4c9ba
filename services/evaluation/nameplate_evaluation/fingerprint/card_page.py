"""The page of a cohort's scanners: an index, and a card for each; plain HTML without script."""

from collections.abc import Sequence
from html import escape

import numpy as np
from matplotlib.axes import Axes

from nameplate.cohort.quality.markup import counted, link, page, paragraph
from nameplate.image.fingerprint.catalogue import BAND_WIDTH, BANDS, Measure, Stage
from nameplate_evaluation.fingerprint.measures import shown
from nameplate_evaluation.fingerprint.scanner import (
    FEWEST,
    SHOWN,
    Floats,
    Outstanding,
    Scanner,
    comparable,
    outstanding,
    together,
)
from nameplate_evaluation.panel import FAINT, LEVEL_COLOURS, Panel, draw
from nameplate_evaluation.table import DASH

_STYLE = """<style>
main, header { max-width: 1280px; } h2 { scroll-margin-top: 8px; }
.scanner { display: grid; gap: 4px 28px; grid-template-columns: minmax(280px, 5fr) minmax(0, 9fr);
  align-items: start; }
.scanner figure { margin: 8px 0; } .scanner h3 { font-size: 15px; margin: 12px 0 4px; }
.scanner ul { margin: 4px 0; padding-left: 20px; font-size: 14px; } .scanner li { margin: 3px 0; }
svg.plot { display: block; width: 100%; height: auto; background: #fff; border-radius: 3px; }
figcaption { font-size: 13px; color: var(--soft); } td.group { color: var(--soft); padding-top: 9px; }
.numbers td { padding-top: 2px; padding-bottom: 2px; } .numbers tr + tr td { border-top: 0; }
.numbers td.why { color: var(--soft); text-align: left; }
.numbers { width: 100%; font-size: 13px; } .numbers td, .numbers th { padding-left: 6px; padding-right: 6px; }
.index td:first-child { min-width: 220px; }
@media (min-width: 1000px) { .numbers td, .numbers thead th, .index td:last-child { white-space: nowrap; }
  .numbers td:first-child { min-width: 210px; }
  .numbers td:first-child, .numbers td.why { white-space: normal; } }
@media (max-width: 860px) { .scanner { grid-template-columns: 1fr; } }
@media print { .scanner { grid-template-columns: 36% 1fr; } .numbers { font-size: 7.4pt; }
  h2 { break-after: avoid; }
  .scanner figure { break-inside: avoid; } svg.plot { print-color-adjust: exact; } }
</style>
"""
_INDEX = ("noise_sd", "noise_mean_frequency", "mtf50", "hu_grey", "cupping_hu", "field_mm")
"""Measures of the index; the ones that there are."""
_STAGES: dict[Stage, str] = {
    "as read": "the scanner's own pixels",
    "nifti": "the resampled volumes, as no exam was measured in the scanner's own pixels",
}
_PERIODS = ("period", "year", "quarter")
"""Columns of the user's own table that say when an exam was made."""
_OWN = LEVEL_COLOURS[0]
_MOST_LINES = 40
"""Other scanners in a plot; beyond that, the ones with the most exams."""


def card_page(cohort: str, scanners: Sequence[Scanner], stage: Stage) -> bytes:
    """The page; ``stage`` is where the scanners' exams were measured."""
    exams = sum(len(scanner.exams) for scanner in scanners)
    missing = sum(row is None for scanner in scanners for row in scanner.rows)
    header = f"<p>{link('../../index.html', 'Report')}</p>\n"
    header += paragraph(
        f"What {counted(len(scanners), 'scanner')} left in the pictures of {counted(exams, 'exam')}: a"
        f" scanner is a manufacturer, a model and a kernel. Measured in {_STAGES.get(stage, stage)}."
    )
    if missing:
        header += paragraph(f"{counted(missing, 'exam')} could not be measured there.", "note")
    header += paragraph(
        "The numbers depend on the protocol (dose, slice thickness) and on the patients, too: scanners that"
        " scan differently differ in them without being different. What stands out is where to look, no test:"
        " of many numbers some stand out by chance, the more so the fewer the exams.",
        "note",
    )
    header += (
        f"<p class='note'>{link('measures.csv', 'every exam as CSV')} · "
        f"{link('../measures.csv', 'what each measure is')}</p>\n"
    )
    cards = "".join(
        _card(number, scanner, [other for other in scanners if other is not scanner])
        for number, scanner in enumerate(scanners, start=1)
    )
    return page(f"Scanners: {cohort}", header, _STYLE + _index(scanners) + cards)


def _index(scanners: Sequence[Scanner]) -> str:
    measures = [
        measure
        for name in _INDEX
        for measure in SHOWN
        if measure.name == name and any(len(scanner.values(measure)) for scanner in scanners)
    ]
    heads = ["Scanner", "Exams", "Patients", *(_titled(measure) for measure in measures), "Stands out in"]
    lines = []
    for number, scanner in enumerate(scanners, start=1):
        others = [other for other in scanners if other is not scanner]
        medians = [_median(scanner.values(measure)) for measure in measures]
        found = counted(len(outstanding(scanner, others)), "number")
        count = found if comparable(scanner, others) else "too few exams"
        cells = [str(len(scanner.exams)), str(scanner.patients), *medians, count]
        first = f"<td>{link(f'#scanner-{number}', scanner.name)}</td>"
        lines.append(f"<tr>{first}{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    return (
        '<div class="scroll"><table class="index">\n<thead><tr>'
        + "".join(f"<th>{escape(head)}</th>" for head in heads)
        + f"</tr></thead>\n<tbody>{''.join(lines)}</tbody>\n</table></div>\n"
        + paragraph("Medians of the exams.", "note")
    )


def _card(number: int, scanner: Scanner, others: Sequence[Scanner]) -> str:
    facts = [counted(len(scanner.exams), "exam"), counted(scanner.patients, "patient")]
    software = sorted({exam.software for exam in scanner.exams if exam.software})
    if software:
        facts.append(f"software {', '.join(software)}")
    facts.append(_period(scanner))
    panel = _spectrum_panel(number, scanner, others)
    picture = (
        f"<figure>{panel.svg}<figcaption>{escape(panel.caption)}</figcaption></figure>"
        if panel is not None
        else paragraph(_no_spectrum(scanner), "note")
    )
    return (
        f'<section>\n<h2 id="scanner-{number}">{escape(scanner.name)}</h2>\n'
        + paragraph("; ".join(facts) + ".", "note")
        + f'<div class="scanner">\n<div>\n<h3>Noise spectrum</h3>\n{picture}\n'
        + f"<h3>What stands out</h3>\n{_outstanding(scanner, others)}</div>\n"
        + f"<div>\n{_numbers(scanner, others)}</div>\n</div>\n</section>\n"
    )


def _period(scanner: Scanner) -> str:
    """From when to when, if the user's own table has it."""
    for column in _PERIODS:
        found = sorted({exam.fields[column] for exam in scanner.exams if exam.fields.get(column)})
        if found:
            return f"{column} {found[0]}" + (f" to {found[-1]}" if len(found) > 1 else "")
    return "period not kept: dates do not leave the ingest"


def _no_spectrum(scanner: Scanner) -> str:
    band = next(measure for measure in SHOWN if measure.name.startswith("noise_band"))
    why = scanner.why_none(band)
    return f"No noise spectrum{f': {why}' if why else ''}."


def _outstanding(scanner: Scanner, others: Sequence[Scanner]) -> str:
    if not others:
        return paragraph("There is no other scanner to compare with.")
    if not comparable(scanner, others):
        return paragraph(
            f"Not looked for: it takes {FEWEST} measured exams of this scanner and of the others."
        )
    found = outstanding(scanner, others)
    if not found:
        return paragraph("Nothing: every median is within the others' 10 to 90 %, and no mean is far off.")
    return "<ul>" + "".join(f"<li>{escape(_sentence(one))}</li>" for one in found) + "</ul>\n"


def _sentence(one: Outstanding) -> str:
    low, middle, high = (shown(value) for value in one.others)
    unit = f" {one.measure.unit}" if one.measure.unit else ""
    spread = f", 10 to 90 %: {low} to {high}" if low != high else ""
    text = f"{_capital(one.measure.title)} {shown(one.median)}{unit}; the others {middle}{unit}{spread}"
    if one.difference is None:
        return f"{text}."
    far = f"{abs(one.difference):.1f} standard deviations {'above' if one.difference > 0 else 'below'}"
    return f"{text} ({far})."


def _numbers(scanner: Scanner, others: Sequence[Scanner]) -> str:
    heads = ("exams", "median", "5 to 95 %", "median", "10 to 90 %")
    values = {measure: (scanner.values(measure), together(others, measure)) for measure in SHOWN}
    lines: list[str] = []
    for group in dict.fromkeys(measure.group for measure in SHOWN):
        measures = [one for one in SHOWN if one.group == group and any(map(len, values[one]))]
        if not measures:
            continue
        lines.append(f'<tr><td class="group" colspan="{len(heads) + 1}">{escape(_capital(group))}</td></tr>')
        reasons = {scanner.why_none(one) for one in measures if not len(values[one][0])}
        if len(reasons) == 1 and not any(len(values[one][0]) for one in measures):
            why = escape(reasons.pop() or "not known")
            lines.append(f'<tr><td class="why" colspan="{len(heads) + 1}">No number: {why}.</td></tr>')
            continue
        lines += [_number(scanner, measure, *values[measure]) for measure in measures]
    return (
        '<div class="scroll"><table class="numbers">\n<thead><tr><th></th><th class="span" colspan="3">'
        'This scanner</th><th class="span" colspan="2">The others</th></tr>\n<tr><th></th>'
        + "".join(f"<th>{escape(head)}</th>" for head in heads)
        + f"</tr></thead>\n<tbody>{''.join(lines)}</tbody>\n</table></div>\n"
    )


def _number(scanner: Scanner, measure: Measure, own: Floats, other: Floats) -> str:
    cells = f"<td>{len(own)}</td>"
    if len(own):
        cells += f"<td>{_median(own)}</td><td>{_range(own, 0.05, 0.95)}</td>"
    else:
        cells += f'<td class="why" colspan="2">{escape(scanner.why_none(measure) or "not known")}</td>'
    cells += f"<td>{_median(other)}</td><td>{_range(other, 0.1, 0.9)}</td>"
    return f"<tr><td>{escape(_titled(measure))}</td>{cells}</tr>"


def _spectrum_panel(number: int, scanner: Scanner, others: Sequence[Scanner]) -> Panel | None:
    """The scanner's noise spectrum before those of the others; None if it has none."""
    own = scanner.spectra()
    own = own[np.isfinite(own).any(axis=1)]
    if not len(own):
        return None
    middles = np.array(BANDS) + BAND_WIDTH / 2
    grey = [_medians(other.spectra()) for other in others[:_MOST_LINES]]
    grey = [line for line in grey if np.isfinite(line).any()]
    known = np.isfinite(np.array([_medians(own), *grey])).any(axis=0)

    def paint(axes: Axes) -> None:
        for place, line in enumerate(grey):
            label = "other scanners" if place == 0 else None
            axes.plot(middles, line, color=FAINT, linewidth=0.9, alpha=0.8, label=label)
        band = np.isfinite(own).any(axis=0)
        low, high = np.nanquantile(own[:, band], (0.25, 0.75), axis=0)
        axes.fill_between(middles[band], low, high, color=_OWN, alpha=0.22, linewidth=0)
        axes.plot(middles, _medians(own), color=_OWN, marker="o", markersize=4, label="this scanner")
        axes.set_xlabel("Spatial frequency, /mm")
        axes.set_ylabel("Noise power over variance, mm²")
        axes.set_xlim(BANDS[0] - 0.02, float(middles[known][-1]) + 0.045)
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False, fontsize=8, loc="best")

    several = f"median of {counted(len(own), 'exam')} with the quartiles" if len(own) > 1 else "one exam"
    return draw(
        f"spectrum-{number}",
        f"Noise spectrum of {scanner.name}",
        paint,
        size=(4.4, 3.0),
        caption=f"Noise power spectrum in the brain, {several}, over the noise's variance: its shape, "
        "whatever the dose. Grey: medians of the other scanners.",
    )


def _medians(spectra: Floats) -> Floats:
    """Median of each band, NaN where no exam has it."""
    found = np.full(spectra.shape[1], np.nan)
    known = np.isfinite(spectra).any(axis=0) if len(spectra) else np.zeros(spectra.shape[1], dtype=bool)
    found[known] = np.nanmedian(spectra[:, known], axis=0)
    return found


def _titled(measure: Measure) -> str:
    return f"{_capital(measure.title)}, {measure.unit}" if measure.unit else _capital(measure.title)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _median(values: Floats) -> str:
    return shown(float(np.median(values))) if len(values) else DASH


def _range(values: Floats, low: float, high: float) -> str:
    if len(values) < 2:
        return DASH
    first, last = (shown(float(value)) for value in np.quantile(values, (low, high)))
    return f"{first} to {last}" if first != last else first
