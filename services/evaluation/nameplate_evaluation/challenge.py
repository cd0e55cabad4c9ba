"""What the user's own models found of planted lesions, as the step ``detection`` has it: tables and pages."""

from collections.abc import Mapping

from nameplate.job.inputs import Committed
from nameplate.steps.detection import DETECTION, SHOWN, Detection
from nameplate_evaluation.table import Column, Table, Value

SECTION = "challenge"
FOLDER, PAGE = "challenge", "index.html"


def load_detections(committed: Committed) -> tuple[Detection, ...]:
    """Of every model on every cohort."""
    return tuple(DETECTION.read_all(committed))


def load_pages(committed: Committed) -> Mapping[str, bytes]:
    """The files that the report takes over, by path below its folder: ``challenge/<cohort>/<model>/...``."""
    pages: dict[str, bytes] = {}
    for key in SHOWN.keys(committed):
        fields = SHOWN.fields(key)
        pages[f"{FOLDER}/{fields['cohort']}/{fields['model']}/{fields['file']}"] = committed.read(key)
    return pages


def model_name(one: Detection) -> str:
    """A model as the report calls it."""
    return f"{one.model} {one.version}".strip()


def links_of(detections: tuple[Detection, ...]) -> list[tuple[str, str]]:
    """Address and text of each model's own page."""
    return [
        (f"{FOLDER}/{one.cohort}/{one.model}/{PAGE}", f"{model_name(one)} on {one.cohort}")
        for one in detections
    ]


def sentences_of(detections: tuple[Detection, ...]) -> list[str]:
    """Of each model: what was planted, and what has to be known before a figure is repeated."""
    return [f"{model_name(one)} on {one.cohort}: {one.asked}. {' '.join(one.caveats)}" for one in detections]


def detection_tables(detections: tuple[Detection, ...], factor: str) -> list[Table]:
    """Figures by level and contrast, and the gaps between levels; no rows where nothing was challenged."""
    share = 100 * detections[0].sensitivity if detections else 90.0
    rows: list[tuple[Value, ...]] = []
    for one in detections:
        for row in one.rows:
            figures = (row.contrast, row.radius, row.found, row.alarms, row.failed)
            rows.append((model_name(one), one.cohort, row.level, *figures))
    gaps = tuple(
        (model_name(one), one.cohort, gap.figure, gap.between, gap.value, gap.p)
        for one in detections
        for gap in one.gaps
    )
    names = (Column("model", "Model"), Column("cohort", "Cohort"))
    return [
        Table(
            "challenge",
            "Planted lesions that your models find",
            (
                *names,
                Column("level", factor.capitalize()),
                Column("contrast", "Added"),
                Column("radius", f"Found in {share:g} % from"),
                Column("found", "Found, all radii"),
                Column("alarms", "False alarms"),
                Column("failed", "Failed"),
            ),
            tuple(rows),
            "The same spheres at the same place relative to every brain, one a case. False alarms are the "
            "untouched exams that reach the threshold; where they are many, finding a lesion says nothing.",
            SECTION,
        ),
        Table(
            "challenge-gaps",
            f"Gaps between levels of the {factor}, for your models",
            (
                *names,
                Column("figure", "Figure"),
                Column("between", "Of"),
                Column("value", "Value"),
                Column("p", "After Holm"),
            ),
            gaps,
            "Intervals are over patients; p-values are adjusted over all gaps of one model.",
            SECTION,
        ),
    ]
