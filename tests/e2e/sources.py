#!/usr/bin/env python3
"""The same exams from everywhere, on this machine: a folder, archives, a bucket, a PACS asked in three ways.

    tests/e2e/sources.py [--exams 40] [--kills 10] [--seed 1]

A real Orthanc and a real MinIO serve simulated exams in a network namespace of their own. A campaign is run
from each source to its report, and all that it committed must be the same bytes. Then each source that has to
be fetched from is run again with SIGKILL to the whole campaign at random moments of its ingest, to the same
bytes; and the PACS' own log says how often each study was fetched: twice at most. What was planted as secret
(passwords, names of patients, UIDs) must be in no log and no output. Needs the programs Orthanc and minio and
the right to make a namespace.
"""

import argparse
import hashlib
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
import yaml
import zstandard
from minio import Minio

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = Path("/usr/lib/orthanc/libOrthancDicomWeb.so")
HTTP, DICOM, RECEIVE, S3 = 18042, 14242, 14243, 19000
INSIDE = "NAMEPLATE_E2E_INSIDE"
FETCHED = {
    "dicomweb": re.compile(r"GET /dicom-web/studies/([0-9.]+)$", re.MULTILINE),
    "get": re.compile(r"C-GET-SCU request received.*?StudyInstanceUID = ([0-9.]+)", re.DOTALL),
    "move": re.compile(r"Move-SCU request received.*?StudyInstanceUID = ([0-9.]+)", re.DOTALL),
}
"""How Orthanc's log tells that a study is asked for, by the way of asking."""

OF_RESULTS = ("cohorts/", "datasets/", "packs/", "models/")
"""What is compared: not the report, which says what kind of source there was."""


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--exams", type=int, default=40)
    parser.add_argument("--kills", type=int, default=10, help="of each source that is fetched from")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        # Orthanc listens at every address: in a namespace nobody else can reach it.
        program = 'ip link set lo up && exec "$@"'
        command = ["unshare", "-n", "bash", "-c", program, "bash", sys.executable, *sys.argv]
        return subprocess.run(command, env={**os.environ, INSIDE: "yes"}, check=False).returncode
    with tempfile.TemporaryDirectory(prefix="nameplate-sources-") as folder:
        return Trial(Path(folder), options).run()


