"""Settings of a prefix of an S3 bucket with DICOM files or archives of them."""

from typing import Annotated, ClassVar, Literal

from nameplate.campaign.sources.source import Account, AnySource, unshown


class BucketSource(AnySource):
    """Objects below a prefix: DICOM files of any name, and archives as a folder of archives has them."""

    hidden: ClassVar[tuple[str, ...]] = ("url", "endpoint", "account")
    kind: Literal["bucket"] = "bucket"
    url: Annotated[
        str,
        unshown(
            r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?", "s3://BUCKET/PREFIX; keys are in the environment"
        ),
    ]
    """s3://BUCKET/PREFIX; the prefix names a folder of keys."""
    endpoint: (
        Annotated[
            str,
            unshown(
                r"https?://[^\s@]+",
                "http(s)://HOST:PORT, without a name or password, which the environment has",
            ),
        ]
        | None
    ) = None
    """The service's address; without one, AWS."""
    region: str | None = None
    account: Account | None = None
    """Which environment variables hold the keys (default: NAMEPLATE_SOURCE_ACCESS_KEY_ID and so on; with the
    name ``trial``: NAMEPLATE_SOURCE_TRIAL_ACCESS_KEY_ID)."""

    @property
    def summary(self) -> str:
        """What it is."""
        return f"bucket {self.url}"
