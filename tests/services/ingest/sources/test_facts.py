"""What is told of series before images are fetched: by DICOM JSON, by C-FIND, and by a real PACS."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from tests.services.ingest.orthanc import Orthanc, orthanc, own_network
from tests.services.ingest.web_pacs import Answer, Listed, WebPacs, serving

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import DicomwebSource, DimseSource, PhantomSettings
from nameplate.errors import UserError
from nameplate_ingest.census.collect import Collected, collect, survey_of
from nameplate_ingest.dicom import tags
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.sources import dicomweb, facts_dimse
from nameplate_ingest.sources.dicomweb import Dicomweb
from nameplate_ingest.sources.dimse import Dimse
from nameplate_ingest.sources.facts import SeriesFacts
from nameplate_ingest.sources.facts_dicomweb import series_facts
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.index import Reading
from nameplate_ingest.sources.source import Source
from nameplate_phantom.simulation import write_cohort

PSEUDONYMS = Pseudonyms(b"a key for these tests")
STUDIES = 4


def element(*values: Any, vr: str = "LO") -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)}


def told(study: str, series: str, **more: dict[str, Any]) -> dict[str, Any]:
    return {"0020000D": element(study, vr="UI"), "0020000E": element(series, vr="UI"), **more}


def test_dicom_json() -> None:
    facts = series_facts(
        {
            **told("1.2", "1.2.3"),
            "00080008": element("ORIGINAL", "PRIMARY", "AXIAL", vr="CS"),
            "00100010": element({"Alphabetic": "Quax^Zebulonius", "Ideographic": "x"}, vr="PN"),
            "00180050": element(5.0, vr="DS"),
            "00181210": element("H31s ", vr="SH"),
            "00201209": element(30, vr="IS"),
            "00081090": {"vr": "LO"},
            "00080070": {"vr": "LO", "Value": [None]},
            "0008103E": "Head",
            "00280010": element(512, vr="US"),
        }
    )
    assert (facts.study, facts.series, facts.instances) == ("1.2", "1.2.3", 30)
    assert facts.texts == {
        "ImageType": "ORIGINAL\\PRIMARY\\AXIAL",
        "PatientName": "Quax^Zebulonius",
        "SliceThickness": "5.0",
        "ConvolutionKernel": "H31s",
        "Rows": "512",
    }
    assert facts.number("Rows") == 512
    assert facts.number("Columns") is None


@pytest.mark.parametrize("rubbish", [{}, {"0020000D": []}, {"00201209": element("many")}, {"00201209": 7}])
def test_rubbish_is_nothing_told(rubbish: dict[str, Any]) -> None:
    assert series_facts(rubbish) == SeriesFacts(study="", series="", texts={})


def test_c_find() -> None:
    answer = Dataset()
    answer.SeriesInstanceUID = "1.2.3"
    answer.ImageType = ["ORIGINAL", "PRIMARY"]
    answer.SliceThickness, answer.PatientName, answer.Rows = "2.5", "Quax^Zebulonius", 512
    answer.NumberOfSeriesRelatedInstances, answer.Manufacturer = "30", ""
    facts = facts_dimse.series_facts("1.2", answer)
    assert (facts.study, facts.series, facts.instances) == ("1.2", "1.2.3", 30)
    assert facts.texts == {
        "ImageType": "ORIGINAL\\PRIMARY",
        "SliceThickness": "2.5",
        "PatientName": "Quax^Zebulonius",
        "Rows": "512",
    }
    assert facts_dimse.series_query("1.2").StudyInstanceUID == "1.2"


def test_texts_are_read_as_a_header_is() -> None:
    """In their own character set, and without numbers that a header has in binary."""
    raw = SeriesFacts(study="1", series="2", texts={"SeriesDescription": "Schädel", "Rows": "512"}).raw()
    assert raw == {tags.DESCRIPTION: "Schädel".encode(), tags.CHARSET: b"ISO_IR 192"}


def test_nobody_is_in_its_repr() -> None:
    facts = SeriesFacts(study="1.2.3", series="1.2.3.4", texts={"PatientName": "Quax"}, instances=3)
    assert repr(facts) == "SeriesFacts(instances=3, size=None)"


# A service that pages as it likes


class SeriesPacs(WebPacs):
    """Also answers searches for series: one of each study."""

    def reply(self, path: str, query: dict[str, list[str]]) -> Answer:
        if path != "/dicom-web/series":
            return super().reply(path, query)
        first, last = query["StudyDate"][0].split("-")
        found = [
            told(uid, f"{uid}.1", **{"00080060": element("CT", vr="CS"), "00080020": element(one.date)})
            for uid, one in sorted(self.studies.items())
            if first <= one.date <= last
        ]
        offset = 0 if self.ignores_offset else int(query["offset"][0])
        page = found[offset : offset + min(self.longest, int(query["limit"][0]))]
        return 200, {"Content-Type": "application/dicom+json"}, json.dumps(page).encode()


@pytest.fixture
def web() -> Iterator[SeriesPacs]:
    days = {f"1.2.{day}": Listed(f"202301{day:02d}", images=30) for day in range(1, 21)}
    with serving(SeriesPacs(days)) as pacs:
        assert isinstance(pacs, SeriesPacs)
        yield pacs


def asked(pacs: WebPacs, **settings: Any) -> Dicomweb:
    days = {"since": "2023-01-01", "until": "2023-01-31"} | settings
    return Dicomweb(DicomwebSource(url=pacs.url, **days), patience_s=1)


def series_of(source: Source) -> list[str]:
    studies = dict.fromkeys(f"1.2.{day}" for day in range(1, 21))
    return sorted(facts.series for facts in source.facts(studies))


ALL = sorted(f"1.2.{day}.1" for day in range(1, 21))


@pytest.mark.parametrize("longest", [10_000, 7, 1])
@pytest.mark.parametrize("window_days", [31, 4])
def test_every_page_of_every_window(web: SeriesPacs, longest: int, window_days: int) -> None:
    web.longest = longest
    assert series_of(asked(web, window_days=window_days)) == ALL


def test_one_search_asks_for_many_studies(web: SeriesPacs) -> None:
    series_of(asked(web))
    assert len(web.asked) == 2  # a page, and the empty one behind it


def test_a_service_that_ignores_pages(web: SeriesPacs, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fits in a page is all there is; where a page is full, fewer days are asked for."""
    web.ignores_offset = True
    assert series_of(asked(web)) == ALL
    monkeypatch.setattr(dicomweb, "_PAGE", 8)
    assert series_of(asked(web)) == ALL


