"""One study of an ingest: its image, its record, the user's mask of it, and a row for what was refused."""

import hashlib
import logging
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import NameplateError
from nameplate.image.volume import Volume, nifti_bytes
from nameplate.steps.ingest import SOURCE_REFUSED, LedgerRow, Target
from nameplate.steps.measured import as_record
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.fields.table import with_fields
from nameplate_ingest.refusal import Refused
from nameplate_ingest.results.journal import Outcome
from nameplate_ingest.results.output import Output
from nameplate_ingest.sources.index import Reading, Study
from nameplate_ingest.sources.patience import RefusedForNow
from nameplate_ingest.sources.source import Source
from nameplate_ingest.target import target_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Conversion(Reading):
    """What reading and converting the studies needs to know."""

    source: Source = field(kw_only=True)
    settings: IngestSettings = field(kw_only=True)
    output: Output = field(kw_only=True)


def conversion_of(reading: Reading, source: Source, settings: IngestSettings, output: Output) -> Conversion:
    """With how the files are read, how studies are converted."""
    of_reading = {item.name: getattr(reading, item.name) for item in fields(Reading)}
    return Conversion(**of_reading, source=source, settings=settings, output=output)


@dataclass(frozen=True, slots=True)
class Work:
    """One study for one worker."""

    uid: str
    exam: str
    digest: str
    study: Study
    is_fetched: bool = False
    """Whether it is in its folder already."""


def convert(conversion: Conversion, work: Work) -> Outcome:
    """Ingest one study and write its image, and the user's mask on the image's grid."""
    pseudonyms, output = conversion.pseudonyms, conversion.output
    try:
        with output.scratch(work.exam, is_filled=work.is_fetched) as scratch:
            source, settings = conversion.source, conversion.settings
            ingested = source.ingested(work.uid, work.study, settings, pseudonyms, scratch)
        data = None if ingested.volume is None else nifti_bytes(ingested.volume)
        own = _own(work, ingested.volume, pseudonyms)
    except Refused as refused:
        logger.warning("a study could not be fetched", extra={"exam": work.exam, "reason": refused.seen})
        return failed(work, refused.seen, pseudonyms, rule=refused.rule)
    except RefusedForNow as error:
        logger.warning("the source does not give a study", extra={"exam": work.exam, "reason": error.told})
        return failed(work, error.told, pseudonyms, rule=SOURCE_REFUSED)
    except NameplateError:
        raise  # of the source or the disk: no other study could do better
    except Exception as error:
        # An unforeseen error costs one exam, not the run. Only its kind is reported: its text may contain
        # values of the patient.
        kind = type(error).__name__
        logger.error("a study could not be ingested", extra={"exam": work.exam, "error": kind})
        return failed(work, kind, pseudonyms)
    for name, picture in ingested.pictures:
        output.put(output.refused / f"{name}.png", picture)
    exam = with_fields(ingested.exam, work.study.told)
    image, as_read = None, None
    if ingested.exam is not None and ingested.as_read is not None:
        as_read = as_record(work.exam, "as read", ingested.as_read)
    if ingested.exam is not None and data is not None:
        output.put(output.folder / ingested.exam.image, data)
        image = hashlib.sha256(data).hexdigest()
    if own.data is not None:
        output.put(output.target(work.exam), own.data)
    return Outcome(
        study=work.exam,
        digest=work.digest,
        image=image,
        exam=exam,
        as_read=as_read,
        rows=(*ingested.rows, *own.rows),
        target=own.target,
        target_image=None if own.data is None else hashlib.sha256(own.data).hexdigest(),
    )


class _Own(NamedTuple):
    """What became of the user's mask of an exam; all empty where there is none."""

    target: Target | None = None
    data: bytes | None = None
    """The file, if the mask can be learned."""
    rows: tuple[LedgerRow, ...] = ()
    """Of a mask that was refused."""


def _own(work: Work, image: Volume | None, pseudonyms: Pseudonyms) -> _Own:
    if image is None or not work.study.masks.files:
        return _Own()
    try:
        mask = target_of(work.study.masks, image)
    except Refused as refused:
        row = LedgerRow(
            item="mask",
            id=pseudonyms.of("f", "mask", work.uid, work.study.masks.files[0].name),
            exam=work.exam,
            verdict="refused",
            rule=refused.rule,
            seen=refused.seen,
            files=len(work.study.masks.files),
        )
        return _Own(Target(exam=work.exam, rule=refused.rule, volume_ml=0.0), None, (row,))
    volume = round(int(mask.array.sum()) * mask.voxel_ml, 3)
    return _Own(Target(exam=work.exam, rule="", volume_ml=volume), nifti_bytes(mask))


def failed(work: Work, seen: str, pseudonyms: Pseudonyms, rule: str = "error") -> Outcome:
    """The outcome of a study that ended in an error, or that its source no longer has as it was listed."""
    row = LedgerRow(
        item="series",
        id=pseudonyms.of("s", work.uid),
        exam=work.exam,
        verdict="refused",
        rule=rule,
        seen=seen,
        files=work.study.files,
    )
    return Outcome(study=work.exam, digest=work.digest, image=None, exam=None, as_read=None, rows=(row,))
