"""DICOMweb services that page in ways of their own, answer rubbish, or send us elsewhere."""

import gzip
import json
import logging
import resource
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.services.ingest.web_pacs import Answer, Listed, WebPacs, multipart, multipart_type, serving

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import DicomwebSource
from nameplate.errors import NameplateError, TryAgain, UserError
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.ingest import ingest_folder, ingest_source
from nameplate_ingest.sources import dicomweb, web_session
from nameplate_ingest.sources.account import account_of
from nameplate_ingest.sources.dicomweb import Dicomweb
from nameplate_ingest.sources.index import Index, Reading
from nameplate_ingest.workers import Workers

KEY = b"a key for these tests"
SMALL = IngestSettings(matrix=64)
TOKEN = "token-Gjkmpqvw"


def source_of(pacs: WebPacs, patience_s: float = 0.5, **settings: Any) -> Dicomweb:
    asked = {"since": "2019-01-01", "until": "2019-12-31", "timeout_s": 5} | settings
    return Dicomweb(DicomwebSource(url=pacs.url, **asked), patience_s)


def listed(source: Dicomweb, progress: Callable[[int], None] | None = None) -> Index:
    reading = Reading(source.place, Pseudonyms(KEY))
    with Workers(0, reading) as alone:
        return source.index(reading, alone, progress)


@pytest.fixture
def pacs() -> Iterator[WebPacs]:
    with serving(WebPacs({})) as one:
        yield one


@pytest.fixture
def head(folder: Any, make_series: Any) -> tuple[str, list[Path]]:
    """A study's UID and files."""
    folder.add(*make_series())
    return "1.2.3.1", sorted(folder.path.iterdir())


def fill(pacs: WebPacs, count: int, days: int = 365, modalities: tuple[str, ...] = ("CT",)) -> set[str]:
    """Studies of 2019 without files; returns the UIDs of those with CT."""
    first = date(2019, 1, 1)
    for number in range(count):
        day = f"{first + timedelta(days=number % days):%Y%m%d}"
        modality = modalities[number % len(modalities)]
        pacs.studies[f"1.2.{number + 1}"] = Listed(day, modalities=(modality,), images=30)
    return {uid for uid, one in pacs.studies.items() if "CT" in one.modalities}


@pytest.mark.parametrize("longest", [10_000, 200, 50])
@pytest.mark.parametrize("ignores_offset", [False, True])
@pytest.mark.parametrize("drops", [False, True])
def test_every_study_is_listed_once_however_a_service_pages(
    pacs: WebPacs, longest: int, ignores_offset: bool, drops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicomweb, "_PAGE", 200)
    pacs.longest, pacs.ignores_offset, pacs.drops = longest, ignores_offset, drops
    wanted = fill(pacs, 3000, days=100, modalities=("CT", "MR", "SR"))
    seen: list[int] = []
    assert listed(source_of(pacs, patience_s=60), seen.append).studies.keys() == wanted
    assert seen[-1] == len(wanted)
    assert seen == sorted(seen)


@pytest.mark.parametrize("drops", [False, True])
def test_a_day_with_more_than_a_page_is_read_page_by_page(
    pacs: WebPacs, drops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicomweb, "_PAGE", 8)
    pacs.drops = drops
    wanted = fill(pacs, 90, days=2, modalities=("CT", "CT", "CT", "MR"))
    assert listed(source_of(pacs, patience_s=60)).studies.keys() == wanted
    pacs.ignores_offset = True
    with pytest.raises(UserError, match="does not list all studies of one day"):
        listed(source_of(pacs))


def test_a_service_that_filters_nothing_is_filtered_here(pacs: WebPacs) -> None:
    wanted = fill(pacs, 60, modalities=("CT", "MR"))
    pacs.ignores_filters = True
    pacs.studies["9.9"] = Listed("20180101", images=30)
    assert listed(source_of(pacs, patience_s=60)).studies.keys() == wanted


