"""Figures as a person reads them, the same on a terminal and in the report."""

from nameplate.steps.detection import Compared, Detected, Detection, DetectionJob
from nameplate_challenge.asked import Asked
from nameplate_challenge.findings import Curve, Findings, Gap, Level, Point
from nameplate_challenge.subjects import ALL

NONE = "-"
MANY_ALARMS = 0.5
"""Share of untouched exams with an alarm, from which finding a lesion says nothing."""


def radius(curve: Curve) -> str:
    """The radius wanted, with its interval; a bound where it is beyond the radii tried."""
    if curve.bound == "not known":
        return NONE
    smallest, largest = curve.points[0].radius_mm, curve.points[-1].radius_mm
    value = {
        "reached": f"{curve.radius_mm or 0:.1f} mm",
        "above": f"above {largest:g} mm",
        "below": f"below {smallest:g} mm",
    }[curve.bound]
    if (curve.low is not None and curve.low >= largest) or (
        curve.high is not None and curve.high <= smallest
    ):
        return value
    low = f"below {smallest:g}" if curve.low is None else f"{curve.low:.1f}"
    high = f"above {largest:g}" if curve.high is None else f"{curve.high:.1f}"
    return f"{value} ({low} to {high})"


def percent(point: Point | None) -> str:
    """A share with its interval."""
    if point is None:
        return NONE
    value = f"{100 * point.share:.1f} %"
    if point.low is None or point.high is None:
        return f"{value} (one patient)"
    return f"{value} ({100 * point.low:.1f} to {100 * point.high:.1f})"


def gap_value(gap: Gap) -> str:
    """A gap with its interval, in mm or points."""
    scale, unit = (1, "mm") if gap.figure == "radius, mm" else (100, "points")
    low = "?" if gap.low is None else f"{scale * gap.low:+.1f}"
    high = "?" if gap.high is None else f"{scale * gap.high:+.1f}"
    if gap.value is not None:
        return f"{scale * gap.value:+.1f} {unit} ({low} to {high})"
    if gap.low is None and gap.high is None:
        return "not known: beyond the radii"
    return f"beyond the radii, {low} to {high} {unit}"


def gap_p(gap: Gap) -> str:
    """The p-value after Holm."""
    if gap.p_adjusted is None:
        return NONE
    return "p < 0.001" if gap.p_adjusted < 0.001 else f"p {gap.p_adjusted:.3f}"


def gap_name(gap: Gap, findings: Findings) -> str:
    """What a gap is of."""
    figure = f"radius found in {100 * findings.sensitivity:g} %" if gap.figure == "radius, mm" else gap.figure
    return figure if gap.hu is None else f"{figure}, {gap.hu:+g} HU"


def failed(level: Level) -> str:
    """Cases of which the model made nothing."""
    asked = level.cases + level.failed
    return f"{level.failed} of {asked}" if asked else NONE


def caveats(findings: Findings) -> list[str]:
    """What a reader must know before the figures are repeated."""
    said = []
    if [level.level for level in findings.levels] == [ALL]:
        said.append("No table says which exam is whose (--exams): there is nothing to compare.")
    elif len(findings.levels) == 1:
        said.append(f"One level of {findings.factor} alone: there is nothing to compare.")
    alarming = [
        f"{level.level} {100 * level.untouched.share:.0f} %"
        for level in findings.levels
        if level.untouched is not None and level.untouched.share >= MANY_ALARMS
    ]
    if alarming:
        said.append(
            f"The model alarms in most untouched exams ({', '.join(alarming)}): that it finds lesions there"
            " says nothing."
        )
    few = [level.level for level in findings.levels if level.patients < 20]
    if few:
        said.append(f"Fewer than 20 patients at {', '.join(few)}: intervals are rough there.")
    failing = [level for level in findings.levels if level.failed]
    if failing:
        said.append(
            "Cases without a score are in no figure: where the model fails more often at one level, that "
            "is a difference, too ("
            + ", ".join(f"{level.level} {failed(level)}" for level in findings.levels)
            + ")."
        )
    if any(level.no_room for level in findings.levels):
        rooms = ", ".join(f"{level.level} {level.no_room}" for level in findings.levels)
        said.append(f"Lesions without room in the brain were not planted ({rooms}).")
    if findings.refused:
        said.append(f"{findings.refused} exams could not be used: ledger.csv says why.")
    said.append("One model: intervals are over patients, and say nothing of the same network trained again.")
    return said


def detection_of(findings: Findings, asked: Asked, job: DetectionJob) -> Detection:
    """The figures of a campaign's model as its report prints them."""
    return Detection(
        model=job.model,
        version=job.given.version,
        cohort=job.cohort,
        asked=planted(findings, asked),
        sensitivity=findings.sensitivity,
        rows=tuple(detected(findings)),
        gaps=tuple(compared(findings)),
        caveats=tuple(caveats(findings)),
    )


def detected(findings: Findings) -> list[Detected]:
    """A row a level and contrast."""
    return [
        Detected(
            level=level.level,
            contrast=f"{curve.hu:+g} HU",
            radius=radius(curve),
            found=percent(curve.sensitivity),
            alarms="" if place else percent(level.untouched),
            failed="" if place else failed(level),
        )
        for level in findings.levels
        for place, curve in enumerate(level.curves)
    ]


def compared(findings: Findings) -> list[Compared]:
    """A row a gap."""
    return [
        Compared(
            figure=gap_name(gap, findings),
            between=f"{gap.second} - {gap.first}",
            value=gap_value(gap),
            p=gap_p(gap),
        )
        for gap in findings.gaps
    ]


def planted(findings: Findings, asked: Asked) -> str:
    """One line: how many exams and cases, of what, and what counts as found."""
    cases = sum(level.cases + level.failed for level in findings.levels)
    exams = sum(level.exams for level in findings.levels)
    radii, hu = (" ".join(f"{value:g}" for value in values) for values in (asked.radii_mm, asked.hu))
    places = "1 place" if asked.places == 1 else f"{asked.places} places"
    return (
        f"{exams} exams by {findings.factor}, {cases} cases: radius {radii} mm, {hu} HU added, {places}, "
        f"and untouched; found from a score of {findings.threshold:g}"
    )
