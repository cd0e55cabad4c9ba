import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.fields.software import known_software, maker_of_software

FORMS = {
    "07MW18.4": "GE",
    "07MW11.10": "GE",
    "08MW41.3_SP1.V40": "GE",
    "gmp_vct.42": "GE",
    "gmp_hde.44": "GE",
    "sles_hde.198": "GE",
    "revo_ct_22bc.50": "GE",
    "coreload.118": "GE",
    "LightSpeedverrel": "GE",
    "LightSpeedApps405I.2_H4.0M5": "GE",
    "syngo CT 2012B": "Siemens",
    "syngo CT 2005A0": "Siemens",
    "syngo CT VA48A": "Siemens",
    "syngo CT VB20A_SP4": "Siemens",
    "syngo MI.PET/CT 2012A": "Siemens",
    "V4.86ER012": "Canon",
    "V8.30SP0018": "Canon",
    "V10.6ER001": "Canon",
    "VA48A": None,
    "VB10B": None,
    "3.5.5.25010": None,
    "4.1": None,
    "3.6.6": None,
    "3.40": None,
    "syngo 1.0": None,
}


@pytest.mark.parametrize(("version", "maker"), FORMS.items())
def test_forms_of_versions(version: str, maker: str | None) -> None:
    assert known_software(version) == version
    assert maker_of_software(version) == maker


@pytest.mark.parametrize(
    ("value", "version"),
    [
        *(("VA48A 20190305", "VA48A"), ("VA48A_20190305", "VA48A"), ("SYNGO CT VB20A", "syngo CT VB20A")),
        *(("Quax 4.1", "4.1"), ("syngo  CT  2012b", "syngo CT 2012B"), ("SLES_HDE.198", "sles_hde.198")),
        *(("4.1\\patch Quax", "4.1"), ("v4.86er012", "V4.86ER012"), ("Quax\\VB10B", "VB10B")),
    ],
)
def test_the_known_part_in_one_spelling(value: str, version: str) -> None:
    assert known_software(value) == version


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "Quax",
            "20190305",
            "2019-03-05",
            "2019.03.05",
            "05.03.2019",
            "5.3.2019",
            "5.3.19",
            "10.1.2.33",
        ),
        *(
            "192.168.7.20",
            "9.8.7.6",
            "88431207",
            "QH-CT-7731",
            "1.2.840.113619.2",
            "syngo CT 20190305",
            "V1.2.3.4.5",
        ),
        *("VA48AQuax", "3.5.5.2501077", "12.5/77"),
    ],
)
def test_dates_addresses_and_numbers_are_no_versions(value: str) -> None:
    assert known_software(value) == ""


@given(st.text(max_size=30) | st.text(alphabet="0123456789.-/_VASPERsyngo CT", max_size=24))
def test_a_known_version_is_known_again_and_holds_no_long_number(text: str) -> None:
    version = known_software(text)
    assert known_software(version) == version
    assert known_software(f"  {text.upper()} ") == version
    assert not re.search(r"\d{6}", version)
