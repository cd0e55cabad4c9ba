"""How many training exams an arm uses."""

from typing import Any

import pytest

from nameplate.campaign.experiment import ArmSettings
from nameplate.errors import CohortError
from nameplate.pack.arm_exams import arm_exams


@pytest.mark.parametrize(
    ("arm", "exams"),
    [
        ({}, 11),
        ({"levels": ("A",)}, 4),
        ({"levels": ("C", "A")}, 6),
        ({"exams": 11}, 11),
        ({"exams": 2}, 2),
        ({"exams": "one-level"}, 3),  # 11 over three levels
        ({"exams": "one-level", "levels": ("A", "B")}, 4),  # 9 over two
        ({"exams": "one-level", "levels": ("C",)}, 2),
        ({"levels": ("D",)}, 0),
    ],
)
def test_exams_of_an_arm(arm: dict[str, Any], exams: int) -> None:
    levels = {"A": 4, "B": 5, "C": 2}
    assert arm_exams(ArmSettings(name="arm", **arm), levels, experiment="e", cohort="c") == exams


def test_more_exams_than_there_are() -> None:
    arm = ArmSettings(name="many", levels=("B", "C"), exams=8)
    with pytest.raises(CohortError) as caught:
        arm_exams(arm, {"A": 4, "B": 5, "C": 2}, experiment="spheres", cohort="study")
    expected = "experiments.spheres.arms.many.exams: 8 training exams of B, C are wanted, cohort study has 7"
    assert str(caught.value) == expected
