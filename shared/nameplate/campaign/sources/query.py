"""Settings that both ways of asking a PACS share: which studies, and how much may be asked of it."""

import re
from datetime import date, time
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from nameplate.campaign.settings import Settings
from nameplate.campaign.sources.source import Account, AnySource


def _as_text(value: object) -> object:
    """A day as YAML has it: 2024-01-31 is a date there."""
    return value.isoformat() if type(value) is date else value


def _is_a_day(value: str) -> str:
    try:
        whole = date.fromisoformat(value).isoformat() == value
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(f"expected a day as 2024-01-31, got {value!r}")
    return value


Day = Annotated[str, BeforeValidator(_as_text), AfterValidator(_is_a_day)]
"""As 2024-01-31."""

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")

_PERSONAL = (
    *("PatientName", "PatientBirthDate", "PatientBirthName", "PatientMotherBirthName"),
    *("OtherPatientNames", "ResponsiblePerson", "PatientAddress", "PatientTelephoneNumbers"),
)


class LimitSettings(Settings):
    """How much may be asked of a PACS that also serves a hospital."""

    studies_per_hour: float | None = Field(default=None, gt=0, le=1e6)
    """Fetches that are begun in an hour, at most; null for as many as it answers."""
    at_once: int = Field(default=1, ge=1, le=64)
    """Fetches that go on at the same time, at most."""
    hours: str | None = None
    """The hours in which studies may be fetched, as ``20:00-06:00``; null for any."""
    timezone: str = "UTC"
    """Of ``hours``, as ``Europe/Berlin``."""

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, value: str | None) -> str | None:
        found = _HOURS.fullmatch(value) if value is not None else None
        if value is not None and (found is None or found.group(1, 2) == found.group(3, 4)):
            raise ValueError(f"expected hours as 20:00-06:00, got {value!r}")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone {value!r}") from None
        return value

    @property
    def span(self) -> tuple[time, time] | None:
        """First and last time of day of ``hours``; the last is earlier where the span goes over midnight."""
        if self.hours is None:
            return None
        begin, end = (time.fromisoformat(part) for part in self.hours.split("-"))
        return begin, end


class QuerySource(AnySource):
    """Studies of a PACS that match a query."""

    manner: ClassVar[tuple[str, ...]] = ("limits", "if_refused")
    since: Day
    """First day of study."""
    until: Day
    """Last day of study."""
    modality: str = Field(default="CT", pattern=r"^[A-Z]{2,16}$")
    """What a study must have a series of."""
    match: dict[str, str] = Field(default_factory=dict)
    """Further attributes of the study by DICOM keyword, with the wildcards of DICOM:
    ``{StudyDescription: "*HEAD*"}``. What is no attribute of studies, as Manufacturer, is compared here, with
    what the PACS says of each."""
    window_days: int = Field(default=31, ge=1, le=366)
    """A query asks for so many days at once: one for all would be too long for many a PACS."""
    timeout_s: float = Field(default=60, gt=0, le=3600)
    """How long one answer, or one image, may take to come."""
    account: Account | None = None
    """Which environment variables hold what it takes to log in (default: NAMEPLATE_SOURCE_TOKEN and so on;
    with the name ``pacs``: NAMEPLATE_SOURCE_PACS_TOKEN)."""
    limits: LimitSettings = LimitSettings()
    if_refused: Literal["ask-again", "leave-out"] = "ask-again"
    """What becomes of a study that the PACS has and does not give, when all others are there. ``ask-again``:
    the run ends, and the next one asks for it. ``leave-out``: it goes on without the study, which is in the
    ledger, and which the next run asks for again."""

    @property
    def at_once(self) -> int | None:
        """A PACS is asked by so many shards at the same time, each for one study after another."""
        return self.limits.at_once

    def shown(self) -> AnySource:
        """Also without what is matched, which may be the number of a patient or of a trial."""
        return super().shown().model_copy(update={"match": dict.fromkeys(self.match, "(not shown)")})

    @field_validator("match")
    @classmethod
    def _are_keywords(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not re.fullmatch(r"[A-Z][A-Za-z0-9]{2,62}", name):
                raise ValueError(f"{name!r} is no DICOM keyword, such as StudyDescription")
            if name in ("StudyDate", "ModalitiesInStudy", "StudyInstanceUID"):
                raise ValueError(f"{name!r} is asked for by since, until and modality")
            if name in _PERSONAL:
                raise ValueError(f"{name!r} names a patient, which no campaign file may do")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until < self.since:
            raise ValueError(f"until ({self.until}) is before since ({self.since})")
        return self
