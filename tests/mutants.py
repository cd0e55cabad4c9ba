#!/usr/bin/env python3
"""Change one line of the product at a time and see its test fail: tests/mutants.py [WORD ...]

A *mutant* is the product with one line changed so that it breaks one promise. It is *caught* when the test
file that holds this promise fails, and has survived when all tests pass: the promise is then held by
nothing. Each mutant is a copy of shared/ and services/ in a temporary folder; the tests are the ones here,
which import the copy because PYTHONPATH comes before what pip has installed. Before, every test file must
pass on a copy without a change: only then does a failure mean anything.

With words, only the mutants whose promise or files have one of them are made. Exit code 1 when one
survives, when a line is not found exactly once, or when a test file fails without a change.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from promises import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("shared", "services")
PROCESSES = 2
SECONDS = 300
"""Of one test file, after which a mutant counts as caught: it waits for something that never comes."""
FAILED = 1
"""What pytest returns when tests ran and some failed; anything else says nothing about a promise."""


class Invalid(Exception):
    """What was found says nothing about any promise."""


@contextmanager
def copy_of_product() -> Iterator[Path]:
    """A folder with shared/ and services/ as they are here."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        for top in PRODUCT:
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(ROOT / top, Path(folder) / top, ignore=ignored)
        yield Path(folder)


def environment_of(copy: Path) -> dict[str, str]:
    """An environment whose Python imports the product from a copy."""
    folders = [copy / "shared", *sorted(path for path in (copy / "services").iterdir() if path.is_dir())]
    path = os.pathsep.join(map(str, folders))
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def check_imports(copy: Path) -> None:
    """Raise Invalid unless every package of the product comes from the copy, as pytest will find it."""
    packages = ["nameplate", *(path.name for path in copy.glob("services/*/nameplate_*"))]
    code = (
        "import importlib.util, sys\nfor name in sys.argv[1:]: print(importlib.util.find_spec(name).origin)"
    )
    command = [sys.executable, "-c", code, *packages]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment_of(copy), capture_output=True, text=True, check=True
    )
    for name, origin in zip(packages, ran.stdout.splitlines(), strict=True):
        if not Path(origin).resolve().is_relative_to(copy.resolve()):
            raise Invalid(f"{name} is imported from {origin}, not from the copy")


def apply(mutant: Mutant, copy: Path) -> None:
    """Change the one line; raises Invalid when it is not found exactly once."""
    path = copy / mutant.file
    text = path.read_text()
    if (count := text.count(mutant.line)) != 1:
        raise Invalid(f"found {count} times in {mutant.file}, expected once: {mutant.line.strip()!r}")
    path.write_text(text.replace(mutant.line, mutant.instead))


def run_tests(copy: Path, *files: str) -> tuple[int | None, str]:
    """pytest's exit code, None when the time was over, and the last lines that it printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += [f"tests/{name}" for name in files]
    try:
        ran = subprocess.run(
            command, cwd=ROOT, env=environment_of(copy), capture_output=True, text=True, timeout=SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None, ""
    return ran.returncode, "\n".join(ran.stdout.splitlines()[-5:])


def check_unchanged(files: Sequence[str]) -> None:
    """Raise Invalid unless the tests pass on a copy of the product as it is."""
    with copy_of_product() as copy:
        check_imports(copy)
        code, tail = run_tests(copy, *files)
        if code != 0:
            raise Invalid(f"the tests do not pass without a change:\n{tail}")


def outcome_of(mutant: Mutant) -> str:
    """Caught, with the test that failed first, or SURVIVED, or why neither can be said."""
    try:
        with copy_of_product() as copy:
            apply(mutant, copy)
            code, tail = run_tests(copy, mutant.test)
    except Invalid as invalid:
        return f"INVALID: {invalid}"
    if code in (FAILED, None):
        failed = re.findall(r"^(?:FAILED|ERROR) \S+?::(\w+)", tail, re.MULTILINE)
        return f"caught: {failed[0] if failed else 'the time was over'}"
    return "SURVIVED" if code == 0 else f"INVALID: pytest ended with {code}: {tail}"


def main(words: Sequence[str]) -> int:
    """Print a line a mutant as they end, then how many there were."""
    chosen = [
        mutant
        for mutant in MUTANTS
        if not words or any(word in " ".join((mutant.promise, mutant.file, mutant.test)) for word in words)
    ]
    began = time.monotonic()
    try:
        check_unchanged(sorted({mutant.test for mutant in chosen}))
    except Invalid as invalid:
        print(invalid, file=sys.stderr)
        return 1
    caught = 0
    with ThreadPoolExecutor(PROCESSES) as pool:
        for mutant, outcome in zip(chosen, pool.map(outcome_of, chosen), strict=True):
            print(f"{mutant.promise:<54} {outcome}", flush=True)
            caught += outcome.startswith("caught")
    print(f"\n{caught} of {len(chosen)} caught, {time.monotonic() - began:.0f} s")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
