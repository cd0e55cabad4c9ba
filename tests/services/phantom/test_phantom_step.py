"""The step: one shard's studies as a tar, twins never divided."""

import io
import tarfile
from pathlib import Path

import pytest

from nameplate.campaign import Campaign
from nameplate.campaign.cohort import CohortSettings
from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.errors import CampaignError
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.steps.phantom import STEP, PhantomJob
from nameplate.steps.step import CohortPlan
from nameplate.store import open_store
from nameplate_phantom.phantom_step import phantom


def folders(tar: bytes) -> set[str]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {"/".join(name.split("/")[:2]) for name in archive.getnames()}


@pytest.mark.parametrize("shard", [0, 1])
def test_a_shard_holds_every_scan_of_its_heads(shard: int, tmp_path: Path) -> None:
    settings = PhantomSettings(exams=6, twins=True, matrix=64, thin_mm=5.0, bone_share=0.0)
    job = PhantomJob(cohort="study", seed=1, shard=shard, shards=2, phantom=settings)
    store = open_store(str(tmp_path / "store"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    outputs = Outputs("phantom", store, scratch, lambda: False)
    phantom(job, Inputs(store, {}, None, tmp_path / "cache"), outputs)
    [written] = outputs.written
    heads = [head for head in range(3) if head % 2 == shard]
    expected = {f"P{head:05d}/ST{scan}" for head in heads for scan in (1, 2)}
    assert folders(store.get(written.key)) == expected


def test_more_shards_than_heads_are_refused_by_their_place() -> None:
    phantom_settings = {"exams": 6, "twins": True, "matrix": 64, "thin_mm": 5.0}
    cohort = CohortSettings.model_validate({"phantom": phantom_settings, "shards": 4})
    campaign = Campaign.model_construct(seed=1, cohorts={"study": cohort})
    plan = CohortPlan(campaign=campaign, cohort="study", source="", other=None, jobs={})
    with pytest.raises(CampaignError, match=r"cohorts\.study\.shards: 3 heads .* 4 shards"):
        list(STEP.jobs(plan))
