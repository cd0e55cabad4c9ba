"""Printing the committed report to standard output, for a machine without access to the store."""

import sys
import tempfile
from pathlib import Path

from nameplate.errors import DamagedObject, UserError
from nameplate.job.result import committed_jobs, read_output, read_result
from nameplate.service.arguments import add_store_argument
from nameplate.service.command import parser_of
from nameplate.service.log import log_to_stderr
from nameplate.steps.report import FILE, STEP
from nameplate.steps.step import step_of
from nameplate.store import Store, open_store
from nameplate.store.folder_tar import pack_folder
from nameplate.store.parcel import encode


def export(arguments: list[str]) -> int:
    """``export --store URL``: the report as lines that ``nameplate report`` reads from a pod's log.

    Exit code 2 when the campaign has no report yet.
    """
    parser = parser_of(
        "nameplate-evaluation export",
        "Print the report of a campaign to standard output, packed into lines of text, which "
        "`nameplate report NAME` reads from a pod's log. The report must already exist.",
        "nameplate-evaluation export --store s3://bucket/demo",
    )
    add_store_argument(parser)
    options = parser.parse_args(arguments)
    log_to_stderr()
    archive = report_archive(open_store(options.store, create=False))
    for line in encode(archive):
        print(line, file=sys.stdout)  # noqa: T201 (this is the output)
    sys.stdout.flush()
    return 0


def report_archive(store: Store) -> bytes:
    """The files of the committed report as a tar; UserError when there is none."""
    result = read_result(store, STEP.name)
    if result is None:
        done = committed_jobs(store)
        predicted = sum(step_of(job) == "prediction" for job in done)
        raise UserError(
            f"{store.url}: no report yet ({len(done)} jobs are done, {predicted} of them predictions); "
            "it is written once every prediction is done"
        )
    with tempfile.TemporaryDirectory(prefix="nameplate-") as temporary:
        folder = Path(temporary) / "report"
        for output in result.outputs:
            name = FILE.fields(output.key).get("file")
            if name is None:
                raise DamagedObject(f"{store.url}: {output.key} is not a file of a report")
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(read_output(store, output))
        archive = Path(temporary) / "report.tar"
        pack_folder(folder, archive)
        return archive.read_bytes()
