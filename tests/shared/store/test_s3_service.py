"""Where an S3 service is, by which way and as whom it is asked."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from minio.credentials import StaticProvider
from tests.conftest import minio

from nameplate.errors import StoreError, StoreUnreachable, UserError
from nameplate.store import open_store
from nameplate.store.s3 import S3Store
from nameplate.store.s3_service import S3Service, account_from_environment, connections_to, proxy_for

from .answering import Answer, answering
from .gateway import PATH, gateway

VARIABLES = [
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ROLE_ARN"),
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "NAMEPLATE_S3_STYLE"),
    *("NAMEPLATE_S3_ENCRYPTION", "NAMEPLATE_S3_KMS_KEY"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@dataclass
class Recorder:
    """A service that answers everything alike, and what it was asked."""

    address: str
    asked: list[tuple[str, str, dict[str, str]]]


@contextmanager
def recorder(status: int = 200, body: str = "") -> Iterator[Recorder]:
    asked: list[tuple[str, str, dict[str, str]]] = []

    def answer(*question: Any) -> Answer:
        asked.append(question)
        return Answer(status, body.encode())

    with answering(answer) as address:
        yield Recorder(address, asked)


EMPTY = "<ListBucketResult><Name>bias</Name></ListBucketResult>"


def test_an_address_of_ipv6_is_an_address() -> None:
    service = S3Service(endpoint="https://[fd00:10::5]:9443")
    client = service.client(StaticProvider("a", "b"), read_timeout=1, retries=urllib3.Retry(0))
    url = client._base_url.build(method="GET", region="us-east-1", bucket_name="bias", object_name="x")
    assert url.geturl() == "https://[fd00:10::5]:9443/bias/x"


@pytest.mark.parametrize(
    "endpoint",
    [
        *("minio:9000", "ftp://s3", "https://", "https:///s3", "https://me@gateway", "https://gateway?a=b"),
        *("https://gateway/s3//x", "https://gateway/../s3", "https://gateway/a b", "https://gateway/%73"),
    ],
)
def test_what_is_no_endpoint_is_the_users_mistake(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(UserError, match=r"AWS_ENDPOINT_URL: expected http://host:port"):
        S3Service.from_environment()


@pytest.mark.parametrize(
    ("style", "url"),
    [
        ("", "https://s3.example.org/bias/x"),
        ("path", "https://s3.example.org/bias/x"),
        ("virtual", "https://bias.s3.example.org/x"),
    ],
)
def test_the_buckets_name_goes_where_the_site_wants_it(
    style: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://s3.example.org")
    monkeypatch.setenv("NAMEPLATE_S3_STYLE", style)
    client = S3Service.from_environment().client(
        StaticProvider("a", "b"), read_timeout=1, retries=urllib3.Retry(0)
    )
    built = client._base_url.build(method="GET", region="us-east-1", bucket_name="bias", object_name="x")
    assert built.geturl() == url


def test_another_style_is_the_users_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_S3_STYLE", "virtul")
    with pytest.raises(UserError, match="expected auto, path or virtual, got 'virtul'"):
        S3Service.from_environment()


# --- a service below a path of its host ---


@pytest.mark.parametrize(
    "endpoint", ["https://gateway.example.org/storage/v1/s3", "https://s3.amazonaws.com/x/"]
)
def test_a_path_comes_before_the_bucket_and_the_bucket_never_before_the_host(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    client = S3Service.from_environment().client(
        StaticProvider("a", "b"), read_timeout=1, retries=urllib3.Retry(0)
    )
    place = {"method": "GET", "region": "us-east-1", "bucket_name": "bias"}
    built = [
        client._base_url.build(**place, object_name="x/ü").geturl(),
        client._base_url.build(**place).geturl(),
    ]
    root = endpoint.rstrip("/")
    if "amazonaws" in endpoint:
        root = "https://s3.us-east-1.amazonaws.com/x"
    assert built == [f"{root}/bias/x/%C3%BC", f"{root}/bias"]
    monkeypatch.setenv("NAMEPLATE_S3_STYLE", "virtual")
    with pytest.raises(UserError, match="expected auto or path, since AWS_ENDPOINT_URL has a path"):
        S3Service.from_environment()


@pytest.mark.s3
@pytest.mark.usefixtures("s3_account")
def test_a_gateway_that_knows_its_path_is_a_store(
    s3_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 50_000)  # in parts
    with gateway(s3_server) as gate:
        monkeypatch.setenv("AWS_ENDPOINT_URL", gate.endpoint)
        store = open_store("s3://bias/below/a")
        store.put("a/b_1.json", b"{}")
        store.put_file("big", big)
        assert store.get("a/b_1.json") == b"{}"
        assert store.fetch("big", tmp_path / "cache").read_bytes() == big.read_bytes()
        assert set(store.sizes("")) == {"a/b_1.json", "big", "nameplate-store.json"}
        store.delete("big")
        assert not store.exists("big")
    assert all(path.startswith(PATH) for _, path, _ in gate.asked)
    assert any("uploadId=" in path for _, path, _ in gate.asked)


@pytest.mark.s3
@pytest.mark.usefixtures("s3_account")
def test_a_proxy_that_takes_the_path_away_unseen_is_named(
    s3_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No client can help: what is signed is not what the service is asked."""
    with gateway(s3_server, knows=False) as gate:
        monkeypatch.setenv("AWS_ENDPOINT_URL", gate.endpoint)
        with pytest.raises(
            StoreError, match=r"SignatureDoesNotMatch.*the gateway takes /gate/s3 away"
        ) as caught:
            open_store("s3://bias/x")
    assert caught.value.exit_code == 2


