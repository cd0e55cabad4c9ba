"""The step ``synthesis`` on a committed cohort: Original's labels follow the level that its settings name."""

from pathlib import Path

import numpy as np
import pytest

from nameplate.image.volume import Volume, nifti_bytes, read_nifti_bytes
from nameplate.job.inputs import Committed, Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result
from nameplate.steps import ingest, skullstrip
from nameplate.steps.cohort import MEMBERS, Member
from nameplate.steps.ingest import EXAMS, Exam
from nameplate.steps.synthesis import SAMPLES, OriginalRecipe, SynthesisJob
from nameplate.store import Store, open_store
from nameplate_synthesis.synthesis_step import synthesis

LEVELS = ("GE", "Siemens", "GE")


def _commit_cohort(store: Store, folder: Path) -> dict[str, Result]:
    """Three exams, of which the last is in another shard."""
    outputs = Outputs("cohort", store, folder, lambda: False)
    mask = np.zeros((4, 4, 6), dtype=np.uint8)
    mask[1:3, 1:3, 1:5] = 1
    affine = np.diag([1.0, 1.0, 5.0, 1.0])
    members = []
    for number, level in enumerate(LEVELS):
        exam = f"e{number}"
        members.append(
            Member(
                exam=exam, patient=f"p{number}", level=level, split="train", age=None, sex=None,
                positive=False, rank=0.5,
            )
        )  # fmt: skip
        image = np.full((4, 4, 6), number, dtype=np.int16)
        outputs.write(ingest.IMAGE.key(cohort="study", exam=exam), nifti_bytes(Volume(image, affine)))
        outputs.write(skullstrip.MASK.key(cohort="study", exam=exam), nifti_bytes(Volume(mask, affine)))
    row = Exam(
        exam="e0", patient="p0", image="", manufacturer="GE", model="", software="", kernel="",
        institution="", age=None, sex=None, kvp=None, exposure_mas=None, thickness_mm=5.0, gaps_mm=(5.0,),
        pixel_mm=1.0, tilt_degrees=0.0, source_slices=6, slices=6,
    )  # fmt: skip
    EXAMS.write(outputs, [row, row.model_copy(update={"exam": "e1"})], cohort="study", shard=0)
    MEMBERS.write(outputs, members, cohort="study")
    return {"cohort": Result(job="cohort", digest="d", code="0", outputs=outputs.written)}


@pytest.mark.parametrize(("first_level", "labels"), [("GE", [1, 0]), ("Siemens", [0, 1])])
def test_original_is_labelled_by_the_level_that_its_settings_name(
    first_level: str, labels: list[int], tmp_path: Path
) -> None:
    store = open_store(str(tmp_path / "store"))
    inputs = Inputs(store, _commit_cohort(store, tmp_path), None, tmp_path)
    outputs = Outputs("synthesis", store, tmp_path, lambda: False)
    recipe = OriginalRecipe(slices=8, floor_hu=-1000, first_level=first_level)
    synthesis(SynthesisJob(cohort="study", dataset="original", shard=0, recipe=recipe), inputs, outputs)
    result = Result(job="synthesis", digest="d", code="0", outputs=outputs.written)
    written = Committed(store, {"synthesis": result})
    samples = SAMPLES.read(written, cohort="study", dataset="original", shard=0)
    assert [(sample.exam, sample.label) for sample in samples] == list(
        zip(["e0", "e1"], labels, strict=True)
    )  # fmt: skip
    for number, sample in enumerate(samples):
        assert sample.padded == 2
        image = read_nifti_bytes(written.read(sample.image)).array
        assert image.shape == (4, 4, 8)
        assert set(np.unique(image)) == {-1000, number}
