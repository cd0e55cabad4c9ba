"""Ages as headers state them, and dates of birth that are only fillers."""

import datetime
import re

OLDEST = 90.0
"""Higher ages are reported as this one, as de-identification rules ask (very old people are few)."""
_LONGEST = 130
"""No statement above it is an age, in years."""
_BELIEVED = 110
"""A date of birth that makes a person older than this is a filler."""
_APART = 2.0
"""Years by which a stated age and a date of birth may differ; dates are often shifted by some months."""

_UNITS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_WORDS = {
    "D": ("day", "days", "tage", "jours", "dias", "giorni"),
    "W": ("wk", "wks", "week", "weeks", "wochen", "semaines", "semanas", "settimane", "weken"),
    "M": ("mo", "mos", "month", "months", "monate", "mois", "meses", "mesi", "maanden", "月"),
    "Y": (
        "a",
        "yr",
        "yrs",
        "year",
        "years",
        "jahre",
        "ans",
        "años",
        "anos",
        "anni",
        "jaar",
        "岁",
        "歳",
        "y/o",
    ),
}
_UNIT_OF = {word: unit for unit, words in _WORDS.items() for word in (unit.casefold(), *words)}
_FORM = re.compile(r"(?P<before>[dwmy]?)\s*(?P<count>\d{1,3})\s*(?P<after>[^\d.,;:]*)")
_DATE = re.compile(r"(\d{4})([-./]?)(\d{2})\2(\d{2})")

_FILLERS = frozenset(
    (
        # First and last days of calendars, and where databases and file systems start to count.
        *("00010101", "10000101", "16010101", "17530101", "18000101", "18500101", "18581117", "18991230"),
        *("18991231", "19000101", "19000102", "19010101", "99991231", "29991231", "22000101", "21001231"),
        *("11111111", "19111111"),
    )
)


def birth_date(born: str) -> datetime.date | None:
    """The date of birth (``YYYYMMDD``, also with ``-``, ``.`` or ``/``); None if unreadable or a filler.

    The first of January is a filler only where the whole date is a well-known one: many people are
    registered with it.
    """
    form = _DATE.fullmatch(born.strip(" \0"))
    if form is None or form[1] + form[3] + form[4] in _FILLERS:
        return None
    try:
        return datetime.date(int(form[1]), int(form[3]), int(form[4]))
    except ValueError:
        return None


def stated_age(stated: str) -> float | None:
    """The age that the header states, in years, not clamped; None if it states none.

    Without a unit it is in years. Nought years are a filler (a newborn's age is stated in days, weeks or
    months), and fractions are no age of the standard's, so it is not known what they were meant to be.

    >>> stated_age("065Y"), stated_age("65  "), stated_age("006M"), stated_age("000Y"), stated_age("6.5")
    (65.0, 65.0, 0.5, None, None)
    """
    form = _FORM.fullmatch(stated.strip(" \0").casefold())
    if form is None:
        return None
    before, after = form["before"], form["after"].strip(" \0")
    unit = _UNIT_OF.get(after or before or "y")
    if unit is None or (before and after):
        return None
    years = int(form["count"]) * _UNITS[unit]
    return None if years > _LONGEST or (years == 0 and unit == "Y") else years


def age_of(stated: str, born: str, studied: str) -> float | None:
    """Age in years at the study, at most ``OLDEST``, from PatientAge, PatientBirthDate and StudyDate.

    The stated age comes first; a date of birth gives the age where none is stated. Where both are there
    and differ by more than two years, one of them is wrong: the date if it is a first of January, as fillers
    often are; else nothing says which, and the age is None. Fillers (see ``birth_date``), the study's own
    date, dates after the study and dates that make a person older than 110 count as no date of birth.
    """
    told, birth = stated_age(stated), birth_date(born)
    counted = _counted(birth, birth_date(studied))
    apart = told is not None and counted is not None and abs(told - counted) > _APART
    if apart and birth is not None and (birth.month, birth.day) != (1, 1):
        return None
    years = counted if told is None else told
    return None if years is None else round(min(years, OLDEST), 2)


def _counted(born: datetime.date | None, studied: datetime.date | None) -> float | None:
    """Whole years between the two dates; below two years, with their fraction."""
    if born is None or studied is None or born >= studied:
        return None
    years = studied.year - born.year - ((studied.month, studied.day) < (born.month, born.day))
    if years > _BELIEVED:
        return None
    return float(years) if years >= 2 else (studied - born).days / 365.25
