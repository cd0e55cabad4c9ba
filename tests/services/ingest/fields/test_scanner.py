import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.fields.manufacturer import normalise
from nameplate_ingest.fields.scanner import Maker, scanner_of


def test_the_header_names_the_maker() -> None:
    assert scanner_of("SIEMENS", model="Emotion 16") == Maker("Siemens", "named by the header")
    assert scanner_of("SIEMENS", model="Something new").name == "Siemens"
    assert scanner_of("GE Medical Systems / MIM Software").name == "GE"


@pytest.mark.parametrize(
    "workstation",
    [
        *("MIM Software", "MIMvista Corp", "Vital Images", "TeraRecon", "AGFA", "Merge Healthcare", "Barco"),
        *("Brainlab", "Elekta", "Varian Medical Systems", "OsiriX", "Horos", "3D Slicer", "FUJIFILM Synapse"),
        *("Carestream", "IMPAX", "Change Healthcare", "Sectra", "PixelMed", "dcm4che", "XNAT", "Anonymized"),
        *("GE Centricity", "syngo.via", "Philips IntelliSpace", "RaySearch", "RSNA CTP", "McKesson"),
    ],
)
def test_a_workstation_alone_names_nobody(workstation: str) -> None:
    assert scanner_of(workstation) == Maker(None, "a workstation's name")
    assert scanner_of(workstation, model="LightSpeed VCT").name == "GE"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        *(("LightSpeed VCT", "GE"), ("Optima CT660", "GE"), ("Revolution EVO", "GE"), ("HiSpeed CT/i", "GE")),
        *(("SOMATOM Force", "Siemens"), ("Sensation 64", "Siemens"), ("Biograph 64", "Siemens")),
        *(("NAEOTOM Alpha", "Siemens"), ("Brilliance 64", "Philips"), ("iCT 256", "Philips")),
        *(("Mx8000 IDT 16", "Philips"), ("GEMINI TF", "Philips"), ("Incisive CT", "Philips")),
        *(("Aquilion ONE", "Canon"), ("Asteion", "Canon"), ("SCENARIA", "Hitachi"), ("Supria", "Hitachi")),
        *(("NeuViz 128", "Neusoft"), ("uCT 760", "United Imaging"), ("uMI 780", "United Imaging")),
        *(("CereTom", "NeuroLogica"), ("ANATOM 16HD", "Anke"), ("ScintCare CT 16", "MinFound")),
    ],
)
def test_the_model_names_the_maker(model: str, name: str) -> None:
    assert scanner_of("MIM Software", model=model) == Maker(name, "a workstation's name, named by the model")
    assert scanner_of("", model=model).name == name


@pytest.mark.parametrize(
    ("creators", "name"),
    [
        (["GEMS_IDEN_01", "GEMS_ACQU_01"], "GE"),
        (["SIEMENS CT VA0  COAD"], "Siemens"),
        (["ELSCINT1 "], "Philips"),
        (["TOSHIBA_MEC_CT3"], "Canon"),
        (["GEIIS", "SIEMENS MEDCOM HEADER", "Philips Imaging DD 001", "TOSHIBA_MEC_1.0", "AGFA"], None),
    ],
)
def test_private_elements_of_scanners_name_the_maker(creators: list[str], name: str | None) -> None:
    assert scanner_of("AGFA", creators=creators).name == name


@pytest.mark.parametrize(
    ("uid", "name"),
    [
        ("1.2.840.113619.2.55.3.1", "GE"),
        ("1.3.12.2.1107.5.1.4.1.2", "Siemens"),
        ("1.3.12.2.1107.5.2.4.1.2", None),
        ("1.3.46.670589.33.1.2", "Philips"),
        ("1.2.392.200036.9116.2.5.1.48", "Canon"),
        ("1.2.156.14702.1.1", "Neusoft"),
        ("1.2.156.112605.1", "United Imaging"),
        ("1.2.3.4", None),
    ],
)
def test_uids_and_software_count_where_nothing_else_does(uid: str, name: str | None) -> None:
    assert scanner_of("MIM Software", uids=[uid, "2.25.1"]).name == name
    assert scanner_of("SIEMENS", uids=[uid]).name == "Siemens"


def test_software_names_the_maker_last() -> None:
    assert scanner_of("AGFA", software="07MW18.4").name == "GE"
    assert scanner_of("AGFA", software="syngo CT 2012B").name == "Siemens"
    assert scanner_of("AGFA", software="V4.86ER012").name == "Canon"
    assert scanner_of("AGFA", software="4.1").name is None
    both = scanner_of("AGFA", software="V4.86ER012", uids=["1.3.12.2.1107.5.1.4.1"])
    assert both == Maker(None, "the UIDs name Siemens, the software is Canon's")


def test_witnesses_that_contradict_each_other_are_told() -> None:
    said = scanner_of("SIEMENS", creators=["GEMS_ACQU_01"])
    assert said == Maker(None, "the header names Siemens, the private elements are GE's")
    said = scanner_of("", creators=["GEMS_ACQU_01", "ELSCINT1"])
    assert said == Maker(None, "the private elements name 2 manufacturers")
    said = scanner_of("", uids=["1.2.840.113619.2.1", "1.2.156.112605.1"])
    assert said == Maker(None, "the UIDs name 2 manufacturers")


def test_a_model_of_another_maker_does_not_count_against_the_header() -> None:
    said = scanner_of("GE MEDICAL SYSTEMS", model="SOMATOM Definition AS+")
    assert said == Maker("GE", "the header names GE, the model is Siemens'")


def test_of_two_makers_in_the_header_the_model_tells_the_one() -> None:
    joint = "Philips and Neusoft Medical Systems"
    assert scanner_of(joint) == Maker(None, "the header names 2 manufacturers")
    assert scanner_of(joint, model="NeuViz 16").name == "Neusoft"
    assert scanner_of(joint, model="Aquilion").name is None


def test_a_cone_beam_scanner_has_no_maker() -> None:
    for name in (
        "Planmeca",
        "J.Morita Mfg. Corp.",
        "Xoran Technologies",
        "KaVo",
        "NewTom",
        "Imaging Sciences",
    ):
        assert scanner_of(name, model="CT") == Maker(None, "a cone beam scanner's name")


def test_nothing_told_is_told() -> None:
    assert scanner_of("") == Maker(None, "header blank")
    assert scanner_of("Acme", model="T1000") == Maker(None, "header unknown")


@given(st.text(max_size=30), st.text(max_size=30), st.lists(st.text(max_size=20), max_size=3))
def test_a_reason_never_holds_the_headers_text(name: str, model: str, creators: list[str]) -> None:
    said = scanner_of(f"Qq{name}", model=f"Zz{model}", creators=creators, uids=["9.9"], software=f"Vv{name}")
    assert "Qq" not in said.seen
    assert "Zz" not in said.seen
    assert said.name is None or normalise(said.name) == said.name
