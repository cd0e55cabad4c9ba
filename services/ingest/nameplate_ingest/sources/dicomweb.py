"""A PACS that speaks DICOMweb: found by QIDO-RS, fetched by WADO-RS."""

from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from email.message import Message
from typing import Any

from dicomweb_client import DICOMwebClient
from pydicom.datadict import tag_for_keyword

from nameplate.campaign.sources import DicomwebSource
from nameplate.errors import UserError
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.account import account_of
from nameplate_ingest.sources.answers import count_in_json, texts_in_json
from nameplate_ingest.sources.arrivals import Arrivals
from nameplate_ingest.sources.entry import Entry, date_range, filters_of, may_be_cut
from nameplate_ingest.sources.facts import SeriesFacts
from nameplate_ingest.sources.facts_dicomweb import SERIES_FIELDS, series_facts
from nameplate_ingest.sources.multipart import parts_of
from nameplate_ingest.sources.pacs import Pacs, TooMany
from nameplate_ingest.sources.patience import PATIENCE_S, RefusedForNow
from nameplate_ingest.sources.web_session import Forbidden, NotServed, WebSession, pieces_of, session_of

_PAGE = 1000
_RUBBISH = "source.url: the answer is no DICOM JSON: is this the base of a DICOMweb service?"
_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_AS_SERVED = 'multipart/related; type="application/dicom"'
_UID, _DATE, _MODALITIES, _SERIES, _IMAGES = "0020000D", "00080020", "00080061", "00201206", "00201208"
_FIELDS = (
    *("StudyInstanceUID", "StudyDate", "ModalitiesInStudy"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
)


class Dicomweb(Pacs):
    """Its addresses are made here from the base: what a server says of itself may lack a port."""

    def __init__(self, settings: DicomwebSource, patience_s: float = PATIENCE_S) -> None:
        url = settings.url.rstrip("/")
        super().__init__(settings, url, patience_s)
        self._url, self._settings = url, settings

    @contextmanager
    def connected(self) -> Iterator[WebSession]:
        """A session with what the environment has for us."""
        with session_of(account_of(self._settings.account), self._url) as session:
            yield session

    def listed(self, begin: date, end: date) -> list[Entry]:
        """Studies of some days.

        A page is never trusted to be followed by the next: Orthanc drops studies from the second on when a
        modality is asked for, and there are servers that give the same page again, or shorter ones than asked
        for. So what does not fit in one is asked for in shorter spans, and one day without the modality.
        """
        asked = filters_of(self._settings) | {"StudyDate": date_range(begin, end)}
        with self.connected() as session:
            of_modality = asked | {"ModalitiesInStudy": self._settings.modality}
            found = {entry.uid: entry for entry in self._page(session, of_modality, 0)}
            more = session.more or len(found) >= _PAGE or may_be_cut(len(found))
            if found and not more:
                following = self._page(session, of_modality, len(found))
                more = any(entry.uid not in found for entry in following) or bool(following and begin != end)
            if not more:
                return list(found.values())
            if begin != end:
                raise TooMany
            return self._pages(session, asked)

    def _pages(self, session: WebSession, asked: dict[str, str]) -> list[Entry]:
        found: dict[str, Entry] = {}
        read = 0
        while page := self._page(session, asked, read):
            fresh = {entry.uid: entry for entry in page if entry.uid not in found}
            if not fresh:
                raise TooMany  # the same page again
            found |= fresh
            read += len(page)
        return list(found.values())

    def _page(self, session: WebSession, asked: dict[str, str], offset: int) -> list[Entry]:
        fields = (*_FIELDS, *self._settings.match)
        return [
            self._entry(one)
            for one in self._ask(session, limit=_PAGE, offset=offset, fields=fields, search_filters=asked)
        ]

    def _ask(self, session: WebSession, level: str = "studies", **query: Any) -> list[dict[str, Any]]:
        """A search; UserError for an answer that is no list of data sets."""
        client = DICOMwebClient(self._url, session=session, timeout=self._settings.timeout_s)
        client.set_http_retry_params(retry=False)
        try:
            search = client.search_for_series if level == "series" else client.search_for_studies
            answer: Any = search(**query)
        except NotServed as error:
            if error.status in (400, 413, 414, 422):
                raise UserError(
                    f"source: the PACS does not understand the query ({error.status}): can it search for "
                    f"{', '.join(query['search_filters'])}?"
                ) from None
            raise UserError(f"{_RUBBISH} ({error.status})") from None
        except ValueError:
            raise UserError(_RUBBISH) from None
        if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
            raise UserError(_RUBBISH)
        return answer

    def _entry(self, told: dict[str, Any]) -> Entry:
        values = {name: tuple(texts_in_json(told, _tag(name))) for name in self._settings.match}
        return Entry(
            uid=next(texts_in_json(told, _UID), ""),
            date=next(texts_in_json(told, _DATE), ""),
            modalities=tuple(texts_in_json(told, _MODALITIES)),
            images=count_in_json(told, _IMAGES),
            series=count_in_json(told, _SERIES),
            values=values,
        )

    def series(self, begin: date, end: date, studies: Collection[str]) -> list[SeriesFacts]:  # noqa: ARG002
        """Series of some days, of all studies in one search."""
        asked = {"StudyDate": date_range(begin, end), "Modality": self._settings.modality}
        found: dict[str, SeriesFacts] = {}
        with self.connected() as session:
            while page := self._series_page(session, asked, len(found)):
                fresh = {one.series: one for one in page if one.series not in found}
                if (session.more or not fresh) and len(found) + len(fresh) >= _PAGE and begin != end:
                    raise TooMany  # it does not page, and may have more
                if not fresh:
                    break
                found |= fresh
        return list(found.values())

    def _series_page(self, session: WebSession, asked: dict[str, str], offset: int) -> list[SeriesFacts]:
        answer = self._ask(
            session, "series", limit=_PAGE, offset=offset, fields=SERIES_FIELDS, search_filters=asked
        )
        return [series_facts(one) for one in answer]

    def images_of(self, uid: str) -> int | None:
        """Counted one by one, by their UIDs alone."""
        found = 0
        with self.connected() as session:
            client = DICOMwebClient(self._url, session=session, timeout=self._settings.timeout_s)
            client.set_http_retry_params(retry=False)
            try:
                found = len(client.search_for_instances(uid, fields=["SOPInstanceUID"]))
            except (NotServed, ValueError, TypeError):
                return None
            return None if session.more else found or None

    def fetch(self, uid: str, arrivals: Arrivals) -> str:
        """All images of the study in one answer, as they are stored."""
        try:
            with (
                self.connected() as session,
                closing(_images(session, f"{self._url}/studies/{uid}", self._settings.timeout_s)) as parts,
            ):
                for part in parts:
                    arrivals.take(part)
        except Forbidden:
            raise RefusedForNow("source.url: does not let us have the study (403)") from None
        return ""


def _images(session: WebSession, url: str, timeout_s: float) -> Generator[Iterable[bytes]]:
    """The files of a study, each as pieces."""
    try:
        response = session.get(url, headers={"Accept": _AS_STORED}, stream=True, timeout=timeout_s)
    except NotServed as error:
        if error.status in (404, 410):
            raise Refused("source-gone", "the PACS has no such study now") from None
        if error.status not in (400, 406, 415):
            raise UserError(f"source.url: does not serve images ({error.status})") from None
        try:  # a server that does not know what "as stored" means
            response = session.get(url, headers={"Accept": _AS_SERVED}, stream=True, timeout=timeout_s)
        except NotServed as again:
            raise UserError(f"source.url: does not serve images ({again.status})") from None
    with response:
        if response.status_code == 204:
            return
        kind = Message()
        kind["Content-Type"] = response.headers.get("Content-Type", "")
        pieces = pieces_of(response, session.start)
        if kind.get_content_type() == "application/dicom":
            yield pieces
            return
        boundary = kind.get_boundary()
        if kind.get_content_type() != "multipart/related" or not boundary:
            raise UserError(f"source.url: the answer holds no images, but {_named(kind.get_content_type())}")
        yield from parts_of(pieces, boundary.encode())


def _named(kind: str) -> str:
    return kind if kind in ("text/html", "application/json", "application/zip", "text/plain") else "rubbish"


def _tag(keyword: str) -> str:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise UserError(f"source.match: {keyword!r} is no DICOM keyword")
    return f"{tag:08X}"
