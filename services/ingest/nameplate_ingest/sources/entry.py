"""One study as a PACS lists it, and whether it is one that was asked for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fnmatch import translate
from functools import lru_cache

from nameplate.campaign.sources.query import QuerySource

_ROUND = 50
_UID = re.compile(r"[0-9.]{1,64}")
OF_STUDIES = frozenset(
    (
        *("StudyDescription", "StudyID", "StudyTime", "AccessionNumber", "ReferringPhysicianName"),
        *("PatientID", "IssuerOfPatientID", "PatientSex", "PatientAge", "PatientComments"),
        *("AdmittingDiagnosesDescription", "ProcedureCodeSequence", "InstanceAvailability"),
    )
)
"""Attributes that a PACS can search studies by. Another one's value is asked for and compared here: there are
servers that find nothing by it, although they know it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A study of a listing; of what a server leaves out nothing is known."""

    uid: str
    date: str = ""
    """As DICOM writes it."""
    modalities: tuple[str, ...] = ()
    images: int | None = None
    series: int | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of the attributes that ``match`` names."""

    @property
    def is_named(self) -> bool:
        """Whether its UID is one."""
        return _UID.fullmatch(self.uid) is not None


def windows(since: str, until: str, days: int) -> Iterator[tuple[date, date]]:
    """Spans of at most so many days, from the first day to the last.

    >>> [str(end) for _, end in windows("2024-01-30", "2024-02-03", 2)]
    ['2024-01-31', '2024-02-02', '2024-02-03']
    """
    begin, last = date.fromisoformat(since), date.fromisoformat(until)
    while begin <= last:
        end = min(begin + timedelta(days=days - 1), last)
        yield begin, end
        begin = end + timedelta(days=1)


def halves(begin: date, end: date) -> tuple[tuple[date, date], tuple[date, date]]:
    """A span of two days or more as two."""
    middle = begin + (end - begin) // 2
    return (begin, middle), (middle + timedelta(days=1), end)


def may_be_cut(count: int) -> bool:
    """Whether a listing of so many studies may be all that a server gives at once: limits are round numbers,
    and few servers say that there is more."""
    return count > 0 and count % _ROUND == 0


def date_range(begin: date, end: date) -> str:
    """As a query has it."""
    return f"{begin:%Y%m%d}-{end:%Y%m%d}"


def filters_of(settings: QuerySource) -> dict[str, str]:
    """What the PACS itself is asked to match, beside dates and modality."""
    return {name: value for name, value in settings.match.items() if name in OF_STUDIES}


def is_wanted(entry: Entry, settings: QuerySource) -> bool:
    """Whether a study is within the dates, has the modality and matches; not every server looks at all.

    What a server does not tell it is believed to have looked at, if it can be asked for it; and no date is
    no date within the range.
    """
    since, until = settings.since.replace("-", ""), settings.until.replace("-", "")
    if not since <= entry.date.replace(".", "") <= until:
        return False
    if entry.modalities and settings.modality not in entry.modalities:
        return False
    for name, pattern in settings.match.items():
        told = [value for value in entry.values.get(name, ()) if value]
        if not told and (name in OF_STUDIES or not pattern.strip("*")):
            continue
        if not any(_pattern(pattern).fullmatch(value.strip().casefold()) for value in told):
            return False
    return True


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    """DICOM's wildcards: only * and ?; case counts on some servers and on others not."""
    return re.compile(translate(text.strip().casefold().replace("[", "[[]")))