class Trial:
    """Exams in every kind of source, and what was made of them."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.options = folder, options
        self.password = secrets.token_hex(12)
        self.dice = random.Random(options.seed)
        self.environment = {
            **os.environ,
            "NAMEPLATE_KEY": secrets.token_hex(16),
            "NAMEPLATE_SOURCE_ORTHANC_USERNAME": "nameplate",
            "NAMEPLATE_SOURCE_ORTHANC_PASSWORD": self.password,
            "NAMEPLATE_SOURCE_BUCKET_ACCESS_KEY_ID": "nameplate",
            "NAMEPLATE_SOURCE_BUCKET_SECRET_ACCESS_KEY": self.password,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self.secrets: set[bytes] = {self.password.encode()}

    def run(self) -> int:
        self._make_exams()
        with self._orthanc(), self._minio():
            self._fill()
            sources = self._sources()
            whole = self._campaign("folder", sources["folder"])
            say(f"folder: {len(whole)} objects")
            for name in list(sources)[1:]:
                started = time.monotonic()
                found = self._campaign(name, sources[name])
                same = _check_same(whole, found, name)
                say(f"{name}: {same} objects, the same bytes, {time.monotonic() - started:.0f} s")
            for name in ("dicomweb", "get", "move", "zip", "bucket"):
                self._killed(name, sources[name], whole)
        self._check_secrets()
        say("all is well")
        return 0

    def _make_exams(self) -> None:
        place = self.folder / "dicom"
        command = ["phantom", "--exams", str(self.options.exams), "--seed", "7", "--out", str(place)]
        self._nameplate(*command, "--matrix", "64", "--thin-mm", "5")
        for path in place.rglob("*"):
            if path.is_file() and path.read_bytes()[128:132] != b"DICM":
                path.unlink()  # what the simulation tells: a PACS would not take it
        files = sorted(path for path in place.rglob("*") if path.is_file())
        for path in files:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            self.secrets |= {str(dataset.PatientName).encode(), str(dataset.StudyInstanceUID).encode()}
        with zipfile.ZipFile(self.folder / "exams.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.relative_to(place))
        with (
            (self.folder / "exams.tar.zst").open("wb") as raw,
            zstandard.ZstdCompressor().stream_writer(raw) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            for path in files:
                archive.add(path, path.relative_to(place))
        say(f"{self.options.exams} exams, {len(files)} files")

    @contextmanager
    def _orthanc(self) -> Iterator[None]:
        plugin = next(PLUGIN.parent.glob(f"{PLUGIN.name}*"))
        settings = {
            "StorageDirectory": str(self.folder / "orthanc"),
            "IndexDirectory": str(self.folder / "orthanc"),
            "Plugins": [str(plugin)],
            "RemoteAccessAllowed": True,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {"nameplate": self.password},
            "HttpPort": HTTP,
            "DicomAet": "ORTHANC",
            "DicomPort": DICOM,
            "DicomAlwaysAllowGet": True,
            "DicomModalities": {"nameplate": ["NAMEPLATE", "127.0.0.1", RECEIVE]},
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
            "DeidentifyLogs": False,
            "SaveJobs": False,
        }
        (self.folder / "orthanc.json").write_text(json.dumps(settings))
        self.log = self.folder / "orthanc.log"
        with self.log.open("wb") as log:
            command = ["Orthanc", "--verbose", str(self.folder / "orthanc.json")]
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self._wait(f"http://127.0.0.1:{HTTP}/system")
            yield
        finally:
            process.terminate()
            process.wait()

    @contextmanager
    def _minio(self) -> Iterator[None]:
        account = {"MINIO_ROOT_USER": "nameplate", "MINIO_ROOT_PASSWORD": self.password}
        command = ["minio", "server", str(self.folder / "minio"), "--address", f"127.0.0.1:{S3}", "--quiet"]
        process = subprocess.Popen(
            command, env={**os.environ, **account}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._wait(f"http://127.0.0.1:{S3}/minio/health/live")
            yield
        finally:
            process.terminate()
            process.wait()

    def _wait(self, url: str) -> None:
        for _ in range(100):
            try:
                self._http(url)
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit(f"{url} does not answer")

    def _http(self, url: str, data: bytes | None = None) -> bytes:
        manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        manager.add_password(None, url, "nameplate", self.password)
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
        with opener.open(url, data, timeout=30) as answer:
            content: bytes = answer.read()
            return content

    def _fill(self) -> None:
        client = Minio(f"127.0.0.1:{S3}", "nameplate", self.password, secure=False)
        client.make_bucket("exams")
        place = self.folder / "dicom"
        for path in sorted(path for path in place.rglob("*") if path.is_file()):
            self._http(f"http://127.0.0.1:{HTTP}/instances", path.read_bytes())
            client.fput_object("exams", f"raw/{path.relative_to(place).as_posix()}", str(path))
        client.fput_object("exams", "packed/exams.zip", str(self.folder / "exams.zip"))

    def _sources(self) -> dict[str, dict[str, object]]:
        days = {"since": "1990-01-01", "until": "2035-12-31", "window_days": 366, "account": "orthanc"}
        pacs = {"kind": "dimse", "host": "127.0.0.1", "port": DICOM, "called": "ORTHANC", **days}
        bucket = {"kind": "bucket", "endpoint": f"http://127.0.0.1:{S3}", "account": "bucket"}
        return {
            "folder": {"kind": "folder", "path": "dicom"},
            "zip": {"kind": "archive", "path": "exams.zip"},
            "tar.zst": {"kind": "archive", "path": "exams.tar.zst"},
            "bucket": {**bucket, "url": "s3://exams/raw"},
            "bucket of archives": {**bucket, "url": "s3://exams/packed"},
            "dicomweb": {"kind": "dicomweb", "url": f"http://127.0.0.1:{HTTP}/dicom-web", **days},
            "get": {**pacs, "retrieve": "get"},
            "move": {**pacs, "retrieve": "move", "receive_port": RECEIVE},
        }

    def _file(self, source: dict[str, object]) -> Path:
        """The campaign with this source; in a folder that all share, where relative paths start."""
        raw = yaml.safe_load((ROOT / "tests" / "tiny.yaml").read_text())
        del raw["cohorts"]["study"]["phantom"]
        raw["cohorts"]["study"] |= {"source": source, "shards": 4}
        path = self.folder / "campaign.yaml"
        path.write_text(yaml.safe_dump(raw))
        return path

    def _campaign(self, name: str, source: dict[str, object]) -> dict[str, str]:
        store = self.folder / "stores" / name.replace(" ", "-")
        self._nameplate("run", str(self._file(source)), "--store", str(store), "--workers", "2")
        return _digests(store)

    def _killed(self, name: str, source: dict[str, object], whole: dict[str, str]) -> None:
        """Run it with a SIGKILL to all its processes at random moments, then to its end."""
        store = self.folder / "stores" / f"{name}-killed"
        command = [sys.executable, "-m", "nameplate_local", "run", str(self._file(source))]
        command += ["--store", str(store), "--workers", "2"]
        begin = self.log.stat().st_size
        done = 0
        for kill in range(self.options.kills):
            process = subprocess.Popen(
                command,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            # From the first study that is done in this attempt on: it must go on somewhere.
            kept = store / "work" / "studies" / "study"
            for _ in range(600):
                if process.poll() is not None or len(list(kept.glob("*.json"))) > done:
                    break
                time.sleep(0.05)
            time.sleep(self.dice.uniform(0, 0.4))
            over = process.poll() is not None
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            done = len(list(kept.glob("*.json")))
            if over:
                say(f"{name}: over before kill {kill + 1}")
                break
        before = done
        self._nameplate(*command[3:])
        same = _check_same(whole, _digests(store), name)
        told = f"{name}: killed {self.options.kills} times ({before} studies done by then)"
        told += f", {same} objects the same"
        if name in FETCHED:
            with self.log.open("rb") as log:
                log.seek(begin)
                times = Counter(FETCHED[name].findall(log.read().decode(errors="replace")))
            most = max(times.values())
            told += f"; fetched once: {sum(n == 1 for n in times.values())}, at most {most} times"
            if most > 2 or len(times) != self.options.exams:
                raise SystemExit(f"{name}: {len(times)} studies, fetched up to {most} times")
        say(told)

    def _check_secrets(self) -> None:
        """Nothing of a patient, and no password, in anything that a campaign wrote."""
        seen = 0
        for path in (self.folder / "stores").rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                seen += 1
                if any(secret in data for secret in self.secrets):
                    raise SystemExit(f"{path.relative_to(self.folder)}: holds what must not leave")
        say(f"{seen} files of logs and results hold none of {len(self.secrets)} secrets")

    def _nameplate(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "nameplate_local", *arguments]
        ran = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise SystemExit(f"{' '.join(arguments)}: {ran.returncode}\n{ran.stdout}{ran.stderr}")


def _digests(store: Path) -> dict[str, str]:
    """SHA-256 of every object that is a result, but for the listings: where exams are differs."""
    found = {}
    for path in store.rglob("*"):
        key = path.relative_to(store).as_posix()
        if path.is_file() and key.startswith(OF_RESULTS) and "/listing/" not in key:
            found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _check_same(whole: dict[str, str], found: dict[str, str], name: str) -> int:
    differing = sorted(key for key in whole.keys() | found.keys() if whole.get(key) != found.get(key))
    if differing:
        raise SystemExit(f"{name}: {len(differing)} objects differ from the folder's: {differing[:5]}")
    return len(found)


if __name__ == "__main__":
    if shutil.which("Orthanc") is None or shutil.which("minio") is None:
        sys.exit("needs the programs Orthanc (Debian: orthanc, orthanc-dicomweb) and minio")
    sys.exit(main())
