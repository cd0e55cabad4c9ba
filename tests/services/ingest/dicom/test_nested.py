"""Nested sequences in every encoding, and damaged ones."""

import contextlib
import time
import warnings
from pathlib import Path

import pydicom
import pytest
from enhanced_maker import (
    Make,
    elements_of,
    enhanced_dataset,
    images_of,
    save,
    undefined_lengths,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from nameplate_ingest.dicom import frame_tags, tags
from nameplate_ingest.dicom.enhanced import MOST_FRAMES, frames_of
from nameplate_ingest.dicom.header import Elements, read_elements
from nameplate_ingest.dicom.nested import Item, top_item
from nameplate_ingest.refusal import Refused


def refusal_of(dataset: Dataset, path: Path) -> tuple[str, str]:
    save(dataset, path)
    with pytest.raises(Refused) as refused:
        frames_of(path, elements_of(path))
    return refused.value.rule, refused.value.seen


def test_wrong_counts_are_refused(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(5))
    dataset.NumberOfFrames = 6
    assert refusal_of(dataset, tmp_path / "a") == ("multi-frame", "6 frames, 5 described")
    dataset.NumberOfFrames = 4
    assert refusal_of(dataset, tmp_path / "a") == ("multi-frame", "4 frames, 5 described")
    dataset.NumberOfFrames = 10_000_000
    seen = f"more than {MOST_FRAMES} frames"
    assert refusal_of(dataset, tmp_path / "b") == ("multi-frame", seen)
    dataset.NumberOfFrames = 5
    del dataset.PerFrameFunctionalGroupsSequence
    assert refusal_of(dataset, tmp_path / "c") == ("multi-frame", "5 frames, 0 described")


def test_frames_without_functional_groups_are_refused(tmp_path: Path, make_series: Make) -> None:
    dataset = make_series(1)[0]
    dataset.NumberOfFrames = 3
    dataset.PixelData *= 3
    seen = "3 frames without functional groups"
    assert refusal_of(dataset, tmp_path / "a") == ("multi-frame", seen)


def test_a_file_without_pixels_is_refused(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(2))
    del dataset.PixelData
    assert refusal_of(dataset, tmp_path / "a")[0] == "no-pixels"


@pytest.mark.parametrize("explicit", [True, False])
def test_groups_of_unknown_vr(tmp_path: Path, make_series: Make, explicit: bool) -> None:
    dataset = enhanced_dataset(make_series(3))
    for item in dataset.PerFrameFunctionalGroupsSequence:
        # Without a VR, this length reads like one: its bytes are "BA".
        item.add_new(0x00091001, "CS", ["A"] * (0x4142 // 2))
    undefined_lengths(dataset)
    data = save(dataset, tmp_path / "e").read_bytes()
    mark = b"\x00\x52\x30\x92SQ"
    assert data.count(mark) == 1
    head, _, tail = data.partition(mark)
    if not explicit:
        end = tail.index(b"\xe0\x7f\x10\x00")
        tail = tail[:6] + implicit(tail[6:end]) + tail[end:]
    (tmp_path / "e").write_bytes(head + b"\x00\x52\x30\x92UN" + tail)
    assert [image.refusal for image in images_of(tmp_path / "e")] == [None] * 3


def implicit(data: bytes) -> bytes:
    """Elements whose sequences are delimited, without their VRs."""
    out, at = b"", 0
    while at < len(data):
        if data[at : at + 2] == b"\xfe\xff":
            out, at = out + data[at : at + 8], at + 8
        elif data[at + 4 : at + 6] == b"SQ":
            out, at = out + data[at : at + 4] + data[at + 8 : at + 12], at + 12
        else:
            length = int.from_bytes(data[at + 6 : at + 8], "little")
            out += data[at : at + 4] + length.to_bytes(4, "little") + data[at + 8 : at + 8 + length]
            at += 8 + length
    return out


@pytest.fixture
def whole(tmp_path: Path, make_series: Make) -> list[bytes]:
    """The bytes of small enhanced files in several syntaxes."""
    path = tmp_path / "whole"
    files = []
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        dataset = enhanced_dataset(make_series(3, size=(8, 8)))
        dataset.file_meta.TransferSyntaxUID = syntax
        files += [save(dataset, path).read_bytes(), save(undefined_lengths(dataset), path).read_bytes()]
    return files


@settings(max_examples=400, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.integers(0, 5),
    flips=st.lists(st.tuples(st.floats(0, 1), st.sampled_from((0, 1, 2, 0x7F, 0xFE, 0xFF))), max_size=6),
    cut=st.integers(0, 40),
)
def test_damaged_files_are_refused_or_read(
    tmp_path: Path, whole: list[bytes], kind: int, flips: list[tuple[float, int]], cut: int
) -> None:
    damaged = bytearray(whole[kind])
    for share, value in flips:
        damaged[132 + int(share * (len(damaged) - 133))] = value
    path = tmp_path / "damaged"
    path.write_bytes(bytes(damaged[: len(damaged) - cut]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames: list[Elements] = []
        with contextlib.suppress(Refused):
            elements = read_elements(path, tags.WANTED)
            assert elements is not None
            frames = frames_of(path, elements)
        assert all(isinstance(value, bytes) for frame in frames for value in frame.values.values())


@given(
    noise=st.binary(max_size=600), syntax=st.sampled_from(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", ""])
)
@settings(deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes(tmp_path: Path, noise: bytes, syntax: str) -> None:
    path = tmp_path / "noise"
    for groups in (b"", b"\x00\x52\x30\x92SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"):
        path.write_bytes(groups + noise)
        elements = Elements({tags.FRAMES: b"2"}, syntax, True, len(groups + noise), 0)
        with contextlib.suppress(Refused):
            assert isinstance(frames_of(path, elements), list)


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep"
    level = b"\x18\x00\x41\x93SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path.write_bytes(b"\x00\x52\x30\x92" + level[4:] + level * 5000)
    elements = Elements({tags.FRAMES: b"2"}, str(ExplicitVRLittleEndian), True, path.stat().st_size, 0)
    with pytest.raises(Refused) as refused:
        frames_of(path, elements)
    assert refused.value.rule == "multi-frame"


@pytest.mark.parametrize("delimited", [True, False])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_nested_values_are_those_of_pydicom(
    tmp_path: Path, make_series: Make, syntax: UID, delimited: bool
) -> None:
    dataset = enhanced_dataset(make_series(4), shared=False)
    if delimited:
        undefined_lengths(dataset)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset["PixelData"].VR = "OW"
    path = save(dataset, tmp_path / "e")
    little = syntax != ExplicitVRBigEndian
    mine = top_item(path.read_bytes(), syntax, little, frame_tags.WANTED, frame_tags.SEQUENCES)
    theirs = pydicom.dcmread(path)
    assert compare(mine, theirs) >= 60


def compare(mine: Item, theirs: Dataset) -> int:
    """Hold every value against the raw one of pydicom; how many there were."""
    count = 0
    for tag, value in mine.items():
        if isinstance(value, list):
            items = theirs[tag].value
            assert len(items) == len(value)
            count += sum(compare(item, item_) for item, item_ in zip(value, items, strict=True))
        else:
            raw = theirs.get_item(tag)
            assert raw is not None
            assert raw.value == value
            count += 1
    wanted = {element.tag for element in theirs} & (frame_tags.WANTED | frame_tags.SEQUENCES)
    assert wanted <= mine.keys()
    return count


def sequence(tag: bytes, items: bytes) -> bytes:
    return tag + b"SQ\0\0" + len(items).to_bytes(4, "little") + items


@pytest.mark.parametrize("many", ["agents", "anatomies", "dimensions"])
def test_long_sequences_beside_many_frames_take_little_time(tmp_path: Path, many: str) -> None:
    path, frames = tmp_path / "e", 4000
    empty = b"\xfe\xff\x00\xe0\0\0\0\0"
    code = b"\x08\x00\x04\x01LO\x02\x00ab"
    region = sequence(b"\x08\x00\x18\x22", b"\xfe\xff\x00\xe0" + len(code).to_bytes(4, "little") + code)
    anatomy = b"\xfe\xff\x00\xe0" + len(region).to_bytes(4, "little") + region
    content = sequence(
        b"\x20\x00\x11\x91",
        b"\xfe\xff\x00\xe0" + (4008).to_bytes(4, "little") + b"\x20\x00\x57\x91UL\xa0\x0f" + b"\1" * 4000,
    )
    shared = {
        "agents": b"",
        "anatomies": sequence(b"\x20\x00\x71\x90", anatomy * 60_000),
        "dimensions": content,
    }
    data = b""
    if many == "agents":
        data += sequence(b"\x18\x00\x12\x00", empty * 100_000)
    if many == "dimensions":
        data += sequence(b"\x20\x00\x22\x92", empty * 100_000)
    item = b"\xfe\xff\x00\xe0" + len(shared[many]).to_bytes(4, "little") + shared[many]
    data += sequence(b"\x00\x52\x29\x92", item) + sequence(b"\x00\x52\x30\x92", empty * frames)
    path.write_bytes(data)
    elements = Elements({tags.FRAMES: b"%d" % frames}, str(ExplicitVRLittleEndian), True, len(data), 0)
    started = time.process_time()
    assert len(frames_of(path, elements)) == frames
    assert time.process_time() - started < 3.0
