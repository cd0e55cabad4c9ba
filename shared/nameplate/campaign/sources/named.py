"""A source by its name alone, as a command line has it: a path, s3://, https:// or dimse://."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nameplate.campaign.sources.archive import ArchiveSource
from nameplate.campaign.sources.bucket import BucketSource
from nameplate.campaign.sources.dicomweb import DicomwebSource
from nameplate.campaign.sources.dimse import DimseSource
from nameplate.campaign.sources.folder import FolderSource
from nameplate.campaign.sources.volumes import ColumnSettings, VolumesSource
from nameplate.errors import UserError

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst")
"""Endings of archives, in small letters."""
FORMS = (
    "a folder of DICOM files, an archive of them (.zip, .tar, .tar.gz, .tgz, .tar.zst) or a folder of "
    "archives, s3://BUCKET/PREFIX, https://HOST/DICOMWEB, dimse://CALLED@HOST:PORT, or with --table a folder "
    "of volumes"
)
"""What a text may name, for a help text."""
_DIMSE = re.compile(
    r"dimse://(?P<called>[^@/]+)@(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]@:/]+)(?::(?P<port>\d{1,5}))?/?"
)
_QUERIED = ("since", "until")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

Named = ArchiveSource | BucketSource | DicomwebSource | DimseSource | FolderSource | VolumesSource

_WRITTEN: Mapping[type[Named], str] = {
    BucketSource: "s3://BUCKET/PREFIX",
    DicomwebSource: "the base of a DICOMweb service, as https://HOST/dicom-web",
    DimseSource: "dimse://CALLED@HOST:PORT",
}
_FLAGS = {"limits": "studies-per-hour"}


def parse_source(text: str, options: Mapping[str, Any] | None = None) -> Named:
    """The settings of the source that a text names; paths are looked at.

    ``options`` are further settings of its kind by their names in a campaign file, None where not given;
    ``columns`` of volumes is ``exam=ID,patient=NAME``. Raises UserError for a text that names no source, a
    setting that is missing, and one that this kind does not have.
    """
    given = {name: value for name, value in (options or {}).items() if value is not None}
    kind, settings = _kind_of(text, given)
    if issubclass(kind, DicomwebSource | DimseSource) and (
        missing := [n for n in _QUERIED if n not in given]
    ):
        raise UserError(
            f"{_flags(missing)}: required, since a PACS is asked for a span of days: as 2024-01-31"
        )
    for name in given:
        if name not in kind.model_fields:
            raise UserError(f"{_flags((name,))}: does not go with {kind.model_fields['kind'].default!r}")
    if isinstance(columns := given.get("columns"), str):
        given["columns"] = _columns(columns)
    try:
        return kind(**settings, **given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        message = first["msg"].removeprefix("Value error, ")
        if name in settings:
            raise UserError(f"{_quoted(text)}: expected {_WRITTEN[kind]}") from None
        place = f"{_flags((name,))}: " if name in given else ""
        raise UserError(f"{place}{message[:1].lower()}{message[1:]}") from None


def _kind_of(text: str, given: Mapping[str, Any]) -> tuple[type[Named], dict[str, Any]]:
    """The class of the settings, and what the text itself says of them."""
    if text.startswith("s3://"):
        return BucketSource, {"url": text}
    if text.startswith(("https://", "http://")):
        if "@" in text:
            # Not quoted: it may hold a password.
            raise UserError(
                "a user or a password has no place in an address, which others can read: put them into "
                "NAMEPLATE_SOURCE_USERNAME and NAMEPLATE_SOURCE_PASSWORD"
            )
        return DicomwebSource, {"url": text}
    if text.startswith("dimse://"):
        found = _DIMSE.fullmatch(text)
        if found is None:
            raise UserError(f"{_quoted(text)}: expected {_WRITTEN[DimseSource]}")
        port = {"port": int(found["port"])} if found["port"] else {}
        return DimseSource, {"called": found["called"], "host": found["host"].strip("[]"), **port}
    if scheme := _SCHEME.match(text):
        raise UserError(f"{_quoted(text)}: {scheme[0]} is no source; expected {FORMS}")
    if "table" in given:
        return VolumesSource, {"path": text}
    path = Path(text).expanduser()
    if path.is_dir():
        return (ArchiveSource if _holds_archives_alone(path) else FolderSource), {"path": text}
    return (ArchiveSource if is_archive(path.name) else FolderSource), {"path": text}


def _quoted(text: str) -> str:
    """An address for a message; not one that may hold a password or a key."""
    user, at, _ = text.partition("://")[2].rpartition("@")
    plain = text.startswith("dimse://") and not set(user) & set("@:/")
    return text if plain or not at else "the source"


def is_archive(name: str) -> bool:
    """Whether a file's name is that of an archive.

    >>> is_archive("Studies.TAR.GZ"), is_archive("IM000001.dcm")
    (True, False)
    """
    return name.lower().endswith(ARCHIVES)


def _holds_archives_alone(folder: Path) -> bool:
    """Whether there is a file below the folder and each is an archive; ends at the first that is none."""
    found = False
    for _, _, names in os.walk(folder):
        for name in names:
            if not is_archive(name):
                return False
            found = True
    return found


def _columns(text: str) -> ColumnSettings:
    """``exam=ID,patient=NAME`` as settings; raises UserError."""
    told: dict[str, Any] = {}
    for part in text.split(","):
        role, equals, name = (word.strip() for word in part.partition("="))
        if not equals or role not in ColumnSettings.model_fields or not name:
            roles = ", ".join(ColumnSettings.model_fields)
            raise UserError(f"--columns: expected ROLE=NAME,... with roles of {roles}; got {part.strip()!r}")
        told[role] = name
    try:
        return ColumnSettings(**{"exam": "exam", **told})
    except ValidationError as error:
        raise UserError(f"--columns: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def _flags(names: Iterable[str]) -> str:
    return " and ".join(f"--{_FLAGS.get(name, name.replace('_', '-'))}" for name in names)
