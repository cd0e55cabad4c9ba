"""Why a study's series was chosen and the others were not: what each witness said, for a person to read."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from nameplate.campaign.ingest import IngestSettings
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.sources.index import Reading, Study
from nameplate_ingest.sources.source import Source
from nameplate_ingest.study import Ingested, Judged, ingest_study
from nameplate_ingest.workers import Workers

_NUMBER = re.compile(r"[0-9]{1,6}")
"""A longer one may be the number of an order or of a patient."""
_SAYS = {"plain": "yes", "refuses": "NO", "doubts": "doubt", "nothing": "-"}


def explain(
    source: Source, settings: IngestSettings, *, key: bytes, manufacturers: Mapping[str, str]
) -> Iterator[str]:
    """Lines about every study of ``source``, in the order of their pseudonyms; nothing is written.

    Series are named by their number, as a workstation shows it; no text of a header is printed. Raises
    UserError for a source that is missing or empty.
    """
    pseudonyms = Pseudonyms(key)
    reading = Reading(source.place, pseudonyms, manufacturers)
    with Workers(0, reading) as alone:
        index = source.index(reading, alone)
    for exam, uid in sorted((pseudonyms.of("e", uid), uid) for uid in index.studies):
        study = index.studies[uid]
        with TemporaryDirectory() as scratch, source.slices(uid, study, Path(scratch)) as slices:
            ingested = ingest_study(slices, settings, pseudonyms, study.listed)
        yield from _study(exam, study, ingested)
    reasons: Counter[tuple[str, str]] = Counter()
    for stray, files in index.strays.items():
        reasons[stray.rule, stray.seen] += files
    for (rule, seen), files in sorted(reasons.items()):
        yield f"{files} files outside any study: {rule}{f' ({seen})' if seen else ''}"


def _study(exam: str, study: Study, ingested: Ingested) -> Iterator[str]:
    chosen = ingested.exam is not None
    yield f"exam {exam}: {study.files} files, {'one series is chosen' if chosen else 'no series is chosen'}"
    for one in ingested.judged:
        yield from _series(one)
    for row in ingested.rows:
        if row.item == "file":
            yield f"  {row.files} files not used: {row.rule} ({row.seen})"
    yield ""


def _series(one: Judged) -> Iterator[str]:
    first, verdict = one.group.slices[0], one.verdict
    images = len(one.group.slices)
    number = first.series_number if _NUMBER.fullmatch(first.series_number) else "?"
    told = f"  series {number}, {images} image{'s' if images > 1 else ''}"
    if one.facts is not None:
        told += f", {one.facts.thickness_mm:g} mm thick, {one.facts.coverage_mm:.0f} mm long"
    outcome = verdict.rule if verdict.rule == "chosen" else f"refused by {verdict.rule}"
    if verdict.rule == "outranked":
        outcome = "could be used, but another one is better"
    doubt = " - doubtful, please look" if verdict.doubtful else ""
    yield f"{told}: {outcome}{f' ({verdict.seen})' if verdict.seen else ''}{doubt}"
    width = max((len(opinion.witness) for opinion in one.told), default=0)
    for opinion in one.told:
        yield f"    {opinion.witness:<{width}}  {_SAYS[opinion.says]:<5}  {opinion.seen}".rstrip()
