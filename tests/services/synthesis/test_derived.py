"""A derived control from its cohort to its packs: the study's exams and images under other levels."""

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest

from nameplate.pack.packed import open_pack
from nameplate.steps import pack, synthesis
from nameplate.steps.cohort import MEMBERS, REFUSALS
from nameplate.steps.synthesis import SAMPLES, Sample

DATASETS = ("original", "easy", "hard", "skull")


def samples_of(walk: Any, cohort: str, dataset: str) -> list[Sample]:
    rows = SAMPLES.read_all(walk.committed(), cohort=cohort, dataset=dataset)
    return sorted(rows, key=lambda row: row.exam)


def without(row: Any, **changes: Any) -> Any:
    return row.model_copy(update=changes)


@pytest.fixture(params=["walked", "walked_twins"])
def walk(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def test_its_members_are_the_studys_but_for_their_levels(walk: Any) -> None:
    study, control = (MEMBERS.read(walk.committed(), cohort=name) for name in ("study", "control"))
    assert [without(row, level="") for row in study] == [without(row, level="") for row in control]
    assert REFUSALS.read(walk.committed(), cohort="control") == []
    counts = Counter((a.split, a.positive, a.level, b.level) for a, b in zip(study, control, strict=True))
    for split, positive, level in itertools.product(
        ("train", "val", "test"), (True, False), ("GE", "Siemens")
    ):
        kept, given = (counts[split, positive, level, pseudo] for pseudo in ("GE", "Siemens"))
        assert kept + given > 0
        assert abs(kept - given) <= 1


@pytest.mark.parametrize("dataset", DATASETS)
def test_its_samples_are_the_studys_images_masks_and_spheres(walk: Any, dataset: str) -> None:
    study, control = (samples_of(walk, name, dataset) for name in ("study", "control"))
    assert [without(row, level="", label=0) for row in study] == [
        without(row, level="", label=0) for row in control
    ]
    levels = {row.exam: row.level for row in MEMBERS.read(walk.committed(), cohort="control")}
    assert {row.exam: row.level for row in control} == levels
    if dataset in ("original", "skull"):
        assert [row.label for row in control] == [int(row.level == "GE") for row in control]
        assert [row.label for row in control] != [row.label for row in study]
    else:
        assert [row.label for row in control] == [row.label for row in study]


def test_it_holds_no_image_of_its_own(walk: Any) -> None:
    held = walk.committed()
    assert not synthesis.IMAGE.keys(held, cohort="control")
    assert not synthesis.MASK.keys(held, cohort="control")
    assert not [key for key in walk.store.sizes("cohorts/control/") if not key.endswith(".jsonl")]


@pytest.mark.parametrize(
    ("experiment", "dataset"),
    [("manufacturer", "original"), ("spheres", "easy"), ("spheres", "hard"), ("skull", "skull")],
)
def test_its_packs_are_the_studys_arrays(walk: Any, experiment: str, dataset: str) -> None:
    held = walk.committed()
    place = {"experiment": experiment, "dataset": dataset}
    for file in (pack.IMAGES, pack.MASKS):
        study, control = (file.keys(held, cohort=name, **place) for name in ("study", "control"))
        assert len(study) == len(control)
        assert [held.read(key) for key in study] == [held.read(key) for key in control]
    rows = pack.SAMPLES.read(held, cohort="control", **place)
    assert rows == samples_of(walk, "control", dataset)
    for split, level in itertools.product(("train", "val", "test"), ("GE", "Siemens")):
        of_level = [row for row in rows if (row.split, row.level) == (split, level)]
        assert of_level
        if experiment != "manufacturer" and dataset != "skull":
            assert {row.label for row in of_level} == {0, 1}


def test_a_pack_of_it_opens(walked: Any, tmp_path: Any) -> None:
    held = walked.committed()
    place = {"cohort": "control", "experiment": "spheres", "dataset": "hard"}
    path = tmp_path / "images.npy"
    path.write_bytes(held.read(pack.IMAGES.key(**place)))
    opened = open_pack(path, None, pack.SAMPLES.read(held, **place))
    assert np.asarray(opened.images).shape[0] == len(opened.samples) == 52


def test_what_the_studys_dataset_refused_is_refused_here_too(walked_small_twins: Any) -> None:
    held = walked_small_twins.committed()
    for dataset in DATASETS:
        study, control = (
            synthesis.REFUSALS.read_all(held, cohort=name, dataset=dataset) for name in ("study", "control")
        )
        assert study == control
        assert bool(study) == (dataset == "easy")
        exams = [
            {row.exam for row in samples_of(walked_small_twins, name, dataset)}
            for name in ("study", "control")
        ]
        assert exams[0] == exams[1]
