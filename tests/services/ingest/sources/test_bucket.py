"""A bucket as a source, against a real MinIO."""

import io
from pathlib import Path
from typing import Any

import pytest
from archive_maker import FORMS, tree, zip_of

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import BucketSource
from nameplate_ingest.ingest import Tables, ingest_source
from nameplate_ingest.sources.bucket import Bucket
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.source import Source

KEY = b"a key for these tests"
SETTINGS = IngestSettings(matrix=64)


@pytest.fixture
def studies(folder: Any, make_series: Any) -> Path:
    """Two exams and what may lie beside them."""
    for name in ("CT0001", "CT0002"):
        (folder.path / name).mkdir()
    for number, one in enumerate(make_series()):
        folder.add(one, name=f"CT0001/{number:03d}.dcm")
    other = {"study": "1.2.3.2", "series": "1.2.3.2.1", "PatientID": "second", "Manufacturer": ""}
    for number, one in enumerate(make_series(**other, ManufacturerModelName="", SoftwareVersions="")):
        folder.add(one, name=f"CT0002/{number:03d}")
    folder.add_bytes(b"notes", name="readme.txt")
    return Path(folder.path)


def ingested(source: Source, out: Path) -> dict[str, bytes]:
    ingest_source(source, out, SETTINGS, key=KEY, tables=Tables(manufacturers={"CT0002": "GE"}))
    return tree(out)


@pytest.fixture
def account(s3_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The server, with its account for a source and none for a store."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NAMEPLATE_SOURCE_ACCESS_KEY_ID", s3_server.access_key)
    monkeypatch.setenv("NAMEPLATE_SOURCE_SECRET_ACCESS_KEY", s3_server.secret_key)
    return s3_server


def put(server: Any, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        server.client.put_object(
            bucket_name="bias", object_name=name, data=io.BytesIO(data), length=len(data)
        )


def bucket(server: Any, prefix: str, **options: Any) -> Bucket:
    return Bucket(BucketSource(url=f"s3://bias/{prefix}", endpoint=server.endpoint, **options))


def test_objects_give_the_same_bytes_as_files(account: Any, studies: Path, tmp_path: Path) -> None:
    put(account, {f"exams/{name}": data for name, data in tree(studies).items()})
    put(account, {"exams-of-others/x": b"not below the prefix", "exams/": b""})
    expected = ingested(Folder(studies), tmp_path / "expected")
    assert ingested(bucket(account, "exams"), tmp_path / "out") == expected


@pytest.mark.parametrize("form", FORMS)
def test_archives_in_a_bucket_give_the_same_bytes(
    account: Any, studies: Path, tmp_path: Path, form: str
) -> None:
    prefix = form.replace(" ", "-").replace(",", "")
    put(account, {f"{prefix}/all.bin": FORMS[form](tree(studies))})
    expected = ingested(Folder(studies), tmp_path / "expected")
    assert ingested(bucket(account, prefix), tmp_path / "out") == expected
