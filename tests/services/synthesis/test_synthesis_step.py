"""The step ``synthesis`` on a committed cohort: Original's labels follow the level that its settings name."""

from pathlib import Path

import numpy as np
import pytest

from nameplate.campaign.experiment import InputSettings
from nameplate.image.volume import Volume, nifti_bytes, read_nifti_bytes
from nameplate.image.window import Window
from nameplate.job.inputs import Committed, Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result
from nameplate.steps import ingest, skullstrip
from nameplate.steps.cohort import MEMBERS, Member
from nameplate.steps.ingest import EXAMS, Exam
from nameplate.steps.pack import MASKS, PackJob
from nameplate.steps.synthesis import SAMPLES, OriginalRecipe, SynthesisJob, TargetRecipe
from nameplate.store import Store, open_store
from nameplate_synthesis.pack_step import pack
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


def test_own_masks_are_cut_as_the_images_are_and_what_is_packed(tmp_path: Path) -> None:
    """The brain decides the slices; the label says whether anything is left in them."""
    store = open_store(str(tmp_path / "store"))
    results = _commit_cohort(store, tmp_path)
    outputs = Outputs("targets", store, tmp_path, lambda: False)
    affine = np.diag([1.0, 1.0, 5.0, 1.0])
    for exam, at in (("e0", (1, 2, 2)), ("e1", (0, 0, 0))):
        own = np.zeros((4, 4, 6), dtype=np.uint8)
        own[at] = 1
        outputs.write(ingest.TARGET.key(cohort="study", exam=exam), nifti_bytes(Volume(own, affine)))
    results["targets"] = Result(job="targets", digest="d", code="0", outputs=outputs.written)
    recipes: dict[str, OriginalRecipe | TargetRecipe] = {
        "original": OriginalRecipe(slices=4, floor_hu=-1000, first_level="GE"),
        "hemorrhage": TargetRecipe(slices=4),
    }
    for dataset, recipe in recipes.items():
        outputs = Outputs(dataset, store, tmp_path, lambda: False)
        job = SynthesisJob(cohort="study", dataset=dataset, shard=0, recipe=recipe)
        synthesis(job, Inputs(store, results, None, tmp_path), outputs)
        results[dataset] = Result(job=dataset, digest="d", code="0", outputs=outputs.written)
    held = Committed(store, results)
    original, own_rows = (SAMPLES.read(held, cohort="study", dataset=name, shard=0) for name in recipes)
    assert [row.target for row in original] == [None, None]
    assert [row.label for row in own_rows] == [1, 0]  # of e1 the slice with the mask is cut away
    assert [row.model_copy(update={"label": 0, "target": None}) for row in own_rows] == [
        row.model_copy(update={"label": 0}) for row in original
    ]
    for row, original_row in zip(own_rows, original, strict=True):
        assert row.target is not None
        cut, image = (read_nifti_bytes(held.read(key)) for key in (row.target, original_row.image))
        assert (cut.affine == image.affine).all()
        assert cut.array.shape == image.array.shape == (4, 4, 4)
    cut = read_nifti_bytes(held.read(str(own_rows[0].target)))
    assert np.argwhere(cut.array).tolist() == [[1, 2, 1]]

    outputs = Outputs("pack", store, tmp_path, lambda: False)
    seen = InputSettings(window=Window(width=100, level=50), slices=4)
    packed = PackJob(cohort="study", experiment="own", dataset="hemorrhage", task="masks", input=seen)
    pack(packed, Inputs(store, results, None, tmp_path), outputs)
    results["pack"] = Result(job="pack", digest="d", code="0", outputs=outputs.written)
    path = Inputs(store, results, None, tmp_path).fetch(
        MASKS.key(cohort="study", experiment="own", dataset="hemorrhage")
    )
    assert np.argwhere(np.load(path)).tolist() == [[0, 1, 2, 1]]  # exam, k, j, i: no brain among it
