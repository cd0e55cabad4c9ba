"""A listing on its way to the shards: everything arrives, once, and in no other shard."""

import os
from pathlib import Path
from typing import Any

from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.folder.masks import masks_in
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.index import Index, Reading
from nameplate_ingest.sources.listed import opened_listing, part_of, sealed_listing
from nameplate_ingest.workers import Workers

KEY = b"a key for these tests"
PSEUDONYMS = Pseudonyms(KEY)


def index_of(folder: Any, **options: Any) -> Index:
    source = Folder(folder.path)
    reading = Reading(source.place, PSEUDONYMS, **options)
    with Workers(0, reading) as alone:
        return source.index(reading, alone)


def test_parts_are_the_whole_and_come_back_as_they_were(folder: Any, make_slice: Any, tmp_path: Path) -> None:
    for number in range(9):
        folder.add(make_slice(study=f"1.2.3.{number}", series=f"1.2.3.{number}.1", PatientName="Ä^ö"))
    folder.add_bytes(b"notes").add_bytes(b"notes", "n2")
    (tmp_path / "masks").mkdir()
    for name in ("1.2.3.4", "nobody"):
        (tmp_path / "masks" / f"{name}.nii").write_bytes(b"mask")
    told = {"1.2.3.1": {"site": "A"}, "x": {"site": "B"}}
    whole = index_of(folder, table={"1.2.3.2": "GE"}, fields=told, masks=masks_in(tmp_path / "masks"))
    parts = [opened_listing(sealed_listing(part_of(whole, PSEUDONYMS, (n, 3)), KEY), KEY) for n in range(3)]
    studies = {uid: study for part in parts for uid, study in part.studies.items()}
    assert studies == whole.studies
    assert sum(len(part.studies) for part in parts) == 9
    assert sum(part.files for part in parts) == whole.files == 11
    assert [part.strays for part in parts] == [whole.strays, {}, {}]
    assert [(part.unused, part.unknown_masks) for part in parts] == [(1, 1), (0, 0), (0, 0)]
    assert whole.studies["1.2.3.4"].masks.files == (tmp_path / "masks" / "1.2.3.4.nii",)


def test_a_mask_that_changes_changes_what_is_listed(folder: Any, make_series: Any, tmp_path: Path) -> None:
    """The ingest depends on what is listed alone: it must not keep what it made of the mask before."""
    folder.add(*make_series())
    mask = tmp_path / "masks" / "1.2.3.1.nii"
    mask.parent.mkdir()
    mask.write_bytes(b"mask")

    def listed() -> bytes:
        return sealed_listing(index_of(folder, masks=masks_in(mask.parent)), KEY)

    before = listed()
    assert listed() == before
    os.utime(mask, (1, 1))
    assert listed() != before


def test_nothing_can_be_read_in_it(folder: Any, make_series: Any) -> None:
    folder.add(*make_series())
    sealed = sealed_listing(index_of(folder), KEY)
    for secret in (b"Zebulonius", b"1.2.3.1", b"SIEMENS", str(folder.path).encode(), b"studies"):
        assert secret not in sealed
