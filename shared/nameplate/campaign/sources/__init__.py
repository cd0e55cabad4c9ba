"""The sources of exams by their ``kind``.

A new one is its module here, the one that reads it in the ingest service, and a line in the list of each.
"""

from typing import get_args

from nameplate.campaign.sources.archive import ArchiveSource
from nameplate.campaign.sources.bucket import BucketSource
from nameplate.campaign.sources.dicomweb import DicomwebSource
from nameplate.campaign.sources.dimse import DimseSource
from nameplate.campaign.sources.folder import FolderSource
from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.campaign.sources.source import AnySource
from nameplate.campaign.sources.volumes import VolumesSource

_Files = FolderSource | ArchiveSource | BucketSource | VolumesSource
_Asked = DicomwebSource | DimseSource
SourceSettings = PhantomSettings | _Files | _Asked
"""A tagged union: ``kind`` says which, and a field of another kind is an error."""
SOURCES: tuple[str, ...] = tuple(one.model_fields["kind"].default for one in get_args(SourceSettings))
"""As campaign files spell them."""

__all__ = [
    "SOURCES",
    "AnySource",
    "ArchiveSource",
    "BucketSource",
    "DicomwebSource",
    "DimseSource",
    "FolderSource",
    "PhantomSettings",
    "SourceSettings",
    "VolumesSource",
]
