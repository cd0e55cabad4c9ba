"""Settings of zip and tar archives of DICOM files."""

from typing import ClassVar, Literal

from nameplate.campaign.sources.source import AnySource


class ArchiveSource(AnySource):
    """DICOM files in archives, read where they are: .zip, .tar, .tar.gz, .tgz, .tar.zst."""

    paths: ClassVar[tuple[str, ...]] = ("path",)
    hidden: ClassVar[tuple[str, ...]] = ("path",)
    kind: Literal["archive"] = "archive"
    path: str
    """An archive, or a folder of archives at any depth, relative to the campaign file."""

    @property
    def summary(self) -> str:
        """What it is."""
        return f"archive {self.path}"
