from pathlib import Path

import pytest

from nameplate.errors import UserError
from nameplate_ingest.manufacturer import normalise, read_manufacturers


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("GE MEDICAL SYSTEMS", "GE"),
        ("GE", "GE"),
        ("GE Medical Systems", "GE"),
        ("SIEMENS", "Siemens"),
        ("Siemens Healthineers", "Siemens"),
        ("Philips Medical Systems", "Philips"),
        ("TOSHIBA", "Canon"),
        ("Canon Medical Systems", "Canon"),
        ("", None),
        ("Gerhard's workstation", None),
        ("Unknown", None),
    ],
)
def test_normalise(spelled: str, name: str | None) -> None:
    assert normalise(spelled) == name


def test_a_csv_of_makers(tmp_path: Path) -> None:
    path = tmp_path / "makers.csv"
    path.write_text("study,manufacturer,note\nCT0,GE,x\n1.2.3,SIEMENS,y\n")
    assert read_manufacturers(path) == {"CT0": "GE", "1.2.3": "SIEMENS"}


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "study,manufacturer\nx,\n", "study,manufacturer\nx,GE\nx,Siemens\n"]
)
def test_a_wrong_csv_is_the_users_mistake(tmp_path: Path, text: str) -> None:
    path = tmp_path / "makers.csv"
    path.write_text(text)
    with pytest.raises(UserError):
        read_manufacturers(path)
