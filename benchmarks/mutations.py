"""Ingest of damaged files: does it crash, hang, take too much memory, or lose a file?

    python benchmarks/mutations.py [--files 20000] [--seed 1]

Heads in every transfer syntax, enhanced files, reports and captures are damaged at random (seeded): bytes
changed, files cut, lengths, VRs, tags and values replaced, codestreams with other marks. Half of the files
are alone, half belong to studies of which one to three slices are damaged. They are ingested batch by batch,
each in a process of its own: most of them in one that takes the time of every file and study, decodes every
slice that can be read, and notes where an unforeseen error was raised; every fourth by the command
``nameplate-ingest``, with one worker or two. It ends with 1 if anything went wrong.
"""

import argparse
import faulthandler
import json
import logging
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from nameplate.campaign.ingest import IngestSettings
from nameplate.records import from_jsonl
from nameplate.steps.ingest import LedgerRow
from nameplate.streams import stream
from nameplate_ingest import ingest
from nameplate_ingest.dicom.content import Content, DiskFile
from nameplate_ingest.dicom.pixels import hounsfield
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources import index, scan, source

KEY = "a key for this benchmark"
MATRIX = 64
FENCE = 4 << 30
"""Address space that a process may take in bytes; more ends as a MemoryError."""
LONGEST_S, LARGEST_MIB = 5.0, 1024.0
BATCH_S = 600.0
COMMAND = "import sys; from nameplate_ingest.cli import main; sys.exit(main())"


@dataclass
class Figures:
    """What was seen so far."""

    files: int = 0
    studies: int = 0
    exams: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    """Files that are in no row of a ledger, or in two."""
    errors: Counter[str] = field(default_factory=Counter)
    """Places in the code where something unforeseen was raised."""
    rules: Counter[str] = field(default_factory=Counter)
    file_s: float = 0.0
    study_s: float = 0.0
    memory_mib: float = 0.0

    @property
    def good(self) -> bool:
        """Whether everything is as it must be."""
        slowest = max(self.file_s, self.study_s)
        whole = not (self.crashes or self.lost or self.errors or self.rules["error"])
        return whole and slowest <= LONGEST_S and self.memory_mib <= LARGEST_MIB


def write_batch(folder: Path, pool: Any, size: int, seed: int, number: int) -> int:
    """Write a batch of about ``size`` files; returns how many."""
    from tests.services.ingest.dicom_parts import renamed
    from tests.services.ingest.mutate import damaged_study, mutated
    from tests.services.ingest.mutation_pool import DIGITS

    loose, studies = pool
    random = stream(seed, "mutations", number)
    count = 0

    def write(data: bytes) -> None:
        nonlocal count
        (folder / f"{count:06d}").write_bytes(data)
        count += 1

    serial = number * 100_000
    while count < size:
        serial += 1
        digits = b"%010d" % (serial if random.random() < 0.9 else 7)
        if count < size // 2:
            write(mutated(renamed(loose[int(random.integers(len(loose)))], DIGITS, digits), random)[0])
        else:
            study = studies[int(random.integers(len(studies)))]
            files = damaged_study([renamed(base, DIGITS, digits) for base in study], random)
            for data in files[: size - count]:
                write(data)
    return count


