"""What a report says of masks of the user's own: how many show something, by level, and how much."""

from typing import Any

import pytest
import yaml

from nameplate.campaign import parse_campaign
from nameplate.steps.cohort import Member
from nameplate.steps.ingest import Target
from nameplate_evaluation.analysis import Analysis, analyse
from nameplate_evaluation.limits import limits_of
from nameplate_evaluation.own_masks import dice_table, sentence_of, volume_table
from nameplate_evaluation.results import CampaignResults, CohortResult

VOLUMES = {"GE": [0.0, 10.0, 20.0, 30.0], "Siemens": [0.0, 0.0, 0.0, 8.0]}
SPLITS = ("train", "train", "val", "test")


def _member(level: str, number: int, volume: float | None) -> Member:
    return Member(
        exam=f"e-{level}-{number}",
        patient=f"p-{level}-{number}",
        level=level,
        split=SPLITS[number],  # type: ignore[arg-type]
        age=60.0,
        sex="F",
        positive=False,
        rank=0.0,
        outlined=None if volume is None else int(volume > 0),
    )


def _analysis(text: str, *, masks: bool) -> Analysis:
    raw: dict[str, Any] = yaml.safe_load(text)
    study = raw["cohorts"]["study"]
    if masks:
        del study["phantom"], raw["datasets"]["spheres"]
        study |= {"folder": "dicom", "masks": "masks"}
        raw["datasets"]["masks"] = {"name": "hemorrhage"}
        raw["experiments"] = [{**raw["experiments"][2], "task": "masks"}]
    campaign = parse_campaign(yaml.safe_dump(raw), "made-up")
    numbered = [(level, n, volume) for level, of in VOLUMES.items() for n, volume in enumerate(of)]
    cohort = CohortResult(
        name="study",
        members=tuple(_member(level, n, volume if masks else None) for level, n, volume in numbered),
        targets=tuple(
            Target(exam=f"e-{level}-{n}", rule="", volume_ml=volume) for level, n, volume in numbered if masks
        ),
    )
    return analyse(CampaignResults(campaign=campaign, campaign_text=text, cohorts=(cohort,), cells=()))


def test_prevalence_and_volume_are_told_by_level_and_split(tiny_text: str) -> None:
    table = volume_table(_analysis(tiny_text, masks=True))
    assert table.title == "Masks: prevalence and volume of hemorrhage"
    names = [column.key for column in table.columns]
    rows = {row[1]: dict(zip(names, row, strict=True)) for row in table.rows}
    assert {level: (row["exams"], row["outlined"]) for level, row in rows.items()} == {
        "GE": (4, 3),
        "Siemens": (4, 1),
    }
    assert [rows["GE"][name] for name in ("prevalence", "train", "val", "test")] == [0.75, 0.5, 1.0, 1.0]
    # Of those that show something: an empty mask is no small lesion.
    assert [rows["GE"][name] for name in ("volume_low", "volume", "volume_high")] == [15.0, 20.0, 25.0]
    assert rows["Siemens"]["volume"] == 8.0


def test_a_campaign_without_masks_has_nothing_of_them(tiny_text: str) -> None:
    analysis = _analysis(tiny_text, masks=False)
    assert volume_table(analysis).rows == dice_table(analysis).rows == ()
    assert sentence_of(analysis) is None


@pytest.mark.parametrize("masks", [True, False])
def test_simulated_lesions_are_named_only_where_there_are_some(tiny_text: str, masks: bool) -> None:
    told = " ".join(limits_of(_analysis(tiny_text, masks=masks)))
    assert ("simulated lesions" in told) != masks