def test_no_name_and_no_date_of_birth_is_asked_for(pacs: WebPacs) -> None:
    fill(pacs, 3)
    listed(source_of(pacs, match={"StudyDescription": "*"}))
    asked = {name for _, query, _ in pacs.asked for name in (*query, *query.get("includefield", ()))}
    assert asked == {
        *("StudyDate", "ModalitiesInStudy", "StudyDescription", "StudyInstanceUID", "limit", "offset"),
        *("includefield", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    }


def test_a_study_without_a_uid_is_a_row_and_no_study(pacs: WebPacs) -> None:
    fill(pacs, 3)
    pacs.studies["../../1"] = Listed("20190101", images=30)
    index = listed(source_of(pacs))
    assert len(index.studies) == 3
    assert [(stray.rule, count) for stray, count in index.strays.items()] == [("no-study", 1)]


def test_the_digest_of_a_study_changes_with_what_is_listed_of_it(pacs: WebPacs) -> None:
    fill(pacs, 2)
    before = {uid: one.digest(KEY) for uid, one in listed(source_of(pacs)).studies.items()}
    again = {uid: one.digest(KEY) for uid, one in listed(source_of(pacs)).studies.items()}
    assert before == again
    pacs.studies["1.2.1"] = Listed("20190101", images=31)
    after = {uid: one.digest(KEY) for uid, one in listed(source_of(pacs)).studies.items()}
    assert [uid for uid in before if before[uid] != after[uid]] == ["1.2.1"]


def _always(status: int, body: bytes = b"", **headers: str) -> Callable[[str], Answer]:
    return lambda path: (status, {name.replace("_", "-"): text for name, text in headers.items()}, body)


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (_always(200, b"<html>Log in, Zebulonius</html>"), UserError, "is no DICOM JSON: is this the base"),
        (_always(200, b'{"error": "Zebulonius"}'), UserError, None),
        (_always(200, b'["Zebulonius"]'), UserError, "is no DICOM JSON"),
        (_always(200, b"7"), UserError, "is no DICOM JSON"),
        (_always(404, b"Zebulonius"), UserError, "is no DICOM JSON: is this the base"),
        (_always(400, b"Zebulonius"), UserError, "does not understand the query"),
        (_always(401), UserError, "NAMEPLATE_SOURCE_TOKEN"),
        (_always(403), UserError, "NAMEPLATE_SOURCE_PASSWORD"),
        (_always(503, b"Zebulonius"), TryAgain, "cannot answer now .503."),
        (_always(429, Retry_After="3600"), TryAgain, "cannot answer now .429."),
        (_always(302, Location="http://127.0.0.1:1/login"), UserError, "leads to another server"),
        (_always(302, Location="https://elsewhere.example/"), UserError, "leads to another server"),
        (_always(200, b"not gzip", Content_Encoding="gzip"), TryAgain, "does not answer"),
        (_always(204), UserError, "no study matches: 0 are listed"),
        (_always(200, b"[]"), UserError, "no study matches: 0 are listed"),
    ],
)
def test_each_wrong_answer_is_one_line_that_says_what_to_do(
    pacs: WebPacs, answer: Callable[[str], Answer], kind: type[NameplateError], told: str | None
) -> None:
    pacs.answer = answer
    with pytest.raises(kind, match=told) as error:
        listed(source_of(pacs))
    assert "\n" not in str(error.value)
    assert "Zebulonius" not in str(error.value)


def test_who_is_asked_to_wait_waits_and_who_is_asked_for_too_long_comes_again_later(pacs: WebPacs) -> None:
    fill(pacs, 3)
    answers = iter([(503, {}, b""), (429, {"Retry-After": "2"}, b""), (502, {}, b"")])
    pacs.answer = lambda path: next(answers, None)
    assert len(listed(source_of(pacs, patience_s=60)).studies) == 3


def test_a_longer_answer_than_can_be_held_is_refused(pacs: WebPacs, monkeypatch: pytest.MonkeyPatch) -> None:
    from nameplate_ingest.sources import web_session

    monkeypatch.setattr(web_session, "_LONGEST_LISTING", 1000)
    bomb = gzip.compress(b"[" + b" " * 10_000_000 + b"]")
    pacs.answer = lambda path: (200, {"Content-Encoding": "gzip"}, bomb)
    with pytest.raises(UserError, match="a smaller window_days"):
        listed(source_of(pacs))


