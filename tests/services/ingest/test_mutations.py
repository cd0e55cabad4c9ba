"""Damaged files, seeded: none ends an ingest, none is lost, and names and workers change nothing.

``benchmarks/mutations.py`` does the same with twenty thousand files, their times and their memory.
"""

import itertools
import random
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.services.ingest.conftest import head_series
from tests.services.ingest.dicom_parts import Base, base_of, renamed
from tests.services.ingest.mutate import NAMES, damaged_study, mutated
from tests.services.ingest.mutation_pool import DIGITS, loose_files, whole_studies, written

from nameplate.campaign.ingest import IngestSettings
from nameplate.image.volume import read_nifti
from nameplate.records import from_jsonl
from nameplate.steps.ingest import Exam, LedgerRow
from nameplate.streams import stream
from nameplate_ingest.dicom.content import DiskFile
from nameplate_ingest.dicom.header import read_elements
from nameplate_ingest.dicom.pixels import hounsfield
from nameplate_ingest.dicom.slice import slice_of
from nameplate_ingest.dicom.tags import WANTED
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.ingest import ingest_folder
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.scan import images_of
from nameplate_ingest.study import ingest_study

SMALL = IngestSettings(matrix=64)
KEY = b"a key for these tests"
LONGEST_S = 5.0


@pytest.fixture(scope="module")
def loose() -> list[Base]:
    return loose_files(head_series)


@pytest.fixture(scope="module")
def studies() -> list[list[Base]]:
    return whole_studies(head_series)


@contextmanager
def fence(size: int) -> Iterator[None]:
    """No more than this many bytes beyond what the process has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def ledger(out: Path) -> list[LedgerRow]:
    return from_jsonl(LedgerRow, (out / "ledger.jsonl").read_bytes())


def outputs(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_the_files_that_are_damaged_are_whole_before(
    tmp_path: Path, loose: list[Base], studies: list[list[Base]]
) -> None:
    """Taken apart and written again they are the same bytes; most of the studies and heads are accepted."""
    for base in (*loose, *itertools.chain(*studies)):
        again = base_of(base.file())
        assert (again.meta, again.body) == (base.meta, base.body)
    source = tmp_path / "in"
    source.mkdir()
    for number, files in enumerate([*studies, *([base] for base in loose)]):
        for place, base in enumerate(files):
            data = renamed(base, DIGITS, b"%010d" % number).file()
            (source / f"{number:03d}-{place:02d}").write_bytes(data)
    summary = ingest_folder(source, tmp_path / "out", SMALL, key=KEY)
    assert summary.exams >= 30
    assert {row.rule for row in ledger(tmp_path / "out")} >= {"modality", "colour", "dicomdir", "multi-frame"}


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_files_are_accounted_for(
    tmp_path: Path, loose: list[Base], studies: list[list[Base]], seed: int
) -> None:
    """Alone and in studies; within 1 GiB and 5 s a study; the same with two workers and under other names."""
    numbers, files = stream(seed, "mutations"), []
    for serial in range(90):
        base = loose[int(numbers.integers(len(loose)))]
        files.append(mutated(renamed(base, DIGITS, b"%010d" % (serial % 80)), numbers)[0])
    for serial in range(100, 105):
        study = studies[int(numbers.integers(len(studies)))]
        files += damaged_study([renamed(base, DIGITS, b"%010d" % serial) for base in study], numbers)
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    places = random.Random(seed).sample(range(len(files)), len(files))
    for number, data in enumerate(files):
        (one / f"{number:04d}").write_bytes(data)
        (other / f"{places[number]:04d}").write_bytes(data)
    last, longest = time.perf_counter(), 0.0

    def progress(*_: int) -> None:
        nonlocal last, longest
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()

    with fence(1 << 30):
        summary = ingest_folder(one, tmp_path / "out", SMALL, key=KEY, progress=progress, indexing=progress)
    rows = ledger(tmp_path / "out")
    assert summary.files == sum(row.files for row in rows) == len(files)
    assert "error" not in {row.rule for row in rows}
    assert len({row.rule for row in rows}) > 15
    assert longest < LONGEST_S
    for exam in from_jsonl(Exam, (tmp_path / "out" / "exams.jsonl").read_bytes()):
        volume = read_nifti(tmp_path / "out" / exam.image)
        assert volume.array.shape[:2] == (64, 64)
        assert volume.array.min() >= -1024
        assert np.isfinite(volume.affine).all()
    ingest_folder(other, tmp_path / "again", SMALL, key=KEY, workers=2)
    assert outputs(tmp_path / "again") == outputs(tmp_path / "out")


@pytest.mark.parametrize("kind", NAMES)
def test_every_kind_of_damage_alone(tmp_path: Path, loose: list[Base], kind: str) -> None:
    """A file is read, or refused with a reason; so are the pixels of each of its frames."""
    path, numbers, changed = tmp_path / "a", stream(3, kind), 0
    reasons: list[Refused] = []
    for base in loose:
        data, told = mutated(base, numbers, (kind,))
        assert told == kind or not told
        changed += data != base.file()
        path.write_bytes(data)
        try:
            elements = read_elements(path, WANTED)
            assert elements is not None
            for slice_ in itertools.islice(images_of(DiskFile(path), elements), 3):
                hounsfield(slice_)
        except Refused as refused:
            reasons.append(refused)
    assert changed > len(loose) / 3
    for refused in reasons:
        assert refused.rule
        assert refused.seen.isascii()
        assert len(refused.seen) < 120


@pytest.mark.parametrize("kind", ["series", "pieces", "kernels", "people", "acquisitions"])
def test_a_study_of_a_thousand_pieces_is_soon_done(tmp_path: Path, kind: str) -> None:
    """Series, kernels, people or acquisitions without number, as where all studies have one UID."""
    path = tmp_path / "a"
    path.write_bytes(written(head_series(count=1)[0]).file())
    elements = read_elements(path, WANTED)
    assert elements is not None
    first = slice_of(path, elements)
    assert first.grid is not None
    slices = []
    for number in range(1000):
        part, height = str(number // 3), 5.0 * (number % 3) + number // 3 % 20
        grid = replace(first.grid, position=(0.0, 0.0, height if kind == "pieces" else 5.0 * (number % 40)))
        other = {
            "series": {"series": f"1.2.{number}", "series_number": str(number)},
            "pieces": {"series": f"1.2.{part}", "series_number": part, "frame_of_reference": "1.2"},
            "kernels": {"device": replace(first.device, kernel=f"K{number}")},
            "people": {"person": replace(first.person, name=f"N{number}")},
            "acquisitions": {"acquisition": str(number * 7919 % 1000)},
        }[kind]
        slices.append(replace(first, instance=f"1.3.{number}", grid=grid, **other))
    start = time.perf_counter()
    ingested = ingest_study(slices, SMALL, Pseudonyms(KEY), frozenset())
    assert time.perf_counter() - start < LONGEST_S
    assert ingested.rows
