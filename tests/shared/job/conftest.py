"""A campaign's jobs, and the places that they may be done in: with folders, without, and a real S3."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from nameplate.campaign import Campaign, parse_campaign
from nameplate.plan.plan import plan
from nameplate.steps.step import Job
from nameplate.store import NoSuchKey, Store, open_store
from nameplate.store.directory import DirectoryStore


class FarStore(DirectoryStore):
    """Without folders, as S3 is: what is fetched is a copy, and nothing outlives a machine by itself."""

    def fetch(self, key: str, cache: Path) -> Path:
        if not self.exists(key):
            raise NoSuchKey(key)
        cache.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(self.root / key, cache / key.replace("/", "-")))

    def folder(self, prefix: str) -> Path | None:
        return None


@pytest.fixture
def campaign(tiny_text: str) -> Campaign:
    return parse_campaign(tiny_text, "tiny")


@pytest.fixture
def jobs(campaign: Campaign) -> Mapping[str, Job]:
    """The jobs that are known from the start, by id."""
    return {job.id: job for job in plan(campaign, {}, {}).jobs}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store in a folder."""
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def far(tmp_path: Path) -> Store:
    """A store without folders."""
    return FarStore(tmp_path / "far")


@pytest.fixture(params=["far", pytest.param("s3", marks=pytest.mark.s3)])
def without_folders(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store without folders: a played one, and S3 where there is a server."""
    if request.param == "far":
        return FarStore(tmp_path / "far")
    request.getfixturevalue("s3_account")
    return open_store(f"s3://bias/{tmp_path.name.replace('_', '-')}")
