"""Settings of a PACS that speaks DICOMweb."""

import re
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator

from nameplate.campaign.sources.query import QuerySource


def _is_address(url: str) -> str:
    """Refuse what is no plain address, without showing it: there may be a password in it."""
    if not re.fullmatch(r"https?://[^\s@?#]+", url):
        raise ValueError(
            "expected http(s)://HOST/BASE, without a name or password, which the environment has"
        )
    return url


class DicomwebSource(QuerySource):
    """Studies found by QIDO-RS and fetched by WADO-RS."""

    hidden: ClassVar[tuple[str, ...]] = ("url", "account")
    kind: Literal["dicomweb"] = "dicomweb"
    url: Annotated[str, AfterValidator(_is_address)]
    """The service's base, as https://pacs.example.org/dicom-web; what it takes to log in is in the
    environment."""

    @property
    def server(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc.lower()

    @property
    def summary(self) -> str:
        """What it is."""
        return f"DICOMweb {self.url}, {self.since} to {self.until}"