# --- encryption ---


@pytest.mark.parametrize(
    ("encryption", "key", "expected"),
    [
        ("", "", {}),
        ("none", "", {}),
        ("AES256", "", {"x-amz-server-side-encryption": "AES256"}),
        ("aws:kms", "", {"x-amz-server-side-encryption": "aws:kms"}),
        (
            "aws:kms",
            "arn:aws:kms:eu-central-1:1:key/2",
            {
                "x-amz-server-side-encryption": "aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:eu-central-1:1:key/2",
            },
        ),
    ],
)
def test_every_write_asks_for_the_sites_encryption_and_nothing_else_does(
    encryption: str, key: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(12_000_000))
    every = "<Answer><Name>bias</Name><UploadId>u</UploadId></Answer>"
    with recorder(body=every) as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-long-secret")
        monkeypatch.setenv("NAMEPLATE_S3_ENCRYPTION", encryption)
        monkeypatch.setenv("NAMEPLATE_S3_KMS_KEY", key)
        store = S3Store.from_environment("s3://bias/x")
        store.put("small", b"x")
        with suppress(StoreUnreachable):  # the recorder's answers to the parts have no names
            store.put_file("big", big)
        store.get("small")
    writes, others = [], []
    for method, path, headers in s3.asked:
        # A single put, and the beginning of one in parts; the parts themselves say nothing.
        write = path.endswith("?uploads=") or (method == "PUT" and "uploadId" not in path)
        lower = {name.lower(): value for name, value in headers.items()}
        of_encryption = {name: value for name, value in lower.items() if "encryption" in name}
        (writes if write else others).append(of_encryption)
        assert all(name in lower["authorization"] for name in of_encryption), "signed"
    assert writes == [expected, expected]
    assert others
    assert not any(others)


