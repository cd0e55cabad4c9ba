from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.fields.person import (
    Person,
    contradict,
    contradiction,
    identity,
    is_placeholder,
    sex_of,
    shared_by_several,
)

QUAX = Person(id="Q-774431", name="Quax^Zebulonius", birth="19550131", sex="M", age=64.0)
NAMELESS = replace(QUAX, id="ANONYMOUS")

SEXES = {
    "F": (
        "F",
        "f ",
        "Female",
        "FEM",
        "Weiblich",
        "W",
        "Femme",
        "Féminin",
        "mujer",
        "Femenino",
        "donna",
        "vrouw",
        "女",
    ),
    "M": ("M", "male", "Männlich", "Maennlich", "homme", "Hombre", "H", "Maschio", "Man", "masculino", "男"),
    "O": ("O", "Other", "divers"),
    None: ("", "U", "unknown", "1", "M F", "N", "MF"),
}


@pytest.mark.parametrize(("stated", "sex"), [(word, sex) for sex, words in SEXES.items() for word in words])
def test_sex_in_words(stated: str, sex: str | None) -> None:
    assert sex_of(stated) == sex


FILLERS = [
    *(
        "",
        " ",
        "^",
        "^^^^",
        "*****",
        "-",
        "...",
        "ANONYMOUS",
        "Anonymous^Patient",
        "ANON",
        "anonymized",
        "ANONYMISED",
    ),
    *("ANON0000", "123", "ABC", "not specified", "PHI removed", "Anonymized by DICOM cleaner", "RSNA", "x"),
    *("Anonymous Female", "EMERGENCY PATIENT", "Trauma Unknown", "not assigned", "confidential", "blinded"),
    *("UNKNOWN", "Unknown^Unknown", "NONE", "None", "null", "TEST", "Test^Patient", "XXXX", "xx", "XXX^XXX"),
    *(
        "0000",
        "000000",
        "0",
        "00-00",
        "1",
        "1111",
        "NA",
        "N/A",
        "n.a.",
        "DEIDENTIFIED",
        "De-Identified",
        "NO ID",
    ),
    *(
        "NO NAME",
        "No^Name",
        "PATIENT",
        "Patient ID",
        "not available",
        "Not^Given",
        "ANONYM",
        "Anonymisé",
        "ANÓNIMO",
    ),
    *("Anonimo", "UNBEKANNT", "Unbekannter Patient", "DESCONOCIDO", "Inconnu", "sconosciuto"),
    *("匿名", "未知", "患者 匿名", "無名氏", "Doe^John", "JANE DOE", "Mustermann^Max", "12345"),
    *("123456789", "REDACTED", "removed", "anon 000", "id: unknown"),
]
NAMES = [
    *(
        "ANON-0017",
        "PATIENT 12",
        "ANON17",
        "7",
        "12",
        "0012",
        "Q-774431",
        "Testa^Maria",
        "Nonet^Paul",
        "Xu^Xi",
    ),
    *("Test^Zebulonius", "112233", "SUBJ-01", "H0001", "Anonby^Quax", "王^小明", "P1"),
]


