"""Settings of jobs: only what a digest can hold whole is taken, and the rest is refused by name."""

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, create_model, field_serializer

from nameplate.campaign.settings import Settings
from nameplate.steps.step import JobSettings, Step, step_of


class Plain(Settings):
    """Settings inside settings."""

    number: int


class Loose(BaseModel):
    """Not frozen: it could change after it was hashed."""

    model_config = ConfigDict(extra="allow")


def _settings(kind: Any, **options: Any) -> type[JobSettings]:
    return create_model("SomeJob", __base__=JobSettings, value=(kind, Field(**options)))


@pytest.mark.parametrize(
    "kind",
    [
        int, str, float | None, bool, Literal["a", "b"], tuple[int, ...], tuple[float, float],
        Plain, Plain | None, dict[str, Plain], tuple[Plain, ...],
    ],
)  # fmt: skip
def test_plain_values_and_settings_are_taken(kind: Any) -> None:
    assert _settings(kind).model_fields.keys() == {"value"}


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (Any, "Any"),
        (Path, "Path"),
        (object, "object"),
        (list[int], "list"),
        (set[str], "set"),
        (tuple[Path, ...], "Path"),
        (dict[str, Any], "Any"),
        (bytes, "bytes"),
        (Loose, "Loose is not frozen"),
        (tuple[Loose, ...] | None, "Loose is not frozen"),
    ],
)
def test_a_type_that_a_digest_cannot_hold_is_refused_by_name(kind: Any, named: str) -> None:
    with pytest.raises(TypeError, match=rf"SomeJob\.value: .*{named}"):
        _settings(kind)


def test_a_field_that_is_left_out_of_the_digest_is_refused() -> None:
    with pytest.raises(TypeError, match=r"SomeJob\.value: is left out of the dump"):
        _settings(int, exclude=True)


def test_a_field_deep_inside_that_is_left_out_is_refused_too() -> None:
    class Hiding(Settings):
        """Hides one number."""

        shown: int
        hidden: int = Field(exclude=True)

    with pytest.raises(TypeError, match=r"SomeJob\.value: Hiding\.hidden: is left out"):
        _settings(dict[str, Hiding])


def test_a_private_attribute_is_refused() -> None:
    with pytest.raises(TypeError, match="_secret: a private attribute"):

        class SomeJob(JobSettings):
            _secret: int = PrivateAttr(default=1)


def test_a_serializer_is_refused() -> None:
    with pytest.raises(TypeError, match="_hidden: a serializer could leave something out"):

        class SomeJob(JobSettings):
            """Says always the same of its number."""

            number: int

            @field_serializer("number")
            def _hidden(self, value: int) -> int:
                return 0


def test_what_a_subclass_adds_is_in_the_text() -> None:
    class More(Plain):
        """Has a second number."""

        second: int

    kind = _settings(Plain)
    texts = {kind(value=More(number=1, second=second)).text for second in (1, 2)}
    assert len(texts) == 2


def test_the_order_of_a_mapping_is_in_the_text() -> None:
    kind = _settings(dict[str, int])
    assert kind(value={"a": 1, "b": 2}).text != kind(value={"b": 2, "a": 1}).text


@pytest.mark.parametrize(("scope", "wanted"), [("cohort", "CohortJobSettings"), ("arm", "CellJobSettings")])
def test_a_step_whose_settings_do_not_fit_its_scope_is_refused(
    scope: Literal["cohort", "arm"], wanted: str
) -> None:
    with pytest.raises(TypeError, match=f"step some: its scope '{scope}' asks for {wanted}"):
        Step(name="some", service="s", settings=_settings(int), id="", needs=(), scope=scope, version=1,
             memory_mib=1)  # fmt: skip


def test_the_step_of_a_job_is_the_first_part_of_its_id() -> None:
    assert step_of("training/spheres/study/easy/GE/g0/s003") == "training"
    assert step_of("report") == "report"
