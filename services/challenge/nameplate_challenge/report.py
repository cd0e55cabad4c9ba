"""``report.html``: one page with every figure, without scripts and without other files."""

from html import escape

from nameplate.cohort.quality.markup import page, paragraph, table
from nameplate_challenge.asked import Asked
from nameplate_challenge.figure import detection_svg
from nameplate_challenge.findings import Findings
from nameplate_challenge.hit import MARGIN_MM
from nameplate_challenge.words import (
    NONE,
    caveats,
    compared,
    failed,
    percent,
    radius,
)

_STYLE = """<style>
main, header { max-width: 1180px; } svg.plot { display: block; width: 100%; height: auto; background: #fff;
  border-radius: 3px; } pre { white-space: pre-wrap; font-size: 13px; }
</style>
"""


def report_html(findings: Findings, asked: Asked) -> bytes:
    """The page."""
    share = f"{100 * findings.sensitivity:g} %"
    header = paragraph(
        f"Spheres of {_list(asked.radii_mm)} mm radius, with {_list(asked.hu)} HU added to the tissue, at "
        f"{asked.places} places that are the same in every brain relative to it; and every exam untouched. "
        f"A lesion is found where the score is at least {findings.threshold:g}."
    )
    header += f"<pre>{escape(asked.command)}</pre>\n"
    header += "".join(paragraph(text, "note") for text in caveats(findings))
    body = _STYLE + f"<h2>The smallest lesion found in {share}</h2>\n" + _levels(findings, share)
    if findings.gaps:
        body += f"<h2>Gaps between levels of {escape(findings.factor)}</h2>\n" + _gaps(findings)
    if any(level.curves for level in findings.levels):
        body += f"<h2>Found, by radius</h2>\n<figure>{detection_svg(findings)}</figure>\n" + _detection(
            findings
        )
    if findings.reasons:
        body += "<h2>Cases without a score</h2>\n" + _reasons(findings)
    return page(
        "Challenge: what the model finds", header, body + "<h2>How to read it</h2>\n" + _method(findings)
    )


def _list(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _levels(findings: Findings, share: str) -> str:
    rows = []
    for level in findings.levels:
        for place, curve in enumerate(level.curves):
            own = (level.level, str(level.exams), str(level.patients)) if place == 0 else ("", "", "")
            alarms = (percent(level.untouched), failed(level)) if place == 0 else ("", "")
            regions = NONE if level.regions is None else f"{level.regions:.2f}"
            rows.append(
                (
                    *own,
                    f"{curve.hu:+g}",
                    radius(curve),
                    percent(curve.sensitivity),
                    alarms[0],
                    regions if place == 0 else "",
                    alarms[1],
                )
            )
    heads = (
        findings.factor, "exams", "patients", "HU added", f"found in {share} from", "found, all radii",
        "untouched exams that alarm", "alarms an exam (masks)", "failed",
    )  # fmt: skip
    return table(heads, rows)


def _gaps(findings: Findings) -> str:
    rows = [(row.figure, row.between, row.value, row.p) for row in compared(findings)]
    return table(("gap", "of", f"value ({100 * findings.confidence:g} %)", "after Holm"), rows, texts=(1,))


def _detection(findings: Findings) -> str:
    rows = [
        (
            level.level,
            f"{curve.hu:+g}",
            f"{point.radius_mm:g}",
            f"{point.found} of {point.cases}",
            percent(point),
        )
        for level in findings.levels
        for curve in level.curves
        for point in curve.points
    ]
    return table((findings.factor, "HU added", "radius, mm", "found", "share"), rows)


def _reasons(findings: Findings) -> str:
    rows = [(reason, str(count)) for reason, count in findings.reasons.items()]
    return table(("reason", "cases"), rows)


def _method(findings: Findings) -> str:
    texts = (
        "The lesions are simulated spheres that are brighter than the tissue by a fixed number of HU: they "
        "keep the scanner's noise and sharp edges, and are no haemorrhages. What is compared is one model "
        "on the same lesions in different scanners' exams; patients differ between levels, too.",
        "The radius comes from a logistic curve in the logarithm of the radius, with the untouched exams' "
        "alarms as chance and a share that is missed at any size; it is never read beyond the radii that "
        f"were tried. Its intervals come from {findings.resamples} resamples of patients (seed "
        f"{findings.seed}). Shares have Wilson intervals for the effective number of cases, which counts "
        "the cases of a patient together.",
        f"A mask has found a lesion if it reaches the threshold anywhere within {MARGIN_MM:g} mm of the "
        "sphere; every other connected region that does is a false alarm.",
        "p-values are adjusted by Holm over all gaps of this page.",
    )
    return "".join(paragraph(text) for text in texts)
