"""Time and memory of a census of a PACS of many studies: a server that speaks QIDO-RS and holds no image.

    python benchmarks/census.py [--studies 5000]

The server is a process of its own and answers at once, with paging as the standard has it; every study has
three series: a head, its bones and a localizer. The census is the whole command as a process, its start and
its page included. It also counts what the server was asked: a census that asks study by study would ask
thousands of times.
"""

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
SCANNERS = (
    ("GE MEDICAL SYSTEMS", "LightSpeed VCT", ("STANDARD", "BONEPLUS"), "5"),
    ("GE MEDICAL SYSTEMS", "Revolution CT", ("STANDARD", "BONEPLUS"), "2.5"),
    ("SIEMENS", "SOMATOM Definition AS+", ("J40s", "J70h"), "4"),
    ("Siemens Healthineers", "SOMATOM Force", ("Hr38f", "Hr69f"), "5"),
    ("Philips", "Brilliance 64", ("UB", "YD"), "5"),
    ("TOSHIBA", "Aquilion ONE", ("FC26", "FC81"), "5"),
)
TAGS = {
    "StudyInstanceUID": "0020000D",
    "SeriesInstanceUID": "0020000E",
    "StudyDate": "00080020",
    "ModalitiesInStudy": "00080061",
    "Modality": "00080060",
    "NumberOfStudyRelatedSeries": "00201206",
    "NumberOfStudyRelatedInstances": "00201208",
    "NumberOfSeriesRelatedInstances": "00201209",
    "SeriesDescription": "0008103E",
    "Manufacturer": "00080070",
    "ManufacturerModelName": "00081090",
    "ConvolutionKernel": "00181210",
    "SliceThickness": "00180050",
    "PatientID": "00100020",
    "PatientName": "00100010",
    "PatientSex": "00100040",
    "PatientAge": "00101010",
}
FIRST = date(2023, 1, 1)
SPAN = 365


def item(**values: Any) -> dict[str, Any]:
    """One data set in DICOM JSON."""
    return {
        TAGS[name]: {"vr": "PN", "Value": [{"Alphabetic": value}]}
        if name == "PatientName"
        else {"vr": "LO", "Value": [value]}
        for name, value in values.items()
    }


def archive(studies: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Its studies and series; the same number gives the same ones."""
    random, of_studies, of_series = Random(1), [], []
    for number in range(studies):
        day = FIRST + timedelta(days=number * SPAN // studies)
        uid = f"1.2.826.0.1.{number}"
        maker, model, kernels, thickness = random.choices(SCANNERS, (30, 15, 20, 15, 12, 8))[0]
        of_study = {
            "StudyInstanceUID": uid,
            "StudyDate": f"{day:%Y%m%d}",
            "PatientID": f"P{number // 2:06d}",
            "PatientName": f"Name{number // 2}^Person",
            "PatientSex": random.choice("FM"),
            "PatientAge": f"{min(95, max(1, round(random.gauss(62, 18)))):03d}Y",
        }
        agent = random.random() < 0.2
        series = (
            ("CT Head C+" if agent else "CT Head without", kernels[0], thickness, 32),
            ("Bone", kernels[1], "1.25", 160),
            ("Scout", "", "", 2),
        )
        images = sum(count for *_, count in series)
        of_studies.append(
            item(
                **of_study,
                ModalitiesInStudy="CT",
                NumberOfStudyRelatedSeries=len(series),
                NumberOfStudyRelatedInstances=images,
            )
        )
        for place, (text, kernel, thick, count) in enumerate(series):
            told = {"Manufacturer": maker, "ManufacturerModelName": model, "ConvolutionKernel": kernel}
            of_series.append(
                item(
                    **of_study,
                    **told,
                    SeriesInstanceUID=f"{uid}.{place}",
                    Modality="CT",
                    SeriesDescription=text,
                    SliceThickness=thick,
                    NumberOfSeriesRelatedInstances=count,
                )
            )
    return of_studies, of_series


def serve(studies: int, pipe: Connection) -> None:
    """Answer searches until the pipe is closed; tells the port first, and at the end how many it answered."""
    of_studies, of_series = archive(studies)
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(address.query).items()}
            rows = of_series if address.path.endswith("/series") else of_studies
            asked.append(address.path)
            first, last = query["StudyDate"].split("-")
            tag = TAGS["StudyDate"]
            found = [row for row in rows if first <= row[tag]["Value"][0] <= last]
            start, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
            body = json.dumps(found[start : start + limit]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_address[1])
    pipe.recv()
    pipe.send(len(asked))


def main() -> None:
    """Run the census once against the server."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=5000)
    studies = parser.parse_args().studies
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(studies, theirs), daemon=True)
    server.start()
    port = ours.recv()
    with tempfile.TemporaryDirectory() as scratch:
        program = "import sys; from nameplate_local.cli import main; sys.exit(main())"
        words = ["census", f"http://127.0.0.1:{port}/dicom-web", "--out", f"{scratch}/out"]
        words += ["--since", str(FIRST), "--until", str(FIRST + timedelta(days=SPAN - 1))]
        words += ["--studies-per-hour", "200"]
        environment = {**os.environ, "XDG_CONFIG_HOME": scratch}
        start = time.perf_counter()
        ran = subprocess.run(
            [sys.executable, "-c", program, *words], env=environment, capture_output=True, text=True
        )
        seconds = time.perf_counter() - start
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(ran.stdout, ran.stderr, sep="", end="")
        size = sum(path.stat().st_size for path in Path(scratch, "out").glob("*"))
    ours.send(None)
    print(
        f"\n{studies} studies: {seconds:.1f} s ({usage.ru_utime:.1f} s of it processor), peak "
        f"{usage.ru_maxrss / 1024:.0f} MiB, {ours.recv()} searches, {size / 1e3:.0f} kB written, "
        f"exit {ran.returncode}"
    )


if __name__ == "__main__":
    main()