def test_credentials_go_to_the_service_and_nowhere_else(
    pacs: WebPacs, monkeypatch: Any, tmp_path: Path
) -> None:
    fill(pacs, 1)
    monkeypatch.setenv("NAMEPLATE_SOURCE_TOKEN", TOKEN + "\n")
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(WebPacs({})) as other:
        target = other.url.replace("/dicom-web", "/stolen")
        pacs.answer = lambda path: (307, {"Location": target}, b"")
        with pytest.raises(UserError, match="leads to another server"):
            listed(source_of(pacs))
        assert other.asked == []
    pacs.answer = lambda path: (307, {"Location": "/dicom-web/studies/"}, b"") if path == pacs_path else None
    pacs_path = "/dicom-web/studies"
    with pytest.raises(NameplateError):
        listed(source_of(pacs))
    sent = {headers.get("Authorization") for _, _, headers in pacs.asked}
    assert sent == {f"Bearer {TOKEN}"}
    # Without one of ours none is sent, also where another program keeps one for this host.
    monkeypatch.delenv("NAMEPLATE_SOURCE_TOKEN")
    pacs.answer = lambda path: None
    pacs.asked.clear()
    listed(source_of(pacs))
    assert {headers.get("Authorization") for _, _, headers in pacs.asked} == {None}


@pytest.mark.parametrize(
    ("url", "token", "told"),
    [
        ("http://pacs.example.org/", TOKEN, 1),
        ("https://pacs.example.org/", TOKEN, 0),
        ("http://pacs.example.org/", "", 0),
        ("http://127.0.0.1:80/", TOKEN, 0),
    ],
)
def test_who_logs_in_without_encryption_is_told_so_once(
    url: str, token: str, told: int, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    web_session._tell_of_plain.cache_clear()
    monkeypatch.setenv("NAMEPLATE_SOURCE_TOKEN", token)
    for _ in range(2):
        with web_session.session_of(account_of(None), url):
            pass
    assert caplog.text.count("unencrypted") == told
    assert TOKEN not in caplog.text


def test_a_study_without_end_is_refused(
    one: WebPacs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nameplate_ingest.sources.arrivals.MOST_OF_A_STUDY", 50_000)
    assert ingested(one, tmp_path / "out") == [("too-large", "a study of more than 0 GiB")]


@pytest.mark.parametrize("token", ["gjkm pqvw", "gjkm\npqvw", "gjkmpqvé"])
def test_a_token_that_is_none_is_not_shown(
    pacs: WebPacs, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMEPLATE_SOURCE_PACS_TOKEN", token)
    with pytest.raises(UserError, match="NAMEPLATE_SOURCE_PACS_TOKEN: holds") as error:
        listed(source_of(pacs, account="pacs"))
    assert "gjkm" not in str(error.value)
    monkeypatch.setenv("NAMEPLATE_SOURCE_PACS_TOKEN", "x")
    monkeypatch.setenv("NAMEPLATE_SOURCE_PACS_USERNAME", "x")
    monkeypatch.setenv("NAMEPLATE_SOURCE_PACS_PASSWORD", "x")
    with pytest.raises(UserError, match="give one of them"):
        listed(source_of(pacs, account="pacs"))


def ingested(pacs: WebPacs, out: Path, **settings: Any) -> list[tuple[str, str]]:
    """The rows of the ledger by rule and what was seen."""
    ingest_source(source_of(pacs, **settings), out, SMALL, key=KEY)
    rows = [json.loads(line) for line in (out / "ledger.jsonl").read_text().splitlines()]
    return [(row["rule"], row["seen"]) for row in rows]


@pytest.fixture
def one(pacs: WebPacs, head: tuple[str, list[Path]]) -> WebPacs:
    """A service with one study of 30 images."""
    pacs.studies[head[0]] = Listed("20190304", head[1])
    return pacs


def _images(pacs: WebPacs, answer: Callable[[list[bytes]], Answer]) -> Callable[[str], Answer | None]:
    files = [file.read_bytes() for one in pacs.studies.values() for file in one.files]
    return lambda path: answer(files) if "/studies/" in path else None


def _parts(*parts: bytes) -> Answer:
    return 200, multipart_type(), multipart(parts)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (lambda files: _parts(*files, *files[:7]), "chosen"),  # some twice
        (lambda files: _parts(*files, files[0].replace(b"1.2.3.1\0", b"1.2.3.7\0")), "chosen"),  # of another
        (lambda files: _parts(*files[1:]), "30 images were listed, 29 came"),
        (lambda files: _parts(*files, files[0].replace(b"1.2.3.1.1.1\0", b"1.2.3.1.1.99")), "30 images were"),
        (lambda files: _parts(), "30 images were listed, none came"),
        (lambda files: (204, {}, b""), "30 images were listed, none came"),
        (lambda files: (404, {}, b""), "the PACS has no such study now"),
        (lambda files: (410, {}, b""), "the PACS has no such study now"),
    ],
)
def test_images_that_come_are_counted_once_and_of_this_study_alone(
    one: WebPacs, tmp_path: Path, answer: Callable[[list[bytes]], Answer], seen: str
) -> None:
    one.answer = _images(one, answer)
    (row,) = ingested(one, tmp_path / "out")
    assert seen in row[0] + row[1]
    if seen == "chosen":
        ingest_folder(one.studies["1.2.3.1"].files[0].parent, tmp_path / "folder", SMALL, key=KEY)
        for name in ("exams.jsonl", "as-read.jsonl"):
            assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "folder" / name).read_bytes()


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (lambda files: (200, {"Content-Type": "text/html"}, b"<p>"), UserError, "no images, but text/html"),
        (lambda files: (200, {"Content-Type": "x/Zebulonius"}, b""), UserError, "no images, but rubbish"),
        (lambda files: (200, {}, b""), UserError, "holds no images"),
        (lambda files: (500, {}, b""), TryAgain, "cannot answer now"),
        (lambda files: (405, {}, b""), UserError, "does not serve images"),
        (lambda files: (200, multipart_type(), multipart(files)[:-20]), TryAgain, "ended before all images"),
        (
            lambda files: (200, multipart_type() | {"Content-Length": "10000000"}, multipart(files)[:-20]),
            TryAgain,
            "does not answer",
        ),
    ],
)
def test_an_answer_that_is_no_images_ends_the_ingest(
    one: WebPacs, tmp_path: Path, answer: Any, kind: type[NameplateError], told: str
) -> None:
    one.answer = _images(one, answer)
    with pytest.raises(kind, match=told):
        ingested(one, tmp_path / "out")


