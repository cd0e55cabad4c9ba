from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.errors import UserError
from nameplate_ingest.fields.manufacturer import named, normalise, read_manufacturers

SPELLED = [
    ("GE MEDICAL SYSTEMS", "GE"),
    ("GE", "GE"),
    ("GE Medical Systems", "GE"),
    ("GE Healthcare", "GE"),
    ("GE HealthCare Japan", "GE"),
    ("GE HANGWEI MEDICAL SYSTEMS", "GE"),
    ("GE Hualun Medical Systems", "GE"),
    ("GE YOKOGAWA MEDICAL SYSTEMS", "GE"),
    ("Yokogawa Medical Systems", "GE"),
    ("YMS", "GE"),
    ("GEMS", "GE"),
    ("GE/CGR", "GE"),
    ("IGE Medical Systems", "GE"),
    ("General Electric Company", "GE"),
    ("GENERAL ELECTRIC MEDICAL SYSTEMS", "GE"),
    ("GE Medical Systems China", "GE"),
    ("GE Precision Healthcare", "GE"),
    ("Imatron", "GE"),
    ("SIEMENS", "Siemens"),
    ("Siemens Healthineers", "Siemens"),
    ("Siemens Healthcare GmbH", "Siemens"),
    ("SIEMENS NIXDORF", "Siemens"),
    ("Siemens Shanghai Medical Equipment Ltd.", "Siemens"),
    ("Philips", "Philips"),
    ("Philips Medical Systems", "Philips"),
    ("Philips Healthcare", "Philips"),
    ("Philips Medical Systems Nederland B.V.", "Philips"),
    ("Philips Medical Systems (Cleveland)", "Philips"),
    ("Picker International, Inc.", "Philips"),
    ("MARCONI MEDICAL SYSTEMS", "Philips"),
    ("Elscint", "Philips"),
    ("TOSHIBA", "Canon"),
    ("TOSHIBA_MEC", "Canon"),
    ("Toshiba Medical Systems Corporation", "Canon"),
    ("CANON_MEC", "Canon"),
    ("Canon Medical Systems", "Canon"),
    ("Hitachi Medical Corporation", "Hitachi"),
    ("HITACHI MEDICO", "Hitachi"),
    ("FUJIFILM Healthcare Corporation", "Hitachi"),
    ("NMS", "Neusoft"),
    ("Neusoft Medical Systems", "Neusoft"),
    ("Neusoft Positron", "Neusoft"),
    ("UIH", "United Imaging"),
    ("Shanghai United Imaging Healthcare", "United Imaging"),
    ("NeuroLogica", "NeuroLogica"),
    ("SAMSUNG NeuroLogica", "NeuroLogica"),
    ("SHIMADZU", "Shimadzu"),
    ("Shenzhen Anke High-tech Co.", "Anke"),
    ("ANKE", "Anke"),
    ("MinFound Medical", "MinFound"),
    ("SinoVision", "SinoVision"),
    ("联影", "United Imaging"),
    ("东软医疗", "Neusoft"),
    ("西门子", "Siemens"),
    ("GE Medical Systems / MIM Software", "GE"),
    ("MIM Software - GE MEDICAL SYSTEMS", "GE"),
    ("MIM Software (SIEMENS)", "Siemens"),
    ("TeraRecon / GE", "GE"),
]


@pytest.mark.parametrize(("spelled", "name"), SPELLED)
def test_makers_by_their_spellings(spelled: str, name: str) -> None:
    assert normalise(spelled) == name


@pytest.mark.parametrize(
    "spelled",
    [
        *(
            "",
            "   ",
            "Unknown",
            "Gerhard's workstation",
            "Anke Muster",
            "Georg",
            "General Hospital",
            "Gem Stone",
        ),
        *("MIM Software", "Vital Images", "TeraRecon", "AGFA", "FUJIFILM Corporation", "Carestream Health"),
        *("GE Centricity PACS", "Siemens syngo.via", "Philips IntelliSpace Portal", "Planmeca", "Xoran"),
        *("Picker & Sons Clinic", "Anonymized"),
    ],
)
def test_other_names_name_no_maker(spelled: str) -> None:
    assert normalise(spelled) is None


def test_two_makers_in_one_name_are_none() -> None:
    assert named("Philips and Neusoft Medical Systems") == ("Neusoft", "Philips")
    assert normalise("Philips and Neusoft Medical Systems") is None


@given(st.sampled_from(SPELLED), st.data())
def test_case_spaces_and_points_do_not_matter(row: tuple[str, str], data: st.DataObject) -> None:
    spelled, name = row
    signs = st.sampled_from(["", ".", "_", " "])
    changed = "".join(
        (letter.upper() if data.draw(st.booleans()) else letter.lower())
        + (data.draw(signs) if letter in " ._" else "")
        for letter in spelled
    )
    assert normalise(f"  {changed} ") == name


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert normalise(text) in {None, *(name for _, name in SPELLED), "Kangda", "WDM", "Mediso"}


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