@pytest.mark.parametrize("value", FILLERS)
def test_fillers_name_nobody(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize("value", NAMES)
def test_what_tells_people_apart_is_no_filler(value: str) -> None:
    assert not is_placeholder(value)


@given(st.sampled_from(FILLERS + NAMES), st.sampled_from(["^", " ", "  ", "\0", "_"]), st.booleans())
def test_case_and_signs_around_do_not_matter(value: str, sign: str, upper: bool) -> None:
    changed = f"{sign}{value.upper() if upper else value.lower()}{sign}"
    assert is_placeholder(changed) == is_placeholder(value)


def test_a_credible_id_is_the_identity() -> None:
    assert identity(QUAX, "1.2") == ("Q-774431",)
    assert identity(replace(QUAX, id=" Q-774431 ", name="", birth=""), "1.3") == ("Q-774431",)


OTHERS = [
    NAMELESS,
    replace(NAMELESS, name="Quax^Anna"),
    replace(NAMELESS, birth="19550201"),
    replace(NAMELESS, sex="F"),
]


def test_without_an_id_name_birth_and_sex_are() -> None:
    same = replace(QUAX, id="", name="ZEBULONIUS QUAX")
    assert identity(NAMELESS, "1.2") == identity(same, "1.3")
    assert len({identity(other, "1.2") for other in OTHERS}) == len(OTHERS)


@pytest.mark.parametrize(
    "nobody",
    [
        *(replace(NAMELESS, name="ANONYMOUS"), replace(NAMELESS, birth="19000101")),
        *(replace(NAMELESS, birth=""), replace(NAMELESS, name="^")),
    ],
)
def test_without_name_or_birth_every_study_is_one_person(nobody: Person) -> None:
    assert identity(nobody, "1.2") == identity(nobody, "1.2")
    assert identity(nobody, "1.2") != identity(nobody, "1.3")


PEOPLE = st.builds(
    Person,
    id=st.sampled_from(["", "ANON", "1.2", "Q1", "0Q1", "study"]),
    name=st.sampled_from(["", "Quax^Anna", "QUAX^A", "Wu^Li", "UNKNOWN"]),
    birth=st.sampled_from(["", "19550131", "19000101", "19600131"]),
    sex=st.sampled_from(["F", "M", "O", None]),
    age=st.none() | st.floats(0, 90),
)


@given(PEOPLE, PEOPLE)
def test_contradictions_have_two_sides_and_none_with_oneself(a: Person, b: Person) -> None:
    assert contradict(a, b) == contradict(b, a) == bool(contradiction(a, b))
    assert not contradict(a, a)
    text = contradiction(a, b)
    assert all(value not in text for value in (a.id, a.name, a.birth) if value)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"id": "Q-774432"}, "two patient IDs"),
        ({"sex": "F"}, "two sexes"),
        ({"birth": "19550201"}, "two dates of birth"),
        ({"age": 62.0}, "ages 1.5 years apart or more"),
    ],
)
def test_two_people_in_one_study(other: dict[str, str | float], why: str) -> None:
    assert contradiction(QUAX, replace(QUAX, **other)) == why  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [
        *({"id": "q774431"}, {"id": "0Q-774431"}, {"id": ""}, {"id": "ANON"}, {"sex": None}, {"sex": "O"}),
        *({"birth": ""}, {"birth": "19000101"}, {"birth": "1955-01-31"}, {"age": None}, {"age": 65.0}),
        *({"name": "Meyer^Anna"}, {"name": ""}),
    ],
)
def test_one_person_written_in_two_ways(other: dict[str, str | float | None]) -> None:
    assert not contradict(QUAX, replace(QUAX, **other))  # type: ignore[arg-type]


def test_names_count_only_without_ids() -> None:
    assert contradiction(NAMELESS, replace(NAMELESS, id="", name="Meyer^Anna")) == "two names"
    assert not contradict(NAMELESS, replace(NAMELESS, name="QUAX"))
    assert not contradict(NAMELESS, replace(NAMELESS, name="Quax^Z"))
    mueller = replace(NAMELESS, name="Müller")
    assert not contradict(mueller, replace(NAMELESS, name="MUELLER"))
    assert not contradict(mueller, replace(NAMELESS, name="Muller"))
    assert contradict(mueller, replace(NAMELESS, name="Miller"))


@dataclass(frozen=True)
class Told:
    patient: str
    sex: str | None
    age: float | None


def test_pseudonyms_of_several_people() -> None:
    exams = [
        *(Told("p1", "F", 40.0), Told("p1", "M", 41.0)),
        *(Told("p2", "F", 40.0), Told("p2", "O", 54.0), Told("p2", None, None)),
        *(Told("p0", "M", 20.0), Told("p0", "M", 60.0)),
        Told("p3", "M", None),
    ]
    assert shared_by_several(exams) == ("p0", "p1")
    assert shared_by_several([]) == ()
    assert shared_by_several(reversed(exams)) == ("p0", "p1")


def test_a_person_is_never_printed() -> None:
    assert "Quax" not in repr(QUAX)
    assert "774431" not in repr(QUAX)
    assert "1955" not in repr(QUAX)