def test_an_answer_that_was_cut_short_is_asked_for_again_and_leaves_nothing_behind(
    one: WebPacs, tmp_path: Path
) -> None:
    cuts = iter([5000, 50_000])

    def answer(files: list[bytes]) -> Answer:
        return 200, multipart_type(), multipart(files)[: next(cuts, None)]

    one.answer = _images(one, answer)
    assert [rule for rule, _ in ingested(one, tmp_path / "out", patience_s=60)] == ["chosen"]
    assert one.fetched == ["1.2.3.1"] * 3


def test_one_image_that_is_not_in_parts_and_a_service_that_does_not_know_as_stored(
    one: WebPacs, head: tuple[str, list[Path]], tmp_path: Path
) -> None:
    asked: list[str] = []

    def answer(path: str) -> Answer | None:
        if "/studies/" not in path:
            return None
        asked.append(one.asked[-1][2]["Accept"])
        return (406, {}, b"") if "transfer-syntax" in asked[-1] else None

    one.answer = answer
    assert [rule for rule, _ in ingested(one, tmp_path / "a")] == ["chosen"]
    assert ["transfer-syntax=*" in accept for accept in asked] == [True, False]

    one.studies[head[0]] = Listed("20190304", head[1][:1])
    one.answer = _images(one, lambda files: (200, {"Content-Type": "application/dicom"}, files[0]))
    assert [rule for rule, _ in ingested(one, tmp_path / "b")] == ["coverage"]


def test_a_file_that_cannot_be_read_is_a_row_as_it_is_from_a_folder(
    one: WebPacs, head: tuple[str, list[Path]], tmp_path: Path
) -> None:
    broken = head[1][0].parent / "zz"
    broken.write_bytes(b"Zebulonius" * 100)
    one.studies[head[0]] = Listed("20190304", [*head[1], broken])
    rows = ingested(one, tmp_path / "out")
    ingest_folder(broken.parent, tmp_path / "folder", SMALL, key=KEY)
    from_folder = (tmp_path / "folder" / "ledger.jsonl").read_bytes()
    assert (tmp_path / "out" / "ledger.jsonl").read_bytes() == from_folder
    assert len(rows) == 2

    one.studies[head[0]] = Listed("20190304", [broken])
    assert ingested(one, tmp_path / "none") == [("unreadable", "none of 1 images can be read")]


