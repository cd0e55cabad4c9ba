"""The census of one cohort as it is printed: lines, tables and notes."""

from collections.abc import Sequence
from dataclasses import dataclass

from nameplate.campaign import Campaign
from nameplate.campaign.cohort import MatchSettings
from nameplate.campaign.factor import FactorSettings
from nameplate.campaign.sources import SourceSettings
from nameplate.campaign.sources.query import QuerySource
from nameplate.steps.ingest import Exam
from nameplate_ingest.census.collect import Collected
from nameplate_ingest.census.counts import Table, at_least, refusals_of, tables_of
from nameplate_ingest.census.prospect import effect_lines, fetching_of, matched_groups, paper_effect
from nameplate_ingest.census.suppress import LEAST, NOT_SHOWN, SMALL, WITHHELD, shown_count

_KINDS = {
    "folder": "a folder of DICOM files",
    "archive": "archives of DICOM files",
    "bucket": "a bucket",
    "dicomweb": "a PACS, by DICOMweb",
    "dimse": "a PACS, by DIMSE",
    "volumes": "volumes with a table",
}
LEGEND = (
    "Manufacturer, model, kernel, thickness, year, age and sex are those of the studies with a series that "
    f"would be used. {SMALL}: fewer than {LEAST}, but not none. {WITHHELD}: {LEAST} or more, left out so "
    f"that the total does not give a smaller count away. {NOT_SHOWN}: a part, maybe none, of a {SMALL}. "
    "Numbers of pairs are rounded down, by three at least."
)
_SHORT_HOURS = 1.5
_NO_PIXELS = (
    "No pixel was read. What looks at values and pictures (the rules pixels, hounsfield, slice-jump and "
    "picture, and the mask of the brain) is not known before that, and will leave fewer."
)
_NO_HEADERS = (
    "No header of an image was read either, only what the source tells of a series. Rules on the places and "
    "kinds of images (coverage, field, missing-slice, orientation, two-passes, temporal, and image-type "
    "where the source does not tell it) are not known before images are fetched."
)


@dataclass(frozen=True, slots=True)
class Section:
    """What is said of one cohort, or of a source by itself."""

    title: str
    lines: tuple[tuple[str, str], ...]
    """What, and how many; the first without the second is a sentence."""
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What the exams are to answer."""

    factor: FactorSettings
    match: MatchSettings | None
    campaign: Campaign | None = None
    """None for a source by itself: what a campaign of the paper's size could find is said then."""
    cohort: str = ""


def section_of(title: str, found: Collected, source: SourceSettings, question: Question) -> Section:
    """The census of what was found."""
    studies = len(found.studies)
    exams = [study.exam for study in found.studies if study.exam is not None]
    of_maker = question.factor.levels if question.factor.is_every_manufacturer else ()
    lines = [("source", _source_line(source)), *_stage_lines(studies, len(exams))]
    if studies < LEAST:
        return Section(title, tuple(lines), (), (LEGEND,))
    lines += _fetch_lines(found, source, len(exams))
    tables = [refusals_of(found.studies)]
    if len(exams) >= LEAST:
        lines += _match_lines(exams, question)
        tables = [*tables_of(found.studies, of_maker), *tables]
    lines += [(f"files of no study: {rule}", shown_count(count)) for rule, count in found.strays]
    notes = (LEGEND, _NO_PIXELS, *(() if found.headers else (_NO_HEADERS,)))
    return Section(title, tuple(lines), tuple(tables), notes)


def _source_line(source: SourceSettings) -> str:
    """Its kind, not its place, which may name a site or a person."""
    told = _KINDS[source.kind]
    return f"{told}, {source.since} to {source.until}" if isinstance(source, QuerySource) else told


def _stage_lines(studies: int, used: int) -> list[tuple[str, str]]:
    """Studies, those that would be used and the rest: never two of them that give a small third away."""
    whole, usable, rest = shown_count(studies), shown_count(used), shown_count(studies - used)
    if studies < LEAST:
        usable = rest = NOT_SHOWN if studies else "0"
    elif usable == SMALL:
        rest = WITHHELD
    elif rest == SMALL:
        whole = WITHHELD
    return [
        ("studies", whole),
        ("studies with a series that would be used", usable),
        ("studies without one", rest),
    ]


def _fetch_lines(found: Collected, source: SourceSettings, used: int) -> list[tuple[str, str]]:
    """Files, bytes and hours; where the studies' number is withheld, of those that would be used alone."""
    rest = len(found.studies) - used
    hidden = 0 < rest < LEAST
    counted = [study for study in found.studies if study.exam is not None or not hidden]
    size = sum(study.size for study in counted)
    told: list[tuple[str, str]] = []
    if found.headers and not hidden:
        told.append(("files, about", f"{float(f'{found.files:.2g}'):,.0f}"))
    if size:
        told.append(("bytes, about", _bytes(size) + ("" if found.headers else ", not compressed")))
    if isinstance(source, QuerySource):
        limits, fetching = source.limits, fetching_of(len(counted), source)
        if fetching is None:
            told.append(("time to fetch", "no rate is set (limits.studies_per_hour)"))
        else:
            spans = "" if fetching.spans is None else f", {counted_spans(fetching.spans)} of {limits.hours}"
            told.append(
                (
                    f"time to fetch at {limits.studies_per_hour:g} studies an hour",
                    _hours(fetching.hours) + spans,
                )
            )
    return told


def counted_spans(count: int) -> str:
    """How often the allowed hours come."""
    return "one span" if count == 1 else f"{count:,} spans"


def _match_lines(exams: Sequence[Exam], question: Question) -> list[tuple[str, str]]:
    factor, match = question.factor, question.match
    groups = at_least(matched_groups(exams, factor, match))
    what = f"exams of each {factor.title}" if match is None else f"matched {_group_word(factor)}"
    rules = "no matching" if match is None else _criteria(match)
    few = f"fewer than {2 * LEAST}"
    told = [(f"{what} ({', '.join(factor.levels)}; {rules})", f"{groups:,} or more" if groups else few)]
    if not groups:
        return told
    if question.campaign is not None:
        lines = effect_lines(question.campaign, question.cohort, groups)
        return [*told, *((line, "") for line in lines)]
    effect = paper_effect(groups, len(factor.levels))
    name = "least advantage that could be shown (the paper's tasks, 6 runs a cell)"
    return [*told, (name, f"{effect:.2g} AUROC points" if effect else "too few for a test set")]


def _group_word(factor: FactorSettings) -> str:
    return "pairs" if len(factor.levels) == 2 else "groups"


def _criteria(match: MatchSettings) -> str:
    sex = ["same sex"] if match.sex else []
    same = [f"same {field.noun}" for field in match.same]
    return ", ".join([*sex, *same, f"age within {match.age_years:g} years"])


def _bytes(size: int) -> str:
    """Two digits are enough, and tell no number of studies."""
    for unit, bytes_ in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if size >= bytes_:
            return f"{float(f'{size / bytes_:.2g}'):g} {unit}"
    return "less than 1 MB"


def _hours(hours: float) -> str:
    if hours < _SHORT_HOURS:
        return f"{float(f'{60 * hours:.2g}'):g} minutes"
    return f"{float(f'{hours:.2g}'):,g} hours"
