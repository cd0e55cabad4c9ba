"""The step ``skullstrip`` on a committed shard: mask, picture and findings of every exam."""

from pathlib import Path

import numpy as np

from nameplate.campaign.skullstrip import SkullstripSettings
from nameplate.image.png import size_of
from nameplate.image.thumbnail import exam_picture
from nameplate.image.volume import Volume, nifti_bytes, read_nifti_bytes
from nameplate.job.inputs import Committed, Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result
from nameplate.steps.ingest import EXAMS, IMAGE, Exam
from nameplate.steps.skullstrip import MASK, PICTURE, REPORTS, SkullstripJob
from nameplate.store import open_store
from nameplate_skullstrip.skullstrip_step import skullstrip


def _heads() -> dict[str, Volume]:
    """A round head of 40 HU in a shell of bone, and nothing but air."""
    axes = [(np.arange(n) - (n - 1) / 2) * step for n, step in ((80, 2.5), (90, 2.5), (34, 5.0))]
    i, j, k = np.meshgrid(*axes, indexing="ij")
    far = np.sqrt((i / 70) ** 2 + (j / 85) ** 2 + (k / 70) ** 2)
    hu = np.select([far < 0.9, far < 1.0, far < 1.06], [40, 1000, 20], -1000).astype(np.int16)
    affine = np.diag([2.5, 2.5, 5.0, 1.0])
    return {"e0": Volume(hu, affine), "e1": Volume(np.full(hu.shape, -1000, np.int16), affine)}


def test_every_exam_has_a_mask_a_picture_and_a_report(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    ingested = Outputs("ingest", store, tmp_path, lambda: False)
    rows = []
    for exam, volume in _heads().items():
        ingested.write(IMAGE.key(cohort="study", exam=exam), nifti_bytes(volume))
        rows.append(
            Exam(
                exam=exam, patient="p", image="", manufacturer="GE", model="", software="", kernel="",
                institution="", age=None, sex=None, kvp=None, exposure_mas=None, thickness_mm=5.0,
                gaps_mm=(5.0,), pixel_mm=2.5, tilt_degrees=0.0, source_slices=34, slices=34,
            )
        )  # fmt: skip
    EXAMS.write(ingested, rows, cohort="study", shard=0)
    result = Result(job="ingest", digest="d", code="0", outputs=ingested.written)
    outputs = Outputs("skullstrip", store, tmp_path, lambda: False)
    job = SkullstripJob(cohort="study", shard=0, skullstrip=SkullstripSettings())
    skullstrip(job, Inputs(store, {"ingest": result}, None, tmp_path), outputs)

    done = Result(job="skullstrip", digest="d", code="0", outputs=outputs.written)
    written = Committed(store, {"skullstrip": done})
    whole, empty = REPORTS.read(written, cohort="study", shard=0)
    assert (whole.exam, whole.brain_hu, whole.usable) == ("e0", 40.0, True)
    assert (empty.exam, empty.brain_hu, empty.usable) == ("e1", None, False)
    for exam, volume in _heads().items():
        mask = read_nifti_bytes(written.read(MASK.key(cohort="study", exam=exam)))
        picture = written.read(PICTURE.key(cohort="study", exam=exam))
        assert picture == exam_picture(volume, mask)
        assert size_of(picture) == (476, 140)
