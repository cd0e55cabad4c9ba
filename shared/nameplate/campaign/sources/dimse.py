"""Settings of a PACS that speaks the DICOM network protocol (DIMSE)."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from nameplate.campaign.sources.query import QuerySource

Title = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,14}[A-Za-z0-9]?$"


class DimseSource(QuerySource):
    """Studies found by C-FIND and fetched by C-GET or C-MOVE."""

    hidden: ClassVar[tuple[str, ...]] = ("host", "called", "calling", "account")
    kind: Literal["dimse"] = "dimse"
    host: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]*$")
    port: int = Field(default=104, ge=1, le=65535)
    called: str = Field(pattern=Title)
    """The PACS' AE title."""
    calling: str = Field(default="NAMEPLATE", pattern=Title)
    """Our own AE title, as the PACS knows it."""
    retrieve: Literal["get", "move"] = "get"
    """``get``: images come over our own connection. ``move``: the PACS connects to ``receive_port`` here, at
    the address that it has for our AE title."""
    receive_port: int = Field(default=11112, ge=1, le=65535)
    tls: bool = False
    """Whether both connections are encrypted, with certificates from the environment."""

    @model_validator(mode="after")
    def _one_receiver(self) -> Self:
        if self.retrieve == "move" and self.limits.at_once > 1:
            raise ValueError("retrieve: move sends every study to the same port: limits.at_once must be 1")
        return self

    @property
    def server(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}".lower()

    @property
    def summary(self) -> str:
        """What it is."""
        how = f"C-{self.retrieve.upper()}"
        return f"DIMSE {self.called}@{self.host}:{self.port} by {how}, {self.since} to {self.until}"
