"""Archives that are not what they say cost themselves, or the member that is not; each is a row."""

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from archive_maker import FORMS, gz_of, stored_zip_of, tar_of, tree, zip_of, zst_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nameplate.errors import UserError
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.sources.archive import Archive
from nameplate_ingest.sources.index import Index, Reading
from nameplate_ingest.workers import Workers

PSEUDONYMS = Pseudonyms(b"a key for these tests")


@pytest.fixture
def series(folder: Any, make_series: Any) -> dict[str, bytes]:
    """The files of one study."""
    folder.add(*make_series(count=3))
    return tree(folder.path)


def index_of(source: Archive) -> Index:
    reading = Reading(source.place, PSEUDONYMS)
    with Workers(0, reading) as alone:
        return source.index(reading, alone)


def index(folder: Path, **archives: bytes) -> Index:
    """The index of some archives in a folder of their own."""
    folder.mkdir()
    for name, data in archives.items():
        (folder / name).write_bytes(data)
    return index_of(Archive(folder))


def rows(index: Index) -> list[tuple[str, str, int]]:
    return sorted((stray.rule, stray.seen, count) for stray, count in index.strays.items())


def files(index: Index) -> dict[str, int]:
    return {uid: study.files for uid, study in index.studies.items()}


BROKEN = {
    "cut zip": (lambda some: zip_of(some)[:-30], "archive-damaged"),
    "cut tar": (lambda some: tar_of(some)[:-12_000], "archive-damaged"),
    "cut tar.gz": (lambda some: gz_of(tar_of(some))[:-20], "archive-damaged"),
    "cut tar.zst": (lambda some: zst_of(tar_of(some))[:-20], "archive-damaged"),
    "gz of a file": (lambda some: gz_of(b"x" * 9000), "archive-kind"),
    "zst of a file": (lambda some: zst_of(next(iter(some.values()))), "archive-kind"),
    "7z": (lambda some: b"7z\xbc\xaf\x27\x1c" + bytes(900), "archive-kind"),
    "xz": (lambda some: b"\xfd7zXZ\0" + bytes(900), "archive-kind"),
    "bomb.gz": (lambda some: gz_of(tar_of({"a": bytes(100 << 20)} | some)), "archive-bomb"),
    "bomb.zst": (lambda some: zst_of(tar_of({"a": bytes(100 << 20)} | some)), "archive-bomb"),
    "bomb in gz": (
        lambda some: gz_of(tar_of({"a": gz_of(tar_of({"b": bytes(100 << 20)}))} | some)),
        "archive-bomb",
    ),
    "bomb in zip": (lambda some: zip_of({"a.zip": zip_of({"b": bytes(100 << 20)})}), "archive-bomb"),
    "zip in zip in zip": (lambda some: zip_of({"a": zip_of({"b": zip_of(some)})}), "archive-nested"),
    "encrypted zip": (lambda some: _encrypted(zip_of(some)), "archive-encrypted"),
}


def _encrypted(data: bytes) -> bytes:
    """As a zip says that its members are encrypted."""
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        parts = data.split(mark)
        data = mark.join([parts[0], *(part[: at - 4] + b"\x01\0" + part[at - 2 :] for part in parts[1:])])
    return data


