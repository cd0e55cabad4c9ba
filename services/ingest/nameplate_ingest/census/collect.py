"""All studies of a source, looked at without fetching any."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

from nameplate.campaign.ingest import IngestSettings
from nameplate_ingest.census.surveyed import Surveyed, by_facts, by_headers
from nameplate_ingest.sources.facts import SeriesFacts
from nameplate_ingest.sources.index import Reading, Study
from nameplate_ingest.sources.source import Source
from nameplate_ingest.workers import Died, Workers

_CHUNK = 32


@dataclass(frozen=True, slots=True)
class Survey(Reading):
    """What looking at studies needs to know beside how files are read."""

    settings: IngestSettings = IngestSettings()  # noqa: RUF009 (it cannot change)


@dataclass(frozen=True, slots=True)
class Collected:
    """What a source has."""

    studies: tuple[Surveyed, ...]
    files: int
    strays: tuple[tuple[str, int], ...]
    """Files outside any study by the rule that refuses them, in alphabetical order."""
    headers: bool
    """Whether headers of images were read; else only what the source tells of its series is known."""


def survey_of(reading: Reading, settings: IngestSettings) -> Survey:
    """With how files are read, how studies are looked at."""
    return Survey(**{item.name: getattr(reading, item.name) for item in fields(Reading)}, settings=settings)


def collect(
    source: Source, survey: Survey, workers: int, progress: Callable[[int], None] | None = None
) -> Collected:
    """List the source and look at every study; raises as the source does."""
    with Workers(workers if workers > 1 else 0, survey) as pool:
        index = source.index(survey, pool, progress)
        read = {uid: study for uid, study in index.studies.items() if study.pieces}
        asked = {uid: study for uid, study in index.studies.items() if not study.pieces}
        studies = [*_of_headers(read, pool), *(_of_facts(source, asked, survey) if asked else ())]
    strays: Counter[str] = Counter()
    for stray, count in index.strays.items():
        strays[stray.rule] += count
    return Collected(tuple(studies), index.files, tuple(sorted(strays.items())), not asked)


def _of_headers(studies: dict[str, Study], pool: Workers) -> Iterator[Surveyed]:
    """Study after study; one whose header ends the process that looks at it is expected to be refused."""
    waiting = list(studies.values())
    chunks = (waiting[start : start + _CHUNK] for start in range(0, len(waiting), _CHUNK))
    for chunk, found in pool.run(_look, chunks):
        yield from [_unknown(study) for study in chunk] if isinstance(found, Died) else found


def _look(survey: Survey, studies: list[Study]) -> list[Surveyed]:
    return [_looked_at(study, survey) for study in studies]


def _looked_at(study: Study, survey: Survey) -> Surveyed:
    try:
        return by_headers(study, survey.settings, survey.pseudonyms)
    except Exception:
        # A header that nobody foresaw costs its study, not the census, as in the ingest.
        return _unknown(study)


def _unknown(study: Study) -> Surveyed:
    return Surveyed(None, 0, ("error",), study.size)


def _of_facts(source: Source, studies: dict[str, Study], survey: Survey) -> Iterator[Surveyed]:
    series: dict[str, list[SeriesFacts]] = defaultdict(list)
    for facts in source.facts(studies):
        if facts.study in studies:
            series[facts.study].append(facts)
    for uid, study in studies.items():
        try:
            yield by_facts(uid, study, series.pop(uid, []), survey.settings, survey.pseudonyms)
        except Exception:
            yield _unknown(study)  # as above
