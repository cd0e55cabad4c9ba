"""Opening a store: one of this layout is taken, one of another is told apart and left alone."""

import json
from pathlib import Path

import pytest

from nameplate.errors import StoreError
from nameplate.service.main import exit_code_of
from nameplate.store import NoStore, open_store
from nameplate.store.open import FORMAT, MARKER


def _open(folder: Path, *, create: bool = True) -> int:
    open_store(str(folder), create=create)
    return 0


def test_a_new_store_says_its_format_and_is_opened_again(tmp_path: Path) -> None:
    open_store(str(tmp_path / "store")).put("a/b", b"x")
    assert json.loads((tmp_path / "store" / MARKER).read_text()) == {"nameplate-store": FORMAT}
    before = (tmp_path / "store" / MARKER).stat().st_mtime_ns
    assert open_store(str(tmp_path / "store")).get("a/b") == b"x"
    assert open_store(str(tmp_path / "store"), create=False).get("a/b") == b"x"
    assert (tmp_path / "store" / MARKER).stat().st_mtime_ns == before


@pytest.mark.parametrize("create", [False, True])
def test_a_store_of_format_1_is_refused_with_what_to_do(
    create: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / MARKER).write_text('{"nameplate-store": 1}\n')
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "report.json").write_text("{}")
    assert exit_code_of(lambda: _open(tmp_path, create=create)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"nameplate: {tmp_path}: ")
    assert f"store format 1; this one reads {FORMAT}" in line
    assert "older nameplate" in line
    assert "run the campaign again" in line
    assert (tmp_path / MARKER).read_text() == '{"nameplate-store": 1}\n'


@pytest.mark.parametrize(
    ("marker", "found"),
    [
        (f'{{"nameplate-store": {FORMAT + 1}}}', str(FORMAT + 1)),
        (f'{{"nameplate-store": "{FORMAT}"}}', f"'{FORMAT}'"),
        ("{}", "None"),
        (f"[{FORMAT}]", "None"),
        (f"{FORMAT}", "None"),
        ("null", "None"),
        ('{"nameplate-store": ', "None"),
        ("", "None"),
        ("\udcff\udcfe", "None"),
    ],
)
def test_a_newer_or_garbled_marker_is_refused_and_left(marker: str, found: str, tmp_path: Path) -> None:
    data = marker.encode("utf-8", "surrogateescape")
    (tmp_path / MARKER).write_bytes(data)
    for create in (False, True):
        with pytest.raises(StoreError, match=f"expected store format {FORMAT}, found {found}") as caught:
            open_store(str(tmp_path), create=create)
        assert caught.value.exit_code == 2
    assert (tmp_path / MARKER).read_bytes() == data


def test_an_empty_place_becomes_a_store_only_when_asked(tmp_path: Path) -> None:
    for place in (tmp_path / "absent", tmp_path):
        with pytest.raises(NoStore):
            open_store(str(place), create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.s3
def test_on_s3_a_store_of_format_1_is_refused_too(s3_account: object) -> None:
    store = open_store("s3://bias/old")
    store.put(MARKER, b'{"nameplate-store": 1}')
    with pytest.raises(StoreError, match="store format 1"):
        open_store("s3://bias/old")