@pytest.mark.parametrize("name", BROKEN)
def test_an_archive_that_cannot_be_used_costs_itself(
    series: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    make, rule = BROKEN[name]
    broken = make(series)
    found = index(tmp_path / "both", a=broken, b=tar_of({"x": series["00001"]}))
    assert files(found) == {"1.2.3.1": 1}
    assert {row for row, _, _ in rows(found)} >= {rule}
    assert found.files == 1 + found.strays.total()
    (tmp_path / "alone").write_bytes(broken)
    with pytest.raises(UserError, match=rf"cannot be used \({rule}: ") as caught:
        index_of(Archive(tmp_path / "alone"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../up", "a/../../up", "/etc/passwd", "C:/up", "..", "a\\..\\..\\up"])
def test_a_name_that_climbs_costs_the_member(series: dict[str, bytes], tmp_path: Path, name: str) -> None:
    whole = {"good": series["00001"], name: series["00002"]}
    kinds = {"zip": zip_of(whole)} if "\\" in name else {"zip": zip_of(whole), "tar": tar_of(whole)}
    for kind, data in kinds.items():
        found = index(tmp_path / kind, a=data)
        assert files(found) == {"1.2.3.1": 1}
        assert rows(found) == [("archive-member", "a name that leads out of the archive", 1)]


def test_links_devices_and_nameless_members_cost_themselves(series: dict[str, bytes], tmp_path: Path) -> None:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            made = tarfile.TarInfo("x")
            made.type, made.linkname = kind, "/etc/passwd"
            tar.addfile(made)
        for name in ("", ".", "n" * 5000, "good"):
            made = tarfile.TarInfo(name)
            made.size = len(series["00001"])
            tar.addfile(made, BytesIO(series["00001"]))
    found = index(tmp_path / "a", a=out.getvalue())
    assert files(found) == {"1.2.3.1": 1}
    assert rows(found) == [
        ("archive-member", "a device", 1),
        ("archive-member", "a link", 2),
        ("archive-member", "a name of more than 4096 letters", 1),
        ("archive-member", "a pipe", 1),
        ("archive-member", "without a name", 2),
    ]


def test_two_members_of_one_name_are_two_files(series: dict[str, bytes], tmp_path: Path) -> None:
    some = {"a/001": series["00001"], "a/002": series["00002"]}
    for name, data in (("zip", zip_of(some)), ("stored", stored_zip_of(some))):
        assert files(index(tmp_path / name, a=data.replace(b"a/002", b"a/001"))) == {"1.2.3.1": 2}
    tar = BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for content in some.values():
            made = tarfile.TarInfo("a/001")
            made.size = len(content)
            archive.addfile(made, BytesIO(content))
    for name, data in (("tar", tar.getvalue()), ("gz", gz_of(tar.getvalue()))):
        assert files(index(tmp_path / name, a=data)) == {"1.2.3.1": 2}


def test_a_damaged_member_of_a_zip_costs_itself(series: dict[str, bytes], tmp_path: Path) -> None:
    data = stored_zip_of(series)
    at = data.index(series["00002"])
    found = index(tmp_path / "x", a=data[: at - 5] + b"?" + data[at - 4 :])
    assert files(found) == {"1.2.3.1": 2}
    assert rows(found) == [("archive-damaged", "the two headers of a member disagree", 1)]


def test_a_member_of_more_than_four_gibibytes_is_not_read(tmp_path: Path, series: dict[str, bytes]) -> None:
    header = tarfile.TarInfo("large")
    header.size = 5 << 30
    path = tmp_path / "large.tar"
    with path.open("wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        file.seek(header.size, 1)  # a hole: it takes no room
        file.write(tar_of({"good": series["00001"]}))
    found = index_of(Archive(path))
    assert files(found) == {"1.2.3.1": 1}
    assert rows(found) == [("archive-bomb", "a file of more than 4 GiB", 1)]


def test_a_header_of_gigabytes_is_refused_within_bounds(tmp_path: Path, series: dict[str, bytes]) -> None:
    """A DICOM header that says it has 4 GB, in a member that really has 3."""
    start = series["00001"][:132] + b"\x08\0\x08\0UN\0\0\xf0\xff\xff\xff"
    header = tarfile.TarInfo("large")
    header.size = 3 << 30
    path = tmp_path / "large.tar"
    with path.open("wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT) + start)
        file.seek(header.size - len(start), 1)
        file.write(tar_of({"good": series["00001"]}))
    found = index_of(Archive(path))
    assert rows(found) == [("too-large", "header of more than 64 MiB", 1)]


def test_the_same_study_in_two_archives_is_one(series: dict[str, bytes], tmp_path: Path) -> None:
    names = sorted(series)
    found = index(
        tmp_path / "x",
        a=zip_of({name: series[name] for name in names[:2]}),
        b=gz_of(tar_of({names[2]: series[names[2]]})),
        c=series[names[2]],
        d=b"notes",
    )
    assert files(found) == {"1.2.3.1": 4}
    assert rows(found) == [("not-dicom", "", 1)]
    assert found.files == 5


def test_names_of_no_encoding_and_no_end_are_read(series: dict[str, bytes], tmp_path: Path) -> None:
    odd = b"a\xff\xfe".decode("utf-8", "surrogateescape")
    tar = BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in (odd, "d/" * 1500 + "x", "Müller^Jörg/\n1"):
            made = tarfile.TarInfo(name)
            made.size = len(series["00001"])
            archive.addfile(made, BytesIO(series["00001"]))
    assert files(index(tmp_path / "x", a=tar.getvalue())) == {"1.2.3.1": 3}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"notes", "no zip or tar archive"),
        (zip_of({}), "the archives hold no files"),
        (b"", "no zip or tar archive"),
    ],
)
def test_a_source_without_an_archive_is_the_users_mistake(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    for path in (tmp_path, tmp_path / "x.zip"):
        with pytest.raises(UserError, match=said):
            index_of(Archive(path))
    with pytest.raises(UserError, match="no such"):
        index_of(Archive(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no files"):
        index_of(Archive(tmp_path / "empty"))


MEMORY = """
import resource, sys
from pathlib import Path
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.sources.archive import Archive
from nameplate_ingest.sources.index import Reading
from nameplate_ingest.workers import Workers
source = Archive(Path(sys.argv[1]))
reading = Reading(source.place, Pseudonyms(b"a key"))
with Workers(0, reading) as alone:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    source.index(reading, alone)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_no_archive_takes_more_memory_than_a_bound(tmp_path: Path, series: dict[str, bytes]) -> None:
    """Bombs of every kind and a header without an end, at once, in a process of their own."""
    zeros = bytes(300 << 20)
    endless = series["00001"][:132] + b"\x08\0\x08\0UN\0\0\xf0\xff\xff\xff" + zeros
    name = tarfile.TarInfo("x")
    name.type, name.size = b"L", len(zeros)
    bombs = {
        "a": zip_of({"a": zeros}),
        "b": gz_of(tar_of({"a": zeros})),
        "c": zst_of(tar_of({"a": zst_of(tar_of({"b": zeros}))})),
        "d": zst_of(name.tobuf(tarfile.GNU_FORMAT) + zeros),
        "e": zip_of({"a": endless, "b": endless[: 60 << 20]}),
        "f": stored_zip_of({"x" * 60_000: b""} | {str(number): b"" for number in range(60_000)}),
        "good": tar_of(series),
    }
    for file, data in bombs.items():
        (tmp_path / file).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) < 320 << 10  # KiB; a header of 64 MiB is held a few times over


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_changed_archives_end_as_promised(
    series: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject
) -> None:
    small = {name: data[:1500] for name, data in series.items()}
    data = bytearray(FORMS[draw.draw(st.sampled_from(sorted(FORMS)))](small))
    for _ in range(draw.draw(st.integers(1, 8))):
        at = draw.draw(st.integers(0, len(data) - 1))
        match draw.draw(st.sampled_from(["set", "cut", "drop", "twice"])):
            case "set":
                data[at] = draw.draw(st.integers(0, 255))
            case "cut":
                del data[max(at, 600) :]
            case "drop":
                del data[at : at + draw.draw(st.integers(1, 600))]
            case "twice":
                data[at:at] = data[at : at + 512]
        if not data:
            return
    folder = tmp_path_factory.mktemp("changed")
    (folder / "a").write_bytes(data)
    (folder / "b").write_bytes(tar_of({"x": b"notes"}))
    found = index_of(Archive(folder))
    allowed = {"unreadable", "not-dicom", "no-study", "truncated-header", "dicomdir", "too-large"}
    assert all(rule.startswith("archive-") or rule in allowed for rule, _, _ in rows(found))