@pytest.mark.parametrize(
    ("encryption", "key", "problem"),
    [
        ("aes256", "", "NAMEPLATE_S3_ENCRYPTION: expected none, AES256 or aws:kms, got 'aes256'"),
        ("AES256", "k", "NAMEPLATE_S3_KMS_KEY: expected NAMEPLATE_S3_ENCRYPTION to be aws:kms"),
    ],
)
def test_an_encryption_that_there_is_not(
    encryption: str, key: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMEPLATE_S3_ENCRYPTION", encryption)
    monkeypatch.setenv("NAMEPLATE_S3_KMS_KEY", key)
    with pytest.raises(UserError, match=problem):
        S3Service.from_environment()


@pytest.mark.s3
@pytest.mark.parametrize(("encryption", "key"), [("AES256", ""), ("aws:kms", "site-key"), ("aws:kms", "")])
def test_a_service_with_keys_encrypts_what_is_written(
    encryption: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"seen in the clear" * 700_000)
    keys = {"MINIO_KMS_SECRET_KEY": "site-key:" + base64.b64encode(bytes(range(32))).decode()}
    monkeypatch.setenv("NAMEPLATE_S3_ENCRYPTION", encryption)
    monkeypatch.setenv("NAMEPLATE_S3_KMS_KEY", key)
    with minio(tmp_path / "minio", environment=keys) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        store = open_store("s3://bias/x")
        store.put("small", b"seen in the clear")
        store.put_file("big", big)
        assert store.get("small") == b"seen in the clear"
        assert store.fetch("big", tmp_path / "cache").read_bytes() == big.read_bytes()
        for name in ("small", "big", "nameplate-store.json"):
            stat = server.client.stat_object(bucket_name="bias", object_name=f"x/{name}")
            assert stat.metadata["x-amz-server-side-encryption"] == encryption
    written = b"".join(
        path.read_bytes() for path in (tmp_path / "minio" / "bias").rglob("*") if path.is_file()
    )
    assert b"seen in the clear" not in written


@pytest.mark.s3
@pytest.mark.usefixtures("s3_account")
def test_a_service_without_keys_is_named_with_what_it_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_S3_ENCRYPTION", "AES256")
    with pytest.raises(StoreError, match=r"for nameplate-store\.json with encryption \(AES256\)") as caught:
        open_store("s3://bias/no-keys")
    assert caught.value.exit_code == 2


# --- proxies ---


@pytest.mark.parametrize(
    ("url", "bypass", "expected"),
    [
        ("https://s3.example.org", "", "http://secure:3128"),
        ("http://s3.example.org:9000", "", "http://plain:3128"),
        ("https://s3.example.org", "example.org", None),
        ("https://s3.example.org", "localhost,.example.org", None),
        ("https://s3.example.org:9443", "s3.example.org:9443", None),
        ("https://s3.example.org", "other.org", "http://secure:3128"),
        ("https://s3.example.org", "*", None),
        ("https://10.1.2.3", "10.0.0.0/8", None),
        ("https://10.1.2.3", "10.1.2.3", None),
        ("https://11.1.2.3", "10.0.0.0/8", "http://secure:3128"),
        ("https://[fd00::5]:9443", "fd00::/8", None),
        ("https://[fd00::5]:9443", "10.0.0.0/8, x", "http://secure:3128"),
        ("http://nameplate-minio:9000", "", None),
        ("http://127.0.0.1:9000", "", None),
        ("http://169.254.170.23", "", None),
    ],
)
def test_proxies_of_the_environment(
    url: str, bypass: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://secure:3128")
    monkeypatch.setenv("HTTP_PROXY", "plain:3128")
    monkeypatch.setenv("NO_PROXY", bypass)
    assert proxy_for(url) == expected


def test_without_proxies_there_is_none() -> None:
    assert proxy_for("https://s3.example.org") is None


@given(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=30))
def test_any_text_of_no_proxy_is_survived(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTPS_PROXY", "http://secure:3128")
        patch.setenv("NO_PROXY", text)
        assert proxy_for("https://10.1.2.3") in (None, "http://secure:3128")


def test_the_store_is_asked_through_the_proxy_and_with_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with recorder(body=EMPTY) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address.replace("http://", "http://user:word@"))
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://s3.example.org")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a long secret")
        pool = connections_to("http://s3.example.org")
        assert pool.request("GET", "http://s3.example.org/x").status == 200
    _, path, headers = proxy.asked[0]
    assert path == "http://s3.example.org/x"
    assert headers["proxy-authorization"] == "Basic dXNlcjp3b3Jk"


# --- accounts ---


def test_half_an_account_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY not set"):
        account_from_environment("here")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere")
    with pytest.raises(UserError, match="here: AWS_SECRET_ACCESS_KEY not set"):
        account_from_environment("here")


ROLE = """\
<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA</AccessKeyId>
<SecretAccessKey>the secret</SecretAccessKey><SessionToken>the session</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>"""


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pod that has no keys, and a token of its ServiceAccount."""
    token = tmp_path / "token"
    token.write_text("token-not-to-be-shown")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/ct")
    return token


def test_a_web_identity_is_an_account(identity: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with recorder(body=ROLE) as sts, recorder(body=EMPTY) as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.address)
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.address)
        store = S3Store.from_environment("s3://bias/x")
        assert store.get("a") == EMPTY.encode()
    (asked,) = {path.partition("?")[0] for _, path, _ in sts.asked}
    assert asked == "/"
    assert len(sts.asked) == 1, "the account is kept until it ends"
    assert "token-not-to-be-shown" in sts.asked[0][1]
    assert {headers["X-Amz-Security-Token"] for _, _, headers in s3.asked} == {"the session"}
    assert all("Credential=ASIA/" in headers["Authorization"] for _, _, headers in s3.asked)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(403, StoreError), (400, StoreError), (429, StoreUnreachable), (503, StoreUnreachable)],
)
def test_an_identity_that_is_refused(
    status: int, expected: type[Exception], identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorder(status, "<Error/>") as sts, recorder(body=EMPTY) as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.address)
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.address)
        with pytest.raises(expected) as caught:
            open_store("s3://bias/x")
    assert "token-not-to-be-shown" not in str(caught.value)
    assert str(status) in str(caught.value)
    assert not s3.asked


def test_an_identity_without_its_token_or_its_service(
    identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    with pytest.raises(StoreUnreachable, match="no answer to the question for the pod's account"):
        account_from_environment("here").retrieve()
    identity.unlink()
    with pytest.raises(StoreError, match=r"serviceAccounts\.annotations"):
        account_from_environment("here").retrieve()


@pytest.mark.parametrize(
    ("region", "place"),
    [
        (None, "https://sts.amazonaws.com"),
        ("eu-central-1", "https://sts.eu-central-1.amazonaws.com"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_where_an_identity_is_shown(
    region: str | None, place: str, identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if region:
        monkeypatch.setenv("AWS_REGION", region)
    assert account_from_environment("here").place == place


# --- an account that may use one folder of a bucket, for an hour ---


@pytest.mark.s3
def test_a_temporary_account_of_a_prefix_is_enough(
    s3_server: Any, folder_account: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, folder_account[name])
    with pytest.raises(StoreError, match="refused"):
        open_store("s3://bias/team/ct/demo")
    monkeypatch.setenv("AWS_SESSION_TOKEN", folder_account["AWS_SESSION_TOKEN"])
    store = open_store("s3://bias/team/ct/demo")
    store.put("a", b"x")
    assert store.sizes("") == {"a": 1, "nameplate-store.json": store.sizes("")["nameplate-store.json"]}
    with pytest.raises(StoreError, match="AccessDenied"):
        open_store("s3://bias/other")
    with pytest.raises(StoreError, match="AccessDenied"):
        open_store("s3://bias")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_store_that_is_asked_too_much_for_a_moment_is_asked_again(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(method: str, path: str, *_: Any) -> Answer:
        asked.append(f"{method} {path}")
        return Answer(200, EMPTY.encode()) if len(asked) % 3 == 0 else Answer(status, b"")

    with answering(answer) as address:
        for name, value in {"ENDPOINT_URL": address, "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        S3Store.from_environment("s3://bias/ct")
    assert len(asked) == 3
    assert len(set(asked)) == 1
