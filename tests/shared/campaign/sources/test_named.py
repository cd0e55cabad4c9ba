from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from nameplate.campaign.mistakes import mistakes_of
from nameplate.campaign.sources import (
    ArchiveSource,
    BucketSource,
    DicomwebSource,
    DimseSource,
    FolderSource,
    SourceSettings,
    VolumesSource,
)
from nameplate.campaign.sources.named import is_archive, parse_source
from nameplate.errors import UserError

DAYS = {"since": "2024-01-01", "until": "2024-01-31"}


def test_addresses() -> None:
    assert parse_source("s3://heads/2024", {"endpoint": "https://s3.example.org"}) == BucketSource(
        url="s3://heads/2024", endpoint="https://s3.example.org"
    )
    web = "https://pacs.example.org/dicom-web"
    assert parse_source(web, {**DAYS, "account": None}) == DicomwebSource(url=web, **DAYS)
    assert parse_source("dimse://ORTHANC@10.0.0.7:4242", {**DAYS, "calling": "US"}) == DimseSource(
        called="ORTHANC", host="10.0.0.7", port=4242, calling="US", **DAYS
    )
    assert parse_source("dimse://MY PACS@pacs.example.org", DAYS) == DimseSource(
        called="MY PACS", host="pacs.example.org", **DAYS
    )
    assert parse_source("dimse://A@[2001:db8::7]:104", DAYS) == DimseSource(
        called="A", host="2001:db8::7", port=104, **DAYS
    )


def test_a_rate_is_a_limit() -> None:
    named = parse_source("dimse://A@b:104", {**DAYS, "limits": {"studies_per_hour": 60.0}})
    assert isinstance(named, DimseSource)
    assert named.limits.studies_per_hour == 60


def test_paths(tmp_path: Path) -> None:
    studies, zips, mixed = tmp_path / "studies", tmp_path / "zips", tmp_path / "mixed"
    for folder in (studies / "a", zips / "2024", mixed):
        folder.mkdir(parents=True)
    (studies / "a" / "IM0001").touch()
    for archive in (zips / "2024" / "a.tar.zst", zips / "b.ZIP", mixed / "a.zip"):
        archive.touch()
    (mixed / "IM0001").touch()
    assert parse_source(str(studies)) == FolderSource(path=str(studies))
    assert parse_source(str(zips)) == ArchiveSource(path=str(zips))
    assert parse_source(str(mixed)) == FolderSource(path=str(mixed))
    assert parse_source(str(zips / "b.ZIP")) == ArchiveSource(path=str(zips / "b.ZIP"))
    # What is not there is told by the one who looks for it.
    assert parse_source("missing/x.tar.gz") == ArchiveSource(path="missing/x.tar.gz")
    assert parse_source("missing") == FolderSource(path="missing")


def test_an_empty_folder_is_a_folder(tmp_path: Path) -> None:
    assert parse_source(str(tmp_path)) == FolderSource(path=str(tmp_path))


def test_volumes() -> None:
    named = parse_source("nifti", {"table": "exams.csv", "columns": "exam=ID, manufacturer=Scanner"})
    assert isinstance(named, VolumesSource)
    assert (named.path, named.table) == ("nifti", "exams.csv")
    assert (named.columns.exam, named.columns.manufacturer) == ("ID", "Scanner")
    assert parse_source("nifti", {"table": "exams.csv", "columns": "age=Age"}).columns.exam == "exam"


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("https://pacs.example.org/web", {}, "--since and --until: required"),
        ("dimse://A@b:104", {"since": "2024-01-01"}, "--until: required"),
        ("dimse://b:104", DAYS, "expected dimse://CALLED@HOST:PORT"),
        ("dimse://A@b:99999", DAYS, "expected dimse://CALLED@HOST:PORT"),
        ("ftp://pacs.example.org", {}, "ftp:// is no source"),
        ("s3://B", {}, "expected s3://BUCKET/PREFIX"),
        ("https://p.example.org/w?x=1", DAYS, "expected the base of a DICOMweb service"),
        ("https://p.example.org/w", {**DAYS, "since": "soon"}, "--since: expected a day as 2024-01-31"),
        ("https://p.example.org/w", {**DAYS, "until": "2023-01-01"}, "is before since"),
        ("folder", {"since": "2024-01-01"}, "--since: does not go with 'folder'"),
        ("a.zip", {"table": "x.csv", "since": "2024-01-01"}, "--since: does not go with 'volumes'"),
        ("folder", {"limits": {"studies_per_hour": 1.0}}, "--studies-per-hour: does not go with 'folder'"),
        ("https://p.example.org/w", {**DAYS, "limits": {"studies_per_hour": 0.0}}, "--studies-per-hour: "),
        ("x", {"table": "t.csv", "columns": "name=Name"}, "--columns: expected ROLE=NAME"),
        ("x", {"table": "t.csv", "columns": "age=A,sex=A"}, "--columns: 'A' is named twice"),
    ],
)
def test_what_is_no_source(text: str, options: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told.replace("(", r"\(")) as caught:
        parse_source(text, options)
    assert "\n" not in str(caught.value)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UserError, match="NAMEPLATE_SOURCE_PASSWORD") as caught:
        parse_source("https://me:hunter2@pacs.example.org/web", DAYS)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("s3://me:hunter2@heads/2024", "S3://me:hunter2@heads", "s3a://me:hunter2@heads"),
        *(
            "HTTPS://me:hunter2@p.example.org",
            "ftp://me:hunter2@p.example.org",
            "dimse://me:hunter2@p.example.org",
        ),
        "dimse://me@hunter2@p.example.org",
    ],
)
def test_an_address_that_may_hold_a_key_is_not_quoted(text: str) -> None:
    with pytest.raises(UserError, match=r"the source: .*expected ") as caught:
        parse_source(text, DAYS if text.startswith("dimse") else None)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "bucket", "url": "s3://heads", "endpoint": "https://me:hunter2@s3.example.org"},
        {"kind": "bucket", "url": "s3://me:hunter2@heads"},
        {
            "kind": "dicomweb",
            "url": "https://me:hunter2@p.example.org/w",
            "since": "2024-01-01",
            "until": "2024-01-02",
        },
    ],
)
def test_a_password_in_a_campaign_file_is_refused_and_not_repeated(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Annotated[SourceSettings, Field(discriminator="kind")]).validate_python(wrong)
    (told,) = mistakes_of(caught.value)
    assert "the environment" in told
    assert "hunter2" not in told


def test_names_of_archives() -> None:
    names = ["a.zip", "a.TAR", "a.tar.gz", "a.tgz", "a.tar.zst", "a.gz", "zip", "a.zip.dcm"]
    assert [is_archive(name) for name in names] == [True] * 5 + [False] * 3
