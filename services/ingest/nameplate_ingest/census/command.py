"""``nameplate census``: what a source has, and what could be shown with it, before a pixel moves."""

import secrets
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from nameplate.campaign import Campaign
from nameplate.campaign.cohort import MatchSettings
from nameplate.campaign.cohort_source import CohortSource, sources_of
from nameplate.campaign.factor import FactorSettings
from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.overrides import load_with_overrides
from nameplate.campaign.pseudonym_key import pseudonym_key
from nameplate.campaign.sources.named import FORMS
from nameplate.errors import UserError
from nameplate.service.arguments import add_set_argument
from nameplate.service.command import Command
from nameplate.whole import check_empty, write_whole
from nameplate_ingest.census.collect import Collected, collect, survey_of
from nameplate_ingest.census.page import PAGE, census_files
from nameplate_ingest.census.screen import print_census
from nameplate_ingest.census.section import Question, Section, section_of
from nameplate_ingest.fields.manufacturer import read_manufacturers
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.listing_step import tables_of
from nameplate_ingest.progress import progress_on_terminal
from nameplate_ingest.sources.arguments import add_source_options, named_source
from nameplate_ingest.sources.kinds import open_source
from nameplate_ingest.tables import Tables

_CAMPAIGNS = (".yaml", ".yml")
_MOST_WORKERS = 256


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "subject",
        metavar="CAMPAIGN_OR_SRC",
        help=f"a campaign file (.yaml), of which every cohort with a source is counted; or {FORMS}",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"also write {PAGE} and a CSV to DIR; new or empty"
    )
    parser.add_argument(
        "--manufacturers",
        type=Path,
        metavar="CSV",
        help="columns study (StudyInstanceUID or folder name) and manufacturer, for headers without one",
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    add_set_argument(parser)
    add_source_options(parser)


def _run(arguments: Namespace) -> int:
    if not 1 <= arguments.workers <= _MOST_WORKERS:
        raise UserError(f"--workers: expected 1 to {_MOST_WORKERS}, got {arguments.workers}")
    if arguments.out is not None:
        check_empty(arguments.out)
    if arguments.subject.lower().endswith(_CAMPAIGNS):
        title, sections, studies = _of_campaign(arguments)
    else:
        title, sections, studies = _of_source(arguments)
    print_census(sections)
    if arguments.out is not None:
        write_whole(arguments.out, census_files(title, sections))
        print(f"page: {arguments.out / PAGE}")  # noqa: T201  (the command's output)
    return 0 if studies else UserError.exit_code


def _of_source(arguments: Namespace) -> tuple[str, list[Section], int]:
    if arguments.set:
        raise UserError("--set: goes with a campaign's file, not with a source")
    source = named_source(arguments.subject, arguments)
    makers = read_manufacturers(arguments.manufacturers) if arguments.manufacturers else {}
    # No pseudonym leaves, so nothing has to be the same in the next census.
    pseudonyms = Pseudonyms(secrets.token_bytes(32))
    found = _collected(source, Tables(manufacturers=makers), IngestSettings(), pseudonyms, arguments.workers)
    question = Question(FactorSettings(), MatchSettings())
    section = section_of("all studies", found, source.settings, question)
    return "Census of a source", [section], len(found.studies)


def _of_campaign(arguments: Namespace) -> tuple[str, list[Section], int]:
    path = Path(arguments.subject)
    if arguments.manufacturers:
        raise UserError("--manufacturers: a campaign's file names its own (cohorts.<name>.manufacturers_csv)")
    campaign, _ = load_with_overrides(path, arguments.set)
    sources = sources_of(campaign, path.resolve().parent)
    sections, studies = [], 0
    for name, cohort in campaign.cohorts.items():
        title = f"cohort {name}"
        if name not in sources:
            why = f"made of cohort {cohort.other}" if cohort.other else "simulated: there is nothing to count"
            sections.append(Section(title, ((why, ""),)))
            continue
        # The user's masks decide no count.
        source = replace(sources[name], masks=None)
        found = _collected(
            source, tables_of(source), cohort.ingest, Pseudonyms(pseudonym_key()), arguments.workers
        )
        studies += len(found.studies)
        sections.append(section_of(title, found, source.settings, _question(campaign, name)))
    if not sources:
        studies = 1  # nothing was asked for that is not there
    return f"Census: {campaign.name}", sections, studies


def _question(campaign: Campaign, name: str) -> Question:
    return Question(campaign.factor, campaign.cohorts[name].match, campaign, name)


def _collected(
    source: CohortSource, tables: Tables, settings: IngestSettings, pseudonyms: Pseudonyms, workers: int
) -> Collected:
    opened = open_source(source)
    survey = survey_of(tables.reading(opened.place, pseudonyms), settings)
    if opened.most_workers is not None:
        workers = min(workers, opened.most_workers)
    with progress_on_terminal() as progress:
        return collect(opened, survey, workers, progress.indexing)


COMMAND = Command(
    description=(
        "Counts what a campaign's sources, or one source, have, by tags alone: studies by manufacturer, "
        "scanner model, kernel class, slice thickness, year, age and sex; series that the rules would "
        "refuse; how many matched pairs would be left, and the least advantage that could be shown with "
        "them; bytes, and hours at the allowed rate. Nothing is fetched: a PACS is asked for its series, and "
        "of files only the headers are read. No count below five is shown, nor one that others would give "
        "away, and no name, number, date or place. Writes nothing without --out."
    ),
    example="nameplate census https://pacs.example.org/dicom-web --since 2023-01-01 --until 2023-12-31 --out "
    "census",
    add_arguments=_add_arguments,
    run=_run,
)
