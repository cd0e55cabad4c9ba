"""Settings of volumes: how a row finds its file, and what cannot be said twice."""

from typing import Any

import pytest
from pydantic import ValidationError

from nameplate.campaign.sources import VolumesSource

PLAIN = {"kind": "volumes", "path": "v", "table": "t.csv"}


def source(**more: Any) -> VolumesSource:
    return VolumesSource.model_validate({**PLAIN, **more})


def test_what_is_left_out() -> None:
    assert source().columns.exam == "exam"
    assert source(columns={"exam": "id"}).columns.manufacturer is None
    shown = source(volume="{exam}/ct.nii.gz").shown()
    assert (shown.kind, shown.model_dump()["path"], shown.model_dump()["table"]) == (
        *("volumes", "(not shown)", "(not shown)"),
    )


@pytest.mark.parametrize("volume", ["ct.nii.gz", "{exam", "{exam}/{file}.nii", "{exam:>9}.nii", "{}"])
def test_a_pattern_has_the_exam_and_nothing_else(volume: str) -> None:
    with pytest.raises(ValidationError, match=r"expected a path with \{exam\}"):
        source(volume=volume)


def test_a_file_is_found_in_one_way() -> None:
    assert source(volume="{exam}/{exam}.nii").volume == "{exam}/{exam}.nii"
    with pytest.raises(ValidationError, match=r"'volume' and 'columns.file' both say"):
        source(volume="{exam}.nii", columns={"exam": "e", "file": "f"})


def test_a_column_has_one_meaning() -> None:
    with pytest.raises(ValidationError, match="'e' is named twice"):
        source(columns={"exam": "e", "patient": "e"})
