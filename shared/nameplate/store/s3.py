"""A store in an S3 bucket (MinIO or any other), through the ``minio`` SDK and plain S3 calls only."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from nameplate.errors import StoreUnreachable, UserError
from nameplate.store.connection import BROKEN, failure_of, refusal_of
from nameplate.store.s3_service import S3Service, account_from_environment, ask_for_bucket
from nameplate.store.store import NoBucket, NoSuchKey, check_key
from nameplate.whole import whole_file


class S3Store:
    """Objects below ``prefix`` of one bucket."""

    def __init__(self, client: Minio, bucket: str, prefix: str, service: S3Service) -> None:
        self.client = client
        self._path = service.path
        self._sse = service.sse
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.url = f"s3://{bucket}/{self.prefix}".rstrip("/")

    @classmethod
    def from_environment(cls, url: str) -> "S3Store":
        """Open ``s3://bucket/prefix`` with endpoint and account from the environment.

        AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL (http://minio:9000) and AWS_REGION, as AWS's own tools read
        them; account_from_environment() says what an account may be.
        """
        parts = urlsplit(url)
        if not parts.netloc:
            raise UserError(f"--store: expected s3://bucket/prefix, got {url!r}")
        if parts.path.strip("/"):
            try:
                check_key(parts.path.strip("/"))
            except ValueError as error:
                raise UserError(f"--store: {error}") from None
        service = S3Service.from_environment()
        client = service.client(
            account_from_environment(url),
            read_timeout=120,
            # A store that is asked too much says 429: a moment later it answers, and the plan need not fail.
            retries=urllib3.Retry(total=4, backoff_factor=0.3, status_forcelist=(429, 500, 502, 503, 504)),
        )
        store = cls(client, parts.netloc, parts.path, service)
        try:
            with store._translated(f"the bucket {store.bucket!r}"):
                ask_for_bucket(client, store.bucket, store.prefix)
        except ValueError as error:
            raise UserError(f"{url}: {error}") from None
        return store

    def _name(self, key: str) -> str:
        check_key(key)
        return f"{self.prefix}/{key}" if self.prefix else key

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        """Turn the SDK's errors into the store's, which say whose fault it is."""
        try:
            yield
        except S3Error as error:
            if error.code in ("NoSuchKey", "NoSuchObject"):
                raise NoSuchKey(f"{self.url}: nothing under {key}") from None
            if error.code == "NoSuchBucket":
                raise NoBucket(f"{self.url}: there is no bucket {self.bucket!r}; create it first") from None
            account = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            raise refusal_of(error, self.url, key, account, self._path) from None
        except BROKEN as error:
            raise failure_of(error, self.url) from None
        except MinioException as error:
            raise StoreUnreachable(f"{self.url}: bad answer ({type(error).__name__}) for {key}") from None

    def get(self, key: str) -> bytes:
        """The object; raises NoSuchKey."""
        name = self._name(key)
        with self._translated(key):
            response = self.client.get_object(bucket_name=self.bucket, object_name=name)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    def _asked(self, key: str) -> str:
        """What a put asks for, for messages: a service without keys refuses the encryption and no more."""
        if self._sse is None:
            return key
        return f"{key} with encryption ({', '.join(self._sse.headers().values())})"

    def put(self, key: str, data: bytes) -> None:
        """Store the object, replacing what was there."""
        with self._translated(self._asked(key)):
            self.client.put_object(
                bucket_name=self.bucket,
                object_name=self._name(key),
                data=io.BytesIO(data),
                length=len(data),
                sse=self._sse,
            )

    def put_file(self, key: str, path: Path) -> None:
        """Upload a file."""
        with self._translated(self._asked(key)):
            self.client.fput_object(
                bucket_name=self.bucket, object_name=self._name(key), file_path=str(path), sse=self._sse
            )

    def fetch(self, key: str, cache: Path) -> Path:
        """Download into ``cache`` under the key's hash; a file already there is downloaded again.

        The caller checks the digest against the commit and may keep its own copy.
        """
        cache.mkdir(parents=True, exist_ok=True)
        # The key's own name comes last, for readers that look at the file's extension.
        target = cache / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}-{key.rpartition('/')[2]}"
        with self._translated(key), whole_file(target) as temporary:
            response = self.client.get_object(bucket_name=self.bucket, object_name=self._name(key))
            try:
                with temporary.open("wb") as file:
                    for block in response.stream(1 << 20):
                        file.write(block)
            finally:
                response.close()
                response.release_conn()
        return target

    def exists(self, key: str) -> bool:
        """Whether something is stored under this key."""
        try:
            with self._translated(key):
                self.client.stat_object(bucket_name=self.bucket, object_name=self._name(key))
        except NoSuchKey:
            return False
        return True

    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of every object whose key starts with ``prefix``, by key in sorted order."""
        root = f"{self.prefix}/" if self.prefix else ""
        with self._translated(prefix or "the list of keys"):
            rows = list(
                self.client.list_objects(bucket_name=self.bucket, prefix=root + prefix, recursive=True)
            )
        sizes = {
            str(row.object_name).removeprefix(root): int(row.size or 0) for row in rows if not row.is_dir
        }
        return dict(sorted(sizes.items()))

    def delete(self, key: str) -> None:
        """Delete the object."""
        with self._translated(key):
            self.client.remove_object(bucket_name=self.bucket, object_name=self._name(key))

    def folder(self, prefix: str) -> Path | None:  # noqa: ARG002 (directories answer)
        """None: there is no local folder."""
        return None
