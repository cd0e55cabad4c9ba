"""Files read one by one, whatever they hold."""

from pathlib import Path
from typing import Any

import pytest

from nameplate_ingest.dicom.content import DiskFile
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.sources.scan import RefusedFile, scan_files

PSEUDONYMS = Pseudonyms(b"a key for these tests")


def test_a_file_that_nobody_foresaw_costs_itself(
    folder: Any, make_series: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is known that does this, so reading one of three is broken by hand."""
    import nameplate_ingest.sources.scan as module

    folder.add(*make_series(count=3))
    first, *_ = paths = sorted(folder.path.iterdir())
    real = module.slice_of

    def broken(path: Path, *rest: Any) -> Slice:
        if path == first:
            raise ZeroDivisionError("DOE^JANE")
        return real(path, *rest)

    monkeypatch.setattr(module, "slice_of", broken)
    refused, *slices = scan_files(map(DiskFile, paths), PSEUDONYMS)
    assert isinstance(refused, RefusedFile)
    assert (refused.rule, refused.seen) == ("error", "ZeroDivisionError")
    assert [isinstance(item, Slice) for item in slices] == [True, True]


def test_a_refused_file_is_named_by_its_content(folder: Any) -> None:
    folder.add_bytes(b"notes", "a").add_bytes(b"notes", "b").add_bytes(b"other", "c")
    a, b, c = scan_files(map(DiskFile, sorted(folder.path.iterdir())), PSEUDONYMS)
    assert isinstance(a, RefusedFile)
    assert a == b != c
    assert a.id[0] == "f"
    assert len(a.id) == 17


def test_a_file_that_vanishes_is_unreadable(tmp_path: Path) -> None:
    (refused,) = scan_files([DiskFile(tmp_path / "gone")], PSEUDONYMS)
    assert isinstance(refused, RefusedFile)
    assert refused.rule == "unreadable"