def test_where_the_number_of_images_is_not_told_they_are_counted_and_else_taken_as_they_come(
    one: WebPacs, head: tuple[str, list[Path]], tmp_path: Path
) -> None:
    one.studies[head[0]] = Listed("20190304", head[1], images=0)
    assert listed(source_of(one)).studies[head[0]].files == 0
    assert [rule for rule, _ in ingested(one, tmp_path / "out")] == ["chosen"]
    instances = [{"00080018": {"vr": "UI", "Value": [f"1.2.{n}"]}} for n in range(30)]
    counted = json.dumps(instances).encode()
    one.answer = lambda path: (200, {}, counted) if path.endswith("/instances") else None
    assert listed(source_of(one)).studies[head[0]].files == 30


def test_no_more_go_on_at_once_than_allowed_and_at_the_rate(pacs: WebPacs, tmp_path: Path) -> None:
    fill(pacs, 6)
    pacs.slow_s = 0.2
    limits = {"at_once": 2, "studies_per_hour": 7200}
    source = source_of(pacs, limits=limits, patience_s=60)
    begin = time.monotonic()
    ingest_source(source, tmp_path / "out", SMALL, key=KEY, workers=4)
    assert len(pacs.fetched) == 6
    assert pacs.most_at_once <= 2
    # One study a second in each of two lanes, none before its second has passed: a slow machine adds to it.
    for number, at in enumerate(sorted(pacs.fetched_at)):
        assert at - begin >= number // 2 + 1


def test_five_thousand_studies_are_listed_within_little_memory(pacs: WebPacs) -> None:
    fill(pacs, 5000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(listed(source_of(pacs, patience_s=60)).studies) == 5000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10


@pytest.mark.parametrize(
    ("wrong", "told", "workers"),
    [
        ((500, {}, b""), r"\(500\)", 1),
        ((500, {}, b""), r"\(500\)", 2),
        ((403, {}, b""), r"\(403\)", 1),
        ((200, multipart_type(), multipart([b"x" * 5000])[:1000]), "ended before all images had come", 1),
        ((200, multipart_type() | {"Content-Length": "5000"}, b"\r\n"), r"does not answer \(cut short\)", 1),
    ],
)
def test_a_study_that_fails_at_the_service_holds_up_no_other(
    pacs: WebPacs, make_series: Any, tmp_path: Path, wrong: Answer, told: str, workers: int
) -> None:
    for number in range(3):
        one = tmp_path / "studies" / str(number)
        one.mkdir(parents=True)
        for index, image in enumerate(make_series(study=f"1.2.3.{number}", PatientID=str(number))):
            image.save_as(one / str(index), enforce_file_format=True)
        pacs.studies[f"1.2.3.{number}"] = Listed("20190304", sorted(one.iterdir()))
    out, limits = tmp_path / "out", {"at_once": workers}
    pacs.answer = lambda path: wrong if path.endswith("studies/1.2.3.0") else None
    with pytest.raises(TryAgain, match=f"{told}: 1 of 3 studies did not come"):
        ingest_source(source_of(pacs, limits=limits), out, SMALL, key=KEY, workers=workers, resumable=True)
    pacs.answer = lambda path: None
    pacs.asked.clear()
    source = source_of(pacs, limits=limits)
    summary = ingest_source(source, out, SMALL, key=KEY, workers=workers, resumable=True)
    assert (summary.exams, summary.earlier) == (3, 2)
    assert pacs.fetched == ["1.2.3.0"]
    pacs.answer = lambda path: (503, {}, b"") if "/studies/" in path else None
    pacs.asked.clear()
    with pytest.raises(TryAgain, match=r"cannot answer now \(503\); the same command"):
        ingest_source(source, tmp_path / "busy", SMALL, key=KEY)
    assert len(set(pacs.fetched)) == 1


def test_nothing_of_a_study_is_logged(one: WebPacs, tmp_path: Path, caplog: Any, monkeypatch: Any) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("NAMEPLATE_SOURCE_TOKEN", TOKEN)
    answers = iter([(503, {}, b""), None, None])
    one.answer = lambda path: next(answers, None)
    ingested(one, tmp_path / "out", patience_s=60)
    assert "did not answer" in caplog.text
    for secret in (TOKEN, "1.2.3.1", "Zebulonius", "20190304", "PATIENTKEY77", one.url):
        assert secret not in caplog.text
