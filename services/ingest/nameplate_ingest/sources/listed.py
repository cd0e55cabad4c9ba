"""What the listing of a source tells the shards: each its own studies, sealed."""

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any

from nameplate_ingest.fields.pseudonym import Pseudonyms, in_shard
from nameplate_ingest.folder.masks import OwnMasks
from nameplate_ingest.sources.index import Index, Study
from nameplate_ingest.sources.scan import RefusedFile
from nameplate_ingest.sources.sealed import seal, unseal

_PURPOSE = "listing"


def part_of(index: Index, pseudonyms: Pseudonyms, shard: tuple[int, int]) -> Index:
    """The studies of one shard; the first also has what is of no study."""
    studies = {uid: study for uid, study in index.studies.items() if in_shard(pseudonyms.of("e", uid), shard)}
    if shard[0] != 0:
        return Index(studies, files=sum(study.files for study in studies.values()))
    strays = index.files - sum(study.files for study in index.studies.values())
    files = sum(study.files for study in studies.values()) + strays
    return Index(studies, index.strays, files=files, unused=index.unused, unknown_masks=index.unknown_masks)


def sealed_listing(index: Index, key: bytes) -> bytes:
    """An index for another process of the ingest; the same index gives the same bytes."""
    told = {
        "studies": {uid: _told(index.studies[uid]) for uid in sorted(index.studies)},
        "strays": sorted([stray.id, stray.rule, stray.seen, count] for stray, count in index.strays.items()),
        "files": index.files,
        "unused": index.unused,
        "unknown_masks": index.unknown_masks,
    }
    return seal(json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode(), key, _PURPOSE)


def opened_listing(data: bytes, key: bytes) -> Index:
    """What ``sealed_listing`` sealed; DamagedObject for anything else."""
    told = json.loads(unseal(data, key, _PURPOSE))
    strays = Counter({RefusedFile(name, rule, seen): count for name, rule, seen, count in told["strays"]})
    return Index(
        {uid: _study(one) for uid, one in told["studies"].items()},
        strays,
        files=told["files"],
        unused=told["unused"],
        unknown_masks=told["unknown_masks"],
    )


def _told(study: Study) -> dict[str, Any]:
    return {
        "files": study.files,
        "listed": sorted(study.listed),
        "pieces": [base64.b85encode(piece).decode() for piece in study.pieces],
        "prints": study.prints,
        "told": sorted(study.told),
        "entry": dict(sorted(study.entry.items())),
        "masks": [[str(path) for path in study.masks.files], study.masks.studies, study.mask_prints],
        "size": study.size,
    }


def _study(told: dict[str, Any]) -> Study:
    masks, studies, prints = told["masks"]
    return Study(
        files=told["files"],
        listed=frozenset(told["listed"]),
        pieces=[base64.b85decode(piece) for piece in told["pieces"]],
        prints=told["prints"],
        told=frozenset((column, value) for column, value in told["told"]),
        entry=told["entry"],
        masks=OwnMasks(tuple(map(Path, masks)), studies),
        mask_prints=tuple(prints),
        size=told["size"],
    )
