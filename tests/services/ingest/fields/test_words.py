import csv
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate_ingest.fields.words import Reading, agent, read

TABLE = Path(__file__).with_name("descriptions.csv")
"""Descriptions with the right reading, as a radiographer of the country would give it."""


def _rows() -> list[tuple[str, Reading]]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        return [
            (
                row["text"],
                Reading(*(frozenset(row[field].split()) for field in ("contrast", "parts", "kinds"))),
            )
            for row in csv.DictReader(file)
        ]


def _words() -> list[tuple[str, str, str]]:
    """Section, concept and word of everything in ``words.yaml``; the bar of "with |" is left out."""
    content = yaml.safe_load(files("nameplate_ingest.fields").joinpath("words.yaml").read_bytes())
    return [
        (section, concept, word.strip().removesuffix("|").strip())
        for section, concepts in content.items()
        for concept, languages in concepts.items()
        for words in languages.values()
        for word in words.split(",")
    ]


def _shown(reading: Reading) -> str:
    return " / ".join(
        " ".join(sorted(field)) or "-" for field in (reading.contrast, reading.parts, reading.kinds)
    )


def test_the_table() -> None:
    rows = _rows()
    assert len(rows) >= 400
    assert len({text for text, _ in rows}) == len(rows)
    wrong = [
        f"{text}: {_shown(read(text))}, right is {_shown(right)}"
        for text, right in rows
        if read(text) != right
    ]
    assert not wrong, "\n".join(wrong)


def test_every_word_says_what_it_stands_for() -> None:
    wrong = []
    for section, concept, word in _words():
        reading = read(word)
        fields = {"contrast": reading.contrast, "parts": reading.parts, "kinds": reading.kinds}
        if section in fields and concept not in fields[section]:
            wrong.append(f"{section}.{concept}: {word}")
    assert not wrong, "\n".join(wrong)


def test_harmless_phrases_say_nothing() -> None:
    meant = {word for section, _, word in _words() if section in ("contrast", "parts", "kinds")}
    harmless = [word for section, _, word in _words() if section == "harmless" and word not in meant]
    wrong = [word for word in harmless if read(word) != Reading()]
    assert not wrong, "\n".join(wrong)


def test_every_concept_has_a_language_in_the_file() -> None:
    content = yaml.safe_load(files("nameplate_ingest.fields").joinpath("words.yaml").read_bytes())
    known = {"en", "de", "fr", "es", "it", "pt", "nl", "zh", "ja"}
    for concepts in content.values():
        for languages in concepts.values():
            assert languages
            assert set(languages) <= known
            assert all(word.strip() for words in languages.values() for word in words.split(","))
    for concept in ("given", "none"):
        assert set(content["contrast"][concept]) == known
    for part in (
        "head",
        "neck",
        "sinuses",
        "face",
        "orbits",
        "temporal-bone",
        "jaw",
        "cervical-spine",
        "chest",
    ):
        assert set(content["parts"][part]) == known


SOME = st.lists(
    st.sampled_from(sorted({text for text, _ in _rows()} | {word for _, _, word in _words()})), max_size=4
).map(" ".join)
"""Words of the table and of the file in any order."""


@settings(deadline=None)
@given(st.one_of(st.text(), SOME, st.text("wWcC+-/_.?&()0123456789 mhHo\x1b$Bé")))
def test_no_text_is_too_strange(text: str) -> None:
    reading = read(text)
    assert reading.contrast <= {"given", "none"}
    assert agent(text) in (True, False, None)


@settings(deadline=None)
@given(SOME)
def test_case_spaces_and_underscores_do_not_matter(text: str) -> None:
    reading = read(text)
    assert read(text.upper()) == reading
    assert read(text.lower()) == reading
    assert read(f"  {text}\t") == reading
    assert read(text.replace(" ", "_")) == reading
    assert read(text.replace(" ", "^")) == reading
    assert agent(text.upper()) == agent(text) == agent(f" {text} ")


@settings(deadline=None)
@given(SOME, st.sampled_from(["5MM", "3.0", "H31s", "FC26", "0.625mm", "120kV", "Br40"]))
def test_thickness_and_kernel_say_nothing(text: str, suffix: str) -> None:
    assert read(f"HEAD {suffix} {text}") == read(f"HEAD {text}")


