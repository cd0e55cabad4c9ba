"""Settings of a folder of DICOM files."""

from typing import ClassVar, Literal

from nameplate.campaign.sources.source import AnySource


class FolderSource(AnySource):
    """DICOM files of any name, at any depth."""

    paths: ClassVar[tuple[str, ...]] = ("path",)
    hidden: ClassVar[tuple[str, ...]] = ("path",)
    kind: Literal["folder"] = "folder"
    path: str
    """The folder, relative to the campaign file."""

    @property
    def summary(self) -> str:
        """What it is."""
        return f"folder {self.path}"
