"""Settings of a PACS that speaks DICOMweb."""

from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from nameplate.campaign.sources.query import QuerySource
from nameplate.campaign.sources.source import unshown


class DicomwebSource(QuerySource):
    """Studies found by QIDO-RS and fetched by WADO-RS."""

    hidden: ClassVar[tuple[str, ...]] = ("url", "account")
    kind: Literal["dicomweb"] = "dicomweb"
    url: Annotated[
        str,
        unshown(
            r"https?://[^\s@?#]+",
            "http(s)://HOST/BASE, without a name or password, which the environment has",
        ),
    ]
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