def test_html_in_place_of_an_answer(web: SeriesPacs) -> None:
    web.answer = lambda path: (200, {"Content-Type": "text/html"}, b"<html>log in</html>")
    web.reply = lambda path, query: web.answer(path) or (404, {}, b"")
    with pytest.raises(UserError, match="no DICOM JSON"):
        series_of(asked(web))


def test_days_of_the_question_alone_are_asked_for(web: SeriesPacs) -> None:
    found = asked(web).series(date(2023, 1, 3), date(2023, 1, 5), ())
    assert sorted(facts.study for facts in found) == ["1.2.3", "1.2.4", "1.2.5"]


# A real one


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies")
    write_cohort(PhantomSettings(exams=STUDIES, matrix=64, thin_mm=5.0), seed=3, cohort="study", out=folder)
    return folder


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, studies: Path) -> Iterator[Orthanc]:
    with own_network(), orthanc(tmp_path_factory.mktemp("full")) as server:
        files = [path for path in sorted(studies.rglob("*")) if path.is_file()]
        server.store(*(path for path in files if not path.name.startswith(".")))
        yield server


def looked_at(source: Source) -> Collected:
    return collect(source, survey_of(Reading(source.place, PSEUDONYMS), IngestSettings()), 1)


@pytest.mark.parametrize("way", ["web", "dimse"])
def test_a_pacs_tells_what_headers_tell(way: str, full: Orthanc, studies: Path) -> None:
    """The same choice and the same record, but for what only the places of images tell."""
    days: dict[str, Any] = {"since": "2010-01-01", "until": "2026-12-31", "window_days": 366}
    source: Source = Dicomweb(DicomwebSource(url=full.base, **days), 3)
    if way == "dimse":
        source = Dimse(DimseSource(host="127.0.0.1", port=full.dimse, called="ORTHANC", **days), 3)
    by_pacs, by_headers = looked_at(source), looked_at(Folder(studies))
    assert (by_pacs.headers, by_headers.headers) == (False, True)
    assert len(by_pacs.studies) == STUDIES
    exams = {study.exam.exam: study for study in by_pacs.studies if study.exam is not None}
    for study in by_headers.studies:
        assert study.exam is not None
        same = exams[study.exam.exam]
        assert same.exam is not None
        for name in ("manufacturer", "model", "kernel", "kernel_class", "thickness_mm", "age", "sex", "kvp"):
            assert same.exam.value_of(name) == study.exam.value_of(name), name
        assert (same.exam.patient, same.exam.source_slices) == (study.exam.patient, study.exam.source_slices)
        assert same.year == study.year