def observe(folder: Path, out: Path) -> dict[str, Any]:
    """Ingest a batch in this process, and what it took."""
    seen: dict[str, Any] = {"errors": Counter(), "file_s": 0.0, "study_s": 0.0}
    logging.disable()

    def noted(function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose unforeseen errors are noted on their way."""

        def call(*arguments: Any, **options: Any) -> Any:
            try:
                return function(*arguments, **options)
            except Refused:
                raise
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                inner = [
                    f"{Path(at.filename).name}:{at.lineno}"
                    for at in traceback.extract_tb(error.__traceback__)
                    if "nameplate_ingest" in at.filename
                ]
                where = inner[-1] if inner else f"{Path(place.filename).name}:{place.lineno}"
                seen["errors"][f"{type(error).__name__} at {where}"] += 1
                print(f"--- {arguments[:1]!r:.200}\n{traceback.format_exc()}", file=sys.stderr)
                raise

        return call

    def timed(paths: Any, *rest: Any) -> Iterator[Any]:
        items = real_scan(paths, *rest)
        while True:
            start = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                seen["file_s"] = max(seen["file_s"], time.perf_counter() - start)
            yield item

    def images(file: Content, elements: Any) -> list[Slice]:
        return list(real_images(file, elements))

    real_scan, real_images = scan.scan_files, scan.images_of
    scan.read_elements = noted(scan.read_elements)
    scan.images_of = noted(images)
    index.scan_files = timed
    source.ingest_study = noted(source.ingest_study)
    last = 0.0

    def progress(*_: int) -> None:
        nonlocal last
        seen["study_s"] = max(seen["study_s"], time.perf_counter() - last) if last else 0.0
        last = time.perf_counter()

    def indexed(_: int) -> None:
        nonlocal last
        last = time.perf_counter()

    ingest.ingest_folder(
        folder,
        out,
        IngestSettings(matrix=MATRIX),
        key=KEY.encode(),
        progress=progress,
        indexing=indexed,
        resumable=True,
    )
    decode = noted(hounsfield)
    for path in sorted(folder.iterdir()):
        for item in real_scan([DiskFile(path)], Pseudonyms(KEY.encode())):
            if isinstance(item, Slice) and item.grid is not None:
                start = time.perf_counter()
                try:
                    decode(item)
                except Exception as error:
                    seen["refused"] = type(error).__name__
                seen["file_s"] = max(seen["file_s"], time.perf_counter() - start)
    return seen


def run_apart(command: list[str], log: Path) -> tuple[int, float, float]:
    """Run a process within the fence; returns its status, seconds and largest memory in MiB."""

    def fence() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (FENCE, FENCE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    environment = {**os.environ, "NAMEPLATE_KEY": KEY, "OPENBLAS_NUM_THREADS": "1"}
    start = time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env=environment, preexec_fn=fence)
        timer = threading.Timer(BATCH_S, process.kill)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.perf_counter() - start, usage.ru_maxrss / 1024


def one_batch(figures: Figures, folder: Path, count: int, number: int) -> bool:
    """Ingest one batch and add what was seen; returns whether all is well."""
    source, out, told, log = folder / "in", folder / "out", folder / "told.json", folder / "log"
    before = figures.lost + figures.errors.total() + figures.crashes.total()
    as_command = number % 4 == 3
    if as_command:
        workers = str(1 + number // 4 % 2)
        command = [sys.executable, "-c", COMMAND, str(source), "--out", str(out), "--matrix", str(MATRIX)]
        code, _, memory = run_apart([*command, "--workers", workers], log)
    else:
        code, _, memory = run_apart([sys.executable, __file__, "--observe", str(folder)], log)
    figures.files += count
    figures.memory_mib = max(figures.memory_mib, memory)
    if code not in ((0, 2) if as_command else (0,)):
        figures.crashes[f"ended with {code}"] += 1
        return False
    if not as_command:
        seen = json.loads(told.read_text())
        figures.errors.update(seen["errors"])
        figures.file_s = max(figures.file_s, seen["file_s"])
        figures.study_s = max(figures.study_s, seen["study_s"])
    rows = from_jsonl(LedgerRow, (out / "ledger.jsonl").read_bytes())
    figures.lost += abs(sum(row.files for row in rows) - count)
    figures.rules.update(row.rule for row in rows)
    figures.studies += len({row.exam for row in rows if row.exam})
    figures.exams += (out / "exams.jsonl").read_bytes().count(b"\n")
    bad = figures.lost + figures.errors.total() + figures.crashes.total() > before
    return not bad and not any(row.rule == "error" for row in rows)


def show(figures: Figures, seconds: float) -> None:
    """Print the table."""
    print(
        f"{figures.files} damaged files of {figures.studies} studies in {seconds:.0f} s, {MATRIX} x {MATRIX}:"
    )
    print(f"  processes that crashed or hung    {figures.crashes.total()}  {dict(figures.crashes) or ''}")
    print(f"  files not accounted for           {figures.lost}")
    print(f"  rows that say 'error'             {figures.rules['error']}")
    print(f"  longest for a file                {figures.file_s:.2f} s")
    print(f"  longest for a study               {figures.study_s:.2f} s")
    print(f"  largest memory of a process       {figures.memory_mib:.0f} MiB")
    print(f"  exams written                     {figures.exams}")
    print("ledger rows by rule, the most frequent ones:")
    for rule, count in figures.rules.most_common(15):
        print(f"  {rule:<20} {count:6d}")
    for place, count in figures.errors.most_common():
        print(f"unforeseen: {place}, {count} times")


def main() -> int:
    """Run all batches and print what was seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=500, help="files a process (500)")
    parser.add_argument("--keep", type=Path, help="folder for batches that went wrong")
    parser.add_argument("--only", type=int, help="run only the batch of this number")
    parser.add_argument("--observe", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.observe:
        # Shortly before the process is killed for hanging, it says where; not earlier: Python's frames are
        # read while they change, which may itself end the process.
        faulthandler.enable()
        faulthandler.dump_traceback_later(BATCH_S - 20, exit=True)
        told = observe(arguments.observe / "in", arguments.observe / "out")
        (arguments.observe / "told.json").write_text(json.dumps(told))
        return 0
    from tests.services.ingest.conftest import head_series
    from tests.services.ingest.mutation_pool import loose_files, whole_studies

    pool = loose_files(head_series), whole_studies(head_series)
    figures, start, numbers = Figures(), time.perf_counter(), range(-(-arguments.files // arguments.batch))
    for number in numbers if arguments.only is None else [arguments.only]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "in").mkdir()
            size = min(arguments.batch, arguments.files - number * arguments.batch)
            count = write_batch(folder / "in", pool, size, arguments.seed, number)
            if not one_batch(figures, folder, count, number) and arguments.keep:
                shutil.copytree(folder, arguments.keep / f"{number:04d}", dirs_exist_ok=True)
    show(figures, time.perf_counter() - start)
    return 0 if figures.good else 1


if __name__ == "__main__":
    sys.exit(main())
