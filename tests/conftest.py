"""A real S3 server for the tests that need one, and a campaign small enough to be run in a test."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from minio import Minio


@dataclass(frozen=True)
class S3Server:
    """A MinIO server on this machine, with one bucket ``bias``."""

    endpoint: str
    access_key: str = "nameplate-test"
    secret_key: str = "a-secret-for-this-test-only"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    @property
    def client(self) -> Minio:
        return Minio(
            endpoint=self.endpoint.removeprefix("http://"),
            access_key=self.access_key,
            secret_key=self.secret_key,
            secure=False,
        )


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    program = shutil.which("minio")
    if program is None:
        pytest.skip("no MinIO server program on PATH")
    address = f"127.0.0.1:{free_port()}"
    server = S3Server(f"http://{address}")
    process = subprocess.Popen(
        [program, "server", "--quiet", "--address", address, str(tmp_path_factory.mktemp("minio"))],
        env={
            **os.environ,
            "MINIO_ROOT_USER": server.access_key,
            "MINIO_ROOT_PASSWORD": server.secret_key,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                server.client.make_bucket(bucket_name="bias")
                break
            except Exception:
                time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def s3_account(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, with its account in the environment."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


TINY = Path(__file__).with_name("tiny.yaml")


@pytest.fixture(scope="session")
def tiny_text() -> str:
    """A campaign with every step, at a size that runs in well under a minute."""
    return TINY.read_text()
