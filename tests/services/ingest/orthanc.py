"""A real PACS for tests: Debian's Orthanc with its plugin for DICOMweb, in a network of its own."""

import ctypes
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.conftest import free_port

PROGRAM = shutil.which("Orthanc")
PLUGIN = next(Path("/usr/lib/orthanc").glob("libOrthancDicomWeb.so*"), None)
_NEW_NETWORK = 0x40000000
_SET_FLAGS, _UP = 0x8914, 0x1 | 0x40


@contextmanager
def own_network() -> Iterator[None]:
    """This thread, and all that it starts, in a network where nobody else is; skips where it may not.

    Orthanc listens on every address of its machine: there is no setting for another one.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(_NEW_NETWORK) != 0:
            pytest.skip(f"no network of its own: {os.strerror(ctypes.get_errno())}")
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
                fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))
            yield
        finally:
            assert libc.setns(before, _NEW_NETWORK) == 0
    finally:
        os.close(before)


class Orthanc:
    """A server with a folder of its own; it can be stopped, and started again with what it had."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._folder = folder
        self.web, self.dimse, self.ours = free_port(), free_port(), free_port()
        """Where it listens, and where it is told that we do."""
        self.url = f"http://127.0.0.1:{self.web}"
        self.account: tuple[str, str] | None = next(iter(settings.get("RegisteredUsers", {}).items()), None)
        folder.mkdir(exist_ok=True)
        self._file = folder / "orthanc.json"
        self._file.write_text(
            json.dumps(
                {
                    "StorageDirectory": str(folder / "db"),
                    "IndexDirectory": str(folder / "db"),
                    "Plugins": [str(PLUGIN)],
                    "RemoteAccessAllowed": False,
                    "AuthenticationEnabled": False,
                    "HttpPort": self.web,
                    "DicomAet": "ORTHANC",
                    "DicomPort": self.dimse,
                    "DicomModalities": {"nameplate": ["NAMEPLATE", "127.0.0.1", self.ours]},
                    "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
                    **settings,
                }
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        """Of DICOMweb."""
        return f"{self.url}/dicom-web"

    def start(self) -> None:
        assert PROGRAM is not None
        with (self._folder / "orthanc.log").open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, "--verbose", str(self._file)], stdout=log, stderr=log)
        for _ in range(300):
            try:
                self.rest("GET", "/system")
                return
            except requests.ConnectionError:
                assert self._process.poll() is None, self.log()[-2000:]
                time.sleep(0.1)
        raise AssertionError(self.log()[-2000:])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def log(self) -> str:
        """All that it has said since it was made."""
        return (self._folder / "orthanc.log").read_text(errors="replace")

    def rest(self, method: str, path: str, **options: Any) -> Any:
        """Its own interface, which is for administrators."""
        answer = requests.request(method, self.url + path, auth=self.account, timeout=60, **options)
        answer.raise_for_status()
        return answer.json()

    def store(self, *files: Path) -> None:
        """Put DICOM files into it."""
        for file in files:
            self.rest("POST", "/instances", data=file.read_bytes())

    def delete(self, uid: str) -> None:
        """Delete the study of this UID."""
        for name in self.rest("POST", "/tools/lookup", data=uid):
            self.rest("DELETE", name["Path"])

    @property
    def instances(self) -> int:
        return int(self.rest("GET", "/statistics")["CountInstances"])


@contextmanager
def orthanc(folder: Path, **settings: Any) -> Iterator[Orthanc]:
    """A running server, in a network of its own; skips where there is no Orthanc."""
    if PROGRAM is None or PLUGIN is None:
        pytest.skip("no Orthanc with its DICOMweb plugin")
    server = Orthanc(folder, **settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
