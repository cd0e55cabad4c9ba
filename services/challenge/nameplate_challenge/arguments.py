"""The arguments of ``nameplate challenge``, and what they ask."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from nameplate.campaign.challenge import (
    HU,
    MOST_MOVED_MM,
    PLACES,
    RADII_MM,
    RESAMPLES,
    SECONDS,
    SENSITIVITY,
    START_SECONDS,
)
from nameplate.errors import UserError
from nameplate.stats.threshold import THRESHOLD
from nameplate_challenge.analysis import Question
from nameplate_challenge.asked import Asked
from nameplate_challenge.surroundings import KEPT


def add_arguments(parser: ArgumentParser) -> None:
    """All of them."""
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument(
        "--model",
        metavar="COMMAND",
        help="run for every case, without a shell: {image} is a NIfTI file in HU, {output} where it may "
        "write "
        "a score (JSON or a number) or a NIfTI mask; an ending may follow ({output}.nii.gz). If it writes "
        "nothing, the last line that it prints is the score",
    )
    model.add_argument(
        "--serve",
        metavar="COMMAND",
        help='started once and asked by lines: {"image": PATH, "output": PATH} in; out a number, '
        '{"score": 0.7}, or {} when it has written its output',
    )
    _add_exams(parser)
    _add_lesions(parser)
    _add_figures(parser)
    _add_running(parser)


def _add_exams(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--images",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="NIfTI heads in HU, or an ingest's folder",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="results; the same command resumes there")
    add(
        "--exams",
        type=Path,
        metavar="TABLE",
        help="exams.jsonl of an ingest (default: that of FOLDER, if any), or CSV or JSON lines with columns "
        "exam, patient and the factor",
    )
    add(
        "--masks",
        type=Path,
        metavar="DIR",
        help="intracranial masks under the images' names (default: X_mask beside X, or made here)",
    )
    add("--factor", default="manufacturer", metavar="FIELD", help="what is compared (default: manufacturer)")


def _add_lesions(parser: ArgumentParser) -> None:
    add = parser.add_argument
    radii, hu = (" ".join(f"{value:g}" for value in values) for values in (RADII_MM, HU))
    add(
        "--radii-mm",
        type=float,
        nargs="+",
        default=RADII_MM,
        metavar="MM",
        help=f"radii of the spheres (default: {radii})",
    )
    add(
        "--hu",
        type=float,
        nargs="+",
        default=HU,
        metavar="HU",
        help=f"added to the tissue, which keeps its noise: a difference, no absolute value (default: {hu})",
    )
    add(
        "--places",
        type=int,
        default=PLACES,
        metavar="N",
        help=f"places, the same in every brain relative to it (default: {PLACES})",
    )
    add(
        "--most-moved-mm",
        type=float,
        default=MOST_MOVED_MM,
        metavar="MM",
        help="how far a lesion may be moved to where the brain has room for it (default: 15)",
    )


def _add_figures(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--threshold", type=float, help="the vendor's: found from this score on (default: 0.5, of 0 to 1)")
    add(
        "--score-range",
        type=float,
        nargs=2,
        default=(0.0, 1.0),
        metavar=("LOW", "HIGH"),
        help="a score outside is an error (default: 0 1)",
    )
    add("--sensitivity", type=float, default=SENSITIVITY, help="of which the radius is given (default: 0.9)")
    add("--confidence", type=float, default=0.95, help="of the intervals (default: 0.95)")
    add("--resamples", type=int, default=RESAMPLES, metavar="N", help="of patients (default: 1000)")
    add("--seed", type=int, default=0, help="of places and resamples (default: 0)")


def _add_running(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--parallel", type=int, default=1, metavar="N", help="cases at a time (default: 1)")
    add("--seconds", type=float, default=SECONDS, help="that an answer may take (default: 60)")
    add(
        "--start-seconds",
        type=float,
        default=START_SECONDS,
        help="more for the first one of --serve (default: 120)",
    )
    add(
        "--env",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help=f"a variable for the model, which else has {', '.join(KEPT)} alone, and folders of its own as "
        "HOME and TMPDIR (repeatable)",
    )
    add("--gzip", action="store_true", help="give images as .nii.gz (slower)")
    add("--scratch", type=Path, metavar="DIR", help="where the model's files are (default: in memory)")
    add("--retry-failed", action="store_true", help="ask again where the model gave no score before")


def asked_of(options: Namespace) -> Asked:
    """What decides the scores. Raises UserError for values that make no sense."""
    low, high = options.score_range
    threshold = threshold_of(options)
    for name, wrong in (
        ("--radii-mm: expected 0.5 to 60", not all(0.5 <= radius <= 60 for radius in options.radii_mm)),
        ("--hu: expected -200 to 2000, not 0", not all(-200 <= hu <= 2000 and hu for hu in options.hu)),
        ("--places: expected 1 to 100", not 1 <= options.places <= 100),
        ("--most-moved-mm: expected 0 to 100", not 0 <= options.most_moved_mm <= 100),
        ("--score-range: expected two numbers, the lower one first", not low < high),
        (f"--threshold: expected {low:g} to {high:g} (--score-range)", not low <= threshold <= high),
        ("--sensitivity: expected more than 0 and less than 1", not 0 < options.sensitivity < 1),
        ("--confidence: expected 0.5 to 0.999", not 0.5 <= options.confidence <= 0.999),
        ("--resamples: expected 100 to 100000", not 100 <= options.resamples <= 100_000),
        ("--parallel: expected 1 to 256", not 1 <= options.parallel <= 256),
        ("--seconds: expected 0.1 to 86400", not 0.1 <= options.seconds <= 86_400),
        ("--start-seconds: expected 0 to 86400", not 0 <= options.start_seconds <= 86_400),
    ):
        if wrong:
            raise UserError(name)
    return Asked(
        command=options.serve or options.model or "",
        serve=options.serve is not None,
        radii_mm=tuple(sorted(set(options.radii_mm))),
        hu=tuple(sorted(set(options.hu))),
        places=options.places,
        seed=options.seed,
        most_moved_mm=options.most_moved_mm,
        score_range=(low, high),
        gzip=options.gzip,
    )


def threshold_of(options: Namespace) -> float:
    """The one that was given, or one half of probabilities."""
    if options.threshold is not None:
        return float(options.threshold)
    if tuple(options.score_range) != (0.0, 1.0):
        raise UserError("--threshold: has to be said with another --score-range than 0 1")
    return THRESHOLD


def question_of(options: Namespace) -> Question:
    """What is to be known of the scores."""
    return Question(
        factor=options.factor,
        threshold=threshold_of(options),
        sensitivity=options.sensitivity,
        confidence=options.confidence,
        seed=options.seed,
        resamples=options.resamples,
    )
