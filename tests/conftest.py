"""A real S3 server for the tests that need one, and a campaign small enough to be run in a test."""

import logging
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import settings
from minio import Minio, MinioAdmin
from minio.credentials import AssumeRoleProvider, StaticProvider

from nameplate.service.arithmetic import settle_arithmetic
from nameplate.service.log import JsonFormatter

# As every entry of the product does, and before a test loads NumPy: what is compared with the results of a
# process of its own is then calculated alike.
settle_arithmetic()

# The same examples every time: what does not land because of a test must not depend on luck or on how busy
# the machine is. `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def _no_log_of_another_test() -> Iterator[None]:
    """A command that a test has run logs to a standard error that ends with the test."""
    yield
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler.formatter, JsonFormatter):
            root.removeHandler(handler)
            root.setLevel(logging.WARNING)


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
        where = urlsplit(self.endpoint)
        return Minio(
            endpoint=where.netloc,
            access_key=self.access_key,
            secret_key=self.secret_key,
            secure=where.scheme == "https",
        )


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def minio(
    folder: Path, *options: str, scheme: str = "http", environment: Mapping[str, str] = {}
) -> Iterator[S3Server]:
    """A MinIO server with a bucket ``bias``, its data in ``folder``; ``environment`` is added to its own."""
    program = shutil.which("minio")
    if program is None:
        pytest.skip("no MinIO server program on PATH")
    address = f"127.0.0.1:{free_port()}"
    server = S3Server(f"{scheme}://{address}")
    process = subprocess.Popen(
        [program, "server", "--quiet", "--address", address, *options, str(folder)],
        env={
            **os.environ,
            **environment,
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


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with minio(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture
def s3_account(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, with its account in the environment."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def folder_account(s3_server: S3Server) -> dict[str, str]:
    """A temporary account, as variables, that may use the folder ``team/ct`` of the bucket alone."""
    bucket = "arn:aws:s3:::bias"
    statements = [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": [bucket],
            "Condition": {"StringLike": {"s3:prefix": ["team/ct/*"]}},
        },
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": [f"{bucket}/team/ct/*"],
        },
    ]
    root = StaticProvider(s3_server.access_key, s3_server.secret_key)
    admin = MinioAdmin(endpoint=urlsplit(s3_server.endpoint).netloc, credentials=root, secure=False)
    admin.policy_add(policy_name="folder", policy={"Version": "2012-10-17", "Statement": statements})
    admin.user_add(access_key="folder", secret_key="a-secret-for-this-test-only")
    admin.policy_set(policy_name="folder", user="folder")
    hour = AssumeRoleProvider(
        sts_endpoint=s3_server.endpoint,
        access_key="folder",
        secret_key="a-secret-for-this-test-only",
        duration_seconds=3600,
    ).retrieve()
    assert hour.session_token is not None
    return {
        "AWS_ACCESS_KEY_ID": hour.access_key,
        "AWS_SECRET_ACCESS_KEY": hour.secret_key,
        "AWS_SESSION_TOKEN": hour.session_token,
    }


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An authority of the site's own: its file, and in the environment a server that it vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl program on PATH")
    folder = tmp_path / "certificates"
    folder.mkdir()
    certificate = folder / "public.crt"  # these names are MinIO's
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=site", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(folder / "private.key"), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with minio(tmp_path / "minio", "--certs-dir", str(folder), scheme="https") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield certificate


TINY = Path(__file__).with_name("tiny.yaml")


@pytest.fixture(scope="session")
def tiny_text() -> str:
    """A campaign with every step, at a size that runs in well under a minute."""
    return TINY.read_text()


@pytest.fixture(scope="session")
def controlled_text(tiny_text: str) -> str:
    """The same campaign with every experiment on a null control too, derived from its cohort."""
    control = "cohorts:\n  control: {role: null-control, from: study, shuffle: factor}\n"
    text = tiny_text.replace("cohorts:\n", control, 1)
    return text.replace("cohorts: [study]", "cohorts: [study, control]")
