"""Where files are is noted with their study, whatever they are called."""

from pathlib import Path
from typing import Any

from nameplate_ingest.dicom.content import DiskFile
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.sources.candidate import Home, Place
from nameplate_ingest.sources.index import Index, Reading, index_part
from nameplate_ingest.sources.listed import opened_listing, sealed_listing
from nameplate_ingest.sources.located import Located, located, note

KEY = b"a key for these tests"


def test_what_was_noted_in_parts_comes_back_from_another_process(folder: Any, make_series: Any) -> None:
    names = ("Müller", "a\nb", b"\xff".decode("utf-8", "surrogateescape"), "plain")
    for name, one in zip(names, make_series(count=4), strict=True):
        folder.add(one, name=name)
    reading = Reading(folder.path, Pseudonyms(KEY))
    files = {
        folder.path / name: Located(
            Home(f"{name}.zip", "1\0002"), (Place("tar", (number, 9)), Place("zip", (1 << 40,)))
        )
        for number, name in enumerate(names)
    }
    index = Index()
    for part in (names[:2], names[2:]):
        found = index_part(reading, [DiskFile(folder.path / name) for name in part])
        note(found, folder.path, files)
        index.add(found)
    assert not any(name in value for name in names[3:] for value in index.studies["1.2.3.1"].entry.values())
    study = opened_listing(sealed_listing(index.finished(reading), KEY), KEY).studies["1.2.3.1"]
    assert located(study, Path("/elsewhere")) == {
        Path("/elsewhere") / path.name: where for path, where in files.items()
    }
