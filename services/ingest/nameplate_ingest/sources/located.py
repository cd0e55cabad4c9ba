"""Where the files of a study are in archives and buckets, noted with the study until they are fetched."""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from nameplate_ingest.sources.candidate import Home, Place
from nameplate_ingest.sources.index import Index, Study
from nameplate_ingest.sources.packed import unpack


class Located(NamedTuple):
    """One file."""

    home: Home
    places: tuple[Place, ...]
    """In its archive, and in the archive inside that; none where it is its home itself."""


def note(index: Index, place: Path, files: Mapping[Path, Located]) -> None:
    """Write into each study where its files are, all of them among ``files``; paths are below ``place``."""
    for study in index.studies.values():
        paths = sorted({slice_.path for slice_ in unpack(study.pieces)}, key=str)
        names = [str(path.relative_to(place)) for path in paths]
        rows = [(name, *files[path]) for name, path in zip(names, paths, strict=True)]
        # With escapes: names may hold what no UTF-8 does. In one piece: they are much alike.
        told = base64.b85encode(zlib.compress(json.dumps(rows, separators=(",", ":")).encode())).decode()
        first = names[0].encode("utf-8", "surrogateescape")
        study.entry[hashlib.blake2b(first, digest_size=8).hexdigest()] = told


def located(study: Study, place: Path) -> dict[Path, Located]:
    """What was noted."""
    found = {}
    for told in study.entry.values():
        for path, home, places in json.loads(zlib.decompress(base64.b85decode(told))):
            inside = tuple(Place(form, tuple(numbers)) for form, numbers in places)
            found[place / path] = Located(Home(*home), inside)
    return found
