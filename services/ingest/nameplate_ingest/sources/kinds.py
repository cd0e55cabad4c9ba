"""The one place that names the kinds of sources: from settings to what reads them."""

from nameplate.campaign.cohort_source import CohortSource
from nameplate.campaign.sources import (
    ArchiveSource,
    BucketSource,
    DicomwebSource,
    DimseSource,
    FolderSource,
    VolumesSource,
)
from nameplate_ingest.sources.source import Source


def open_source(cohort: CohortSource) -> Source:
    """The source of a cohort; nothing is asked of it yet. What one kind needs is imported for it alone."""
    match cohort.settings:
        case FolderSource():
            from nameplate_ingest.sources.folder import Folder

            return Folder(cohort.path("path"))
        case DicomwebSource() as settings:
            from nameplate_ingest.sources.dicomweb import Dicomweb

            return Dicomweb(settings)
        case DimseSource() as settings:
            from nameplate_ingest.sources.dimse import Dimse

            return Dimse(settings)
        case ArchiveSource():
            from nameplate_ingest.sources.archive import Archive

            return Archive(cohort.path("path"))
        case BucketSource():
            from nameplate_ingest.sources.bucket import Bucket

            return Bucket(cohort.settings)
        case VolumesSource() as settings:
            from nameplate_ingest.sources.volumes import Volumes

            return Volumes(cohort.path("path"), cohort.path("table"), settings, cohort.fields)
        case _:
            raise NotImplementedError(cohort.settings.kind)
