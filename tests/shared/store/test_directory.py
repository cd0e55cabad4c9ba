"""The directory store: whole objects or nothing, and never in a foreign place."""

import os
import subprocess
from pathlib import Path

import pytest

from nameplate.errors import StoreError, UserError
from nameplate.store import NoSuchKey, check_key, open_store


def test_put_get_list_delete(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "new" / "store"))
    store.put("a/b.json", b"{}")
    source = tmp_path / "file"
    source.write_bytes(b"12345")
    store.put_file("a/c.bin", source)
    assert store.get("a/b.json") == b"{}"
    assert store.exists("a/c.bin")
    assert not store.exists("a")
    assert store.sizes("a/") == {"a/b.json": 2, "a/c.bin": 5}
    assert store.sizes("a/c") == {"a/c.bin": 5}
    assert store.fetch("a/c.bin", tmp_path / "cache").read_bytes() == b"12345"
    store.delete("a/b.json")
    store.delete("a/b.json")
    with pytest.raises(NoSuchKey, match=r"a/b\.json"):
        store.get("a/b.json")


def test_opening_again_finds_the_marker(tmp_path: Path) -> None:
    open_store(str(tmp_path)).put("x", b"1")
    assert open_store(str(tmp_path), create=False).get("x") == b"1"


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("do not touch")
    with pytest.raises(StoreError, match="not empty and not a nameplate store"):
        open_store(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_hidden_file_makes_a_folder_foreign_too(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "photo.jpg").write_bytes(b"x")
    with pytest.raises(StoreError, match="not empty"):
        open_store(str(tmp_path))


def test_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nameplate-store.json").write_text('{"nameplate-store": 99}')
    with pytest.raises(StoreError, match="expected store format 2, found 99"):
        open_store(str(tmp_path))


@pytest.mark.parametrize("text", ["", "not json", "[1]", "{}"])
def test_a_marker_that_says_nothing_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "nameplate-store.json").write_text(text)
    with pytest.raises(StoreError, match="expected store format 2, found None"):
        open_store(str(tmp_path))


def test_a_store_of_the_format_before_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "nameplate-store.json").write_text('{"nameplate-store": 1}')
    with pytest.raises(StoreError) as caught:
        open_store(str(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}: written by an older nameplate (store format 1; this one reads 2): "
        "name a new place, or delete this one, and run the campaign again"
    )


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="expected a folder, found a file"):
        open_store(str(tmp_path / "file"))


def test_other_schemes_are_the_users_mistake() -> None:
    with pytest.raises(UserError, match="gs://bucket"):
        open_store("gs://bucket/x")


@pytest.mark.parametrize("key", ["../x", "/x", "a//b", "a/../b", ".hidden", "a/.b", "", "a b", "a/"])
def test_keys_cannot_leave_the_store(key: str) -> None:
    with pytest.raises(ValueError, match="not a valid key"):
        check_key(key)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(disk)], check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        store = open_store(str(disk / "store"))
        store.put("small", b"x")
        with pytest.raises(StoreError, match="the disk is full; big was not written"):
            store.put("big", b"x" * 1_000_000)
        assert store.sizes("") == {"nameplate-store.json": 23, "small": 1}
        assert not list((disk / "store").glob(".tmp-*"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
