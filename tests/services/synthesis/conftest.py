"""Heads on any grid, and stores with the exams and masks of a campaign, as if they had been ingested."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nameplate.campaign import parse_campaign
from nameplate.image.volume import Volume, nifti_bytes
from nameplate.job.inputs import Committed
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result, write_result
from nameplate.job.run import run_job
from nameplate.plan.plan import plan
from nameplate.steps import ingest, skullstrip
from nameplate.steps.ingest import Exam
from nameplate.steps.skullstrip import MaskReport
from nameplate.store import Store, open_store
from nameplate.streams import stream

FINE = np.array([[7.0, 0, 0, -108.5], [0, 7.0, 0, -108.5], [0, 0, 5.0, -82.5], [0, 0, 0, 1.0]])
"""Of 32 x 32 x 34 voxels."""
WIDE = np.array([[7.6, 0, 0, -120.0], [0, 7.6, 0, -115.0], [0, 0, 5.0, -84.0], [0, 0, 0, 1.0]])
"""A wider field, elsewhere."""

MakeHead = Callable[..., tuple[Volume, Volume]]


def make_head(
    affine: NDArray[np.float64],
    *,
    radii_mm: tuple[float, float, float] = (62.0, 75.0, 68.0),
    noise: int = 0,
    shape: tuple[int, int, int] = (32, 32, 34),
) -> tuple[Volume, Volume]:
    """An ellipsoid of brain around the origin of the patient on this grid, in HU, and its mask."""
    places = np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    brain = ((places / radii_mm) ** 2).sum(axis=-1) <= 1
    hu = np.where(brain, 30 + stream(noise, "noise").normal(0, 4, shape), -1000)
    return Volume(np.rint(hu).astype(np.int16), affine), Volume(brain.astype(np.uint8), affine)


class Walk:
    """A campaign without its phantom, ingest and stripping: simple heads are committed in their place."""

    def __init__(
        self,
        text: str,
        folder: Path,
        *,
        grids: Mapping[str, NDArray[np.float64]],
        small: Collection[int] = (),
    ) -> None:
        campaign = parse_campaign(text, "made in a test")
        self.store: Store = open_store(str(folder / "store"))
        self.plan = plan(campaign, {}, {})
        self.results: dict[str, Result] = {}
        self.grids = grids
        """The grid of each manufacturer's exams."""
        self.small = small
        """Heads of which Siemens shows too little brain for a sphere."""
        self._folder = folder
        for name, cohort in campaign.cohorts.items():
            if cohort.phantom is not None:
                heads = cohort.phantom.exams // (2 if cohort.phantom.twins else 1)
                for shard in range(cohort.shards):
                    numbers = range(shard, heads, cohort.shards)
                    self._commit(name, shard, list(numbers), twins=cohort.phantom.twins)

    def _commit(self, cohort: str, shard: int, heads: list[int], *, twins: bool) -> None:
        scans = Outputs("ingest", self.store, self._folder, lambda: False)
        masks = Outputs("skullstrip", self.store, self._folder, lambda: False)
        rows: list[Exam] = []
        for head in heads:
            makers = ("GE", "Siemens") if twins else (("GE", "Siemens")[head % 2],)
            for maker in makers:
                # In no order of heads, as pseudonyms are.
                exam = f"e{7919 * (2 * head + (maker == 'GE')) % 100_003:06d}"
                rows.append(_exam(exam, f"p{head:03d}", maker, age=20.0 + head))
                small = maker == "Siemens" and head in self.small
                radii = (62.0, 75.0, 19.0 if small else 68.0)
                image, mask = make_head(self.grids[maker], radii_mm=radii, noise=head)
                scans.write(ingest.IMAGE.key(cohort=cohort, exam=exam), nifti_bytes(image))
                masks.write(skullstrip.MASK.key(cohort=cohort, exam=exam), nifti_bytes(mask))
        reports = [MaskReport(exam=row.exam, volume_ml=1300.0, flags=(), usable=True) for row in rows]
        ingest.EXAMS.write(scans, rows, cohort=cohort, shard=shard)
        skullstrip.REPORTS.write(masks, reports, cohort=cohort, shard=shard)
        for step, outputs in (("ingest", scans), ("skullstrip", masks)):
            job = f"{step}/{cohort}/{shard:03d}"
            result = Result(job=job, digest="d", code="0", outputs=outputs.written)
            write_result(self.store, result)
            self.results[job] = result

    def to_packs(self) -> None:
        """Do the jobs of the steps cohort, synthesis and pack."""
        for job in self.plan.jobs:
            if job.step in ("cohort", "synthesis", "pack"):
                needed = {need: self.results[need] for need in job.needs}
                self.results[job.id] = run_job(job, self.store, needed, scratch_root=self._folder)

    def committed(self, *jobs: str) -> Committed:
        """What some jobs have committed, or all of them."""
        return Committed(self.store, {job: self.results[job] for job in jobs or self.results})


def _exam(exam: str, patient: str, maker: str, *, age: float) -> Exam:
    return Exam(
        exam=exam, patient=patient, image="", manufacturer=maker, model="", software="", kernel="",
        institution="", age=age, sex="F", kvp=None, exposure_mas=None, thickness_mm=5.0, gaps_mm=(5.0,),
        pixel_mm=1.0, tilt_degrees=0.0, source_slices=34, slices=34,
    )  # fmt: skip


@pytest.fixture(scope="session")
def head_on() -> MakeHead:
    """A head on a grid."""
    return make_head


@pytest.fixture(scope="session")
def grids() -> dict[str, NDArray[np.float64]]:
    """A grid for each manufacturer, of other voxels and at another place; axes are those of the patient."""
    return {"GE": FINE, "Siemens": WIDE}


@pytest.fixture(scope="session")
def walked(
    controlled_text: str, grids: dict[str, NDArray[np.float64]], tmp_path_factory: pytest.TempPathFactory
) -> Walk:
    """The small campaign with a derived control, as far as its packs."""
    walk = Walk(controlled_text, tmp_path_factory.mktemp("derived"), grids=grids)
    walk.to_packs()
    return walk


@pytest.fixture(scope="session")
def twins_text(controlled_text: str) -> str:
    """The small campaign with a derived control and twins, as many heads as it has exams without."""
    return controlled_text.replace("exams: 52", "exams: 104, twins: true")


@pytest.fixture(scope="session")
def walked_twins(
    twins_text: str, grids: dict[str, NDArray[np.float64]], tmp_path_factory: pytest.TempPathFactory
) -> Walk:
    """The same with twins, whose grids differ."""
    walk = Walk(twins_text, tmp_path_factory.mktemp("twins"), grids=grids)
    walk.to_packs()
    return walk


@pytest.fixture(scope="session")
def walked_equal_twins(
    twins_text: str, grids: dict[str, NDArray[np.float64]], tmp_path_factory: pytest.TempPathFactory
) -> Walk:
    """Twins whose images are the same: of scanners without any difference."""
    same = dict.fromkeys(grids, grids["GE"])
    walk = Walk(twins_text, tmp_path_factory.mktemp("equal-twins"), grids=same)
    walk.to_packs()
    return walk


@pytest.fixture(scope="session")
def walked_small_twins(
    twins_text: str, grids: dict[str, NDArray[np.float64]], tmp_path_factory: pytest.TempPathFactory
) -> Walk:
    """Twins, of which every third head has one exam without room for a sphere."""
    walk = Walk(twins_text, tmp_path_factory.mktemp("small-twins"), grids=grids, small=range(0, 52, 3))
    walk.to_packs()
    return walk
