"""Printing the committed report to standard output, for a machine without an account of the store."""

import argparse
import sys
import tempfile
from pathlib import Path

from nameplate.archive import pack_folder
from nameplate.errors import DamagedObject, UserError
from nameplate.log import log_to_stderr
from nameplate.parcel import sent
from nameplate.result import read_output, read_result
from nameplate.store import Store, open_store

REPORT = "report"


def export(arguments: list[str]) -> int:
    """``export --store URL``: the report as lines that ``nameplate report`` reads from a pod's log.

    Exit code 2 when the campaign has no report yet.
    """
    parser = argparse.ArgumentParser(
        prog="nameplate-evaluation export",
        description="Print the report of a campaign to standard output, packed into lines of text: what "
        "`nameplate report NAME` reads from the log of a pod. The report must have been made.",
        epilog="example:\n  nameplate-evaluation export --store s3://bucket/demo",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--store", required=True, help="a folder or s3://bucket/prefix")
    options = parser.parse_args(arguments)
    log_to_stderr()
    archive = report_archive(open_store(options.store, create=False))
    for line in sent(archive):
        print(line, file=sys.stdout)  # noqa: T201 (this is the output)
    sys.stdout.flush()
    return 0


def report_archive(store: Store) -> bytes:
    """The files of the committed report as a tar; UserError when it is not there."""
    result = read_result(store, REPORT)
    if result is None:
        done = sorted(key for key in store.sizes("jobs/") if key.endswith(".json"))
        evaluated = sum(key.startswith("jobs/evaluation/") for key in done)
        raise UserError(
            f"{store.url}: no report yet ({len(done)} jobs are done, {evaluated} of them evaluations); "
            "it is made when every evaluation is done"
        )
    with tempfile.TemporaryDirectory(prefix="nameplate-") as temporary:
        folder = Path(temporary) / "report"
        for output in result.outputs:
            head, _, name = output.key.partition("/")
            if head != REPORT or not name:
                raise DamagedObject(f"{store.url}: {output.key} is no file of a report")
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(read_output(store, output))
        archive = Path(temporary) / "report.tar"
        pack_folder(folder, archive)
        return archive.read_bytes()
