"""What a command line says of a source, for every command that takes one."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from nameplate.campaign.cohort_source import CohortSource
from nameplate.campaign.sources.named import parse_source

_NAME = "source"
_OPTIONS = (
    "since",
    "until",
    "account",
    "endpoint",
    "calling",
    "table",
    "columns",
    "studies_per_hour",
    "if_refused",
)


def add_source_options(parser: ArgumentParser) -> None:
    """Options that only some kinds of sources have; what it takes to log in is in the environment."""
    group = parser.add_argument_group("a PACS, a bucket or a folder of volumes as SRC")
    group.add_argument("--since", metavar="DAY", help="first day of study to ask a PACS for, as 2024-01-31")
    group.add_argument("--until", metavar="DAY", help="last day of study to ask a PACS for")
    group.add_argument(
        "--studies-per-hour", type=float, metavar="N", help="fetches that are begun in an hour, at most"
    )
    group.add_argument(
        "--if-refused",
        choices=("ask-again", "leave-out"),
        help="what to do about a study that a PACS has and does not give (default: ask-again, the next time)",
    )
    group.add_argument(
        "--calling", metavar="TITLE", help="our own AE title for dimse:// (default: NAMEPLATE)"
    )
    group.add_argument("--endpoint", metavar="URL", help="address of the service of s3:// (default: AWS)")
    group.add_argument(
        "--account", metavar="NAME", help="variables NAMEPLATE_SOURCE_<NAME>_... hold what it takes to log in"
    )
    group.add_argument("--table", metavar="FILE", help="CSV or TSV with a row for each volume below SRC")
    group.add_argument(
        "--columns", metavar="ROLE=NAME,...", help="what the table's columns are (default: exam=exam)"
    )


def named_source(text: str, arguments: Namespace) -> CohortSource:
    """The source that a text and these options name; raises UserError."""
    given = {name: getattr(arguments, name) for name in _OPTIONS}
    rate = given.pop("studies_per_hour")
    limits = None if rate is None else {"studies_per_hour": rate}
    return CohortSource(name=_NAME, settings=parse_source(text, {**given, "limits": limits}), folder=Path())
