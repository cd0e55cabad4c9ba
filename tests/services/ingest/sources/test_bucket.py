"""A bucket as a source, against a real MinIO."""

import io
import pickle
from pathlib import Path
from typing import Any

import pytest
from archive_maker import FORMS, tree
from minio.error import S3Error

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import BucketSource
from nameplate.errors import UserError
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.ingest import ingest_source
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.bucket import Bucket
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.index import Index, Reading
from nameplate_ingest.sources.listed import opened_listing, sealed_listing
from nameplate_ingest.sources.objects import Objects
from nameplate_ingest.sources.source import Source
from nameplate_ingest.tables import Tables
from nameplate_ingest.workers import Workers

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


def index_of(source: Bucket) -> Index:
    """The index, as another process gets it."""
    reading = Reading(source.place, Pseudonyms(KEY))
    with Workers(0, reading) as alone:
        return opened_listing(sealed_listing(source.index(reading, alone), KEY), KEY)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What was asked of objects: key, first byte and count."""
    asked: list[tuple[str, int, int]] = []
    blocks = Objects._blocks

    def noted(self: Objects, listed: Any, start: int, count: int) -> Any:
        asked.append((listed.key, start, count))
        return blocks(self, listed, start, count)

    monkeypatch.setattr(Objects, "_blocks", noted)
    return asked


def test_headers_are_asked_for_in_parts_and_once(
    account: Any, folder: Any, make_series: Any, tmp_path: Path, requests: list[tuple[str, int, int]]
) -> None:
    for study in ("1.2.3.1", "1.2.3.2"):
        folder.add(*make_series(study=study, series=f"{study}.1", count=4, size=(256, 256)))
    files = tree(folder.path)
    put(account, {f"parts/{name}": data for name, data in files.items()})
    source = bucket(account, "parts")
    index = index_of(source)
    assert sorted(requests) == [(f"parts/{name}", 0, 1 << 14) for name in sorted(files)]
    requests.clear()
    (scratch := tmp_path / "scratch").mkdir()
    with pickle.loads(pickle.dumps(source)).slices("1.2.3.2", index.studies["1.2.3.2"], scratch) as slices:
        got = sorted(slice_.path.read_bytes() for slice_ in slices)
    own = sorted(files)[4:]
    assert got == [files[name] for name in own]
    assert sorted(requests) == [(f"parts/{name}", 0, len(files[name])) for name in own]
    assert sorted(path.name for path in scratch.iterdir()) == [f"{number:06d}" for number in range(4)]


def test_a_zip_in_a_bucket_is_asked_for_in_parts(
    account: Any, folder: Any, make_series: Any, tmp_path: Path, requests: list[tuple[str, int, int]]
) -> None:
    for study in ("1.2.3.1", "1.2.3.2"):
        folder.add(*make_series(study=study, series=f"{study}.1", count=12, size=(256, 256)))
    files = tree(folder.path)
    for form in ("zip, stored", "tar"):
        data = FORMS[form](files)
        put(account, {f"zipped-{form[:3]}/all": data})
        source = bucket(account, f"zipped-{form[:3]}")
        requests.clear()
        index = index_of(source)
        assert sum(count for _, _, count in requests) < 0.25 * len(data)
        requests.clear()
        (scratch := tmp_path / form).mkdir()
        with source.slices("1.2.3.2", index.studies["1.2.3.2"], scratch) as slices:
            assert len({slice_.path.read_bytes() for slice_ in slices}) == 12
        assert sum(count for _, _, count in requests) < 0.6 * len(data)


ODD = (
    *("a//b", "/a", "a/./b", "a/../b", "../../a", "a/", "ü^ö/\u30c6", "a b+c%2F%20", "a\\b", "x?y#z&k=v"),
    "n" * 200,
)


def test_keys_of_any_kind_are_read(account: Any, folder: Any, make_series: Any, tmp_path: Path) -> None:
    """As far as this server keeps them; what it does not is in test_objects.py."""
    folder.add(*make_series(count=len(ODD)))
    kept = {}
    for key, data in zip(ODD, tree(folder.path).values(), strict=True):
        try:
            put(account, {f"odd/{key}": data})
        except (S3Error, ValueError):
            continue
        kept[key] = data
    assert {"ü^ö/\u30c6", "a b+c%2F%20", "x?y#z&k=v"} <= kept.keys()
    stored = {
        row.object_name.removeprefix("odd/")
        for row in account.client.list_objects(bucket_name="bias", prefix="odd/", recursive=True)
    }
    source = bucket(account, "odd")
    index = index_of(source)
    assert index.studies["1.2.3.1"].files == len(stored)
    (scratch := tmp_path / "scratch").mkdir()
    with source.slices("1.2.3.1", index.studies["1.2.3.1"], scratch) as slices:
        assert {slice_.path.read_bytes() for slice_ in slices} <= set(kept.values())
        assert len({slice_.path for slice_ in slices}) == len(stored)


@pytest.mark.parametrize("form", [None, "zip", "tar.gz"])
def test_an_object_that_changed_or_went_away(
    account: Any, studies: Path, tmp_path: Path, form: str | None
) -> None:
    files = tree(studies)
    prefix = f"changing-{form}"
    whole = files if form is None else {"all": FORMS[form](files)}
    put(account, {f"{prefix}/{name}": data for name, data in whole.items()})
    source = bucket(account, prefix)
    index = index_of(source)
    (scratch := tmp_path / "scratch").mkdir()
    key = f"{prefix}/CT0002/004" if form is None else f"{prefix}/all"
    put(account, {key: b"another one"})
    with (
        pytest.raises(Refused, match="source-changed"),
        source.slices("1", index.studies["1.2.3.2"], scratch),
    ):
        pass
    account.client.remove_object(bucket_name="bias", object_name=key)
    with pytest.raises(Refused, match="source-gone"), source.slices("1", index.studies["1.2.3.2"], scratch):
        pass
    if form is None:
        with source.slices("1", index.studies["1.2.3.1"], scratch) as slices:
            assert len(slices) == 30


def test_an_object_that_goes_away_while_it_is_listed_is_a_row(
    account: Any, studies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(account, {f"going/{name}": data for name, data in tree(studies).items()})
    listed = Objects.listed

    def then_gone(self: Objects) -> Any:
        rows = list(listed(self))
        account.client.remove_object(bucket_name="bias", object_name="going/CT0001/003.dcm")
        return iter(rows)

    monkeypatch.setattr(Objects, "listed", then_gone)
    index = index_of(bucket(account, "going"))
    assert {(stray.rule, count) for stray, count in index.strays.items()} == {
        ("source-gone", 1),
        ("not-dicom", 1),
    }
    assert index.studies["1.2.3.1"].files == 29


def test_an_empty_prefix_is_the_users_mistake(account: Any) -> None:
    with pytest.raises(UserError, match="no objects below the prefix"):
        index_of(bucket(account, "nothing-here"))