@pytest.mark.parametrize(
    ("text", "encoding", "right"),
    [
        ("头颅平扫", "gb18030", Reading(frozenset({"none"}), frozenset({"head"}))),
        ("头颅增强", "gb18030", Reading(frozenset({"given"}), frozenset({"head"}))),
        ("頭部単純", "cp932", Reading(frozenset({"none"}), frozenset({"head"}))),
        ("頭部造影", "euc_jp", Reading(frozenset({"given"}), frozenset({"head"}))),
        ("頭部単純", "iso2022_jp", Reading(frozenset({"none"}), frozenset({"head"}))),
        ("Schädel nativ", "utf-8", Reading(frozenset({"none"}), frozenset({"head"}))),
        ("CRÂNIO SEM CONTRASTE", "utf-8", Reading(frozenset({"none"}), frozenset({"head"}))),
        ("鼻窦 5mm", "gb18030", Reading(frozenset(), frozenset({"sinuses"}))),
    ],
)
def test_a_character_set_that_the_file_does_not_name(text: str, encoding: str, right: Reading) -> None:
    assert read(text) == right
    assert read(text.encode(encoding).decode("latin-1")) == right


def test_lost_letters() -> None:
    plain = read("Schädel nativ")
    assert read("Sch?del nativ") == read("Sch\ufffddel nativ") == read("Sch??del nativ") == plain
    assert read("Scha\u0308del nativ") == plain


@pytest.mark.parametrize(
    "text",
    [
        *(
            "NO CONTRAST GIVEN",
            "NON CONTRAST",
            "NO IV CONTRAST",
            "W/O",
            "W/O CONTRAST",
            "UNENHANCED",
            "WITHOUT CONTRAST",
        ),
        *(
            "KEINE",
            "KEIN KM",
            "ohne KM",
            "nativ",
            "NONE",
            "None.",
            "NO",
            "nil",
            "N",
            "N/A",
            "NOT APPLICABLE",
            "0",
            "0 ml",
        ),
        *(
            "0.0 ML",
            "00",
            "-",
            "--",
            ".",
            "C-",
            "PLAIN",
            "SIN CONTRASTE",
            "S/C",
            "ninguno",
            "No aplica",
            "senza mdc",
        ),
        *(
            "nessuno",
            "basale",
            "sans injection",
            "AUCUN",
            "SPC",
            "non injecté",
            "sem contraste",
            "nenhum",
            "NÃO",
        ),
        *(
            "geen",
            "zonder contrast",
            "blanco",
            "nvt",
            "平扫",
            "单纯",
            "単純",
            "なし",
            "無し",
            "无",
            "未使用",
            "造影なし",
        ),
        *(
            "no oral contrast",
            "No Contrast Media",
            "(-)",
            "[none]",
            "no se administró contraste",
            "IV contrast: no",
            "KM: keins",
            "NO CONTRAST IV",
            "Kein KM i.v.",
            "k.A.",
            "No CM",
            "no media",
            "NO ORAL OR IV CONTRAST",
            "NO CONTRAST ADMINISTERED TODAY",
            "native",
        ),
    ],
)
def test_agents_that_are_none(text: str) -> None:
    assert agent(text) is False


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Omnipaque",
            "OMNIPAQUE 300",
            "Iohexol",
            "100 ML ISOVUE",
            "80 ml",
            "100",
            "0.5",
            "IV",
            "CONTRAST",
            "yes",
            "Y",
        ),
        *(
            "&",
            "+",
            "?",
            "ORAL",
            "XENETIX 350",
            "xyz",
            "C+",
            "KM",
            "mit KM",
            "APPLIED",
            "CE",
            "oui",
            "sí",
            "mdc",
        ),
        *(
            "con contraste",
            "造影",
            "オムニパーク",
            "碘海醇",
            "有",
            "あり",
            "Йогексол",
            "no reaction, Omnipaque",
        ),
        *("no oral, IV 80 ml", "NONIONIC", "Applied 50 ml none", "W & W/O"),
    ],
)
def test_agents(text: str) -> None:
    assert agent(text) is True


@pytest.mark.parametrize("text", ["", " ", "\t", "\0", " \0 "])
def test_a_blank_agent(text: str) -> None:
    assert agent(text) is None
