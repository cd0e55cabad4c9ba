import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate_ingest.fields.tokens import decodings, normalised, split


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("HEAD5MM", "head"),
        ("HEAD 5 MM THIN", "head thin"),
        ("Head 5.0 H31s Br40 FC26 T20f", "head"),
        ("C20 HEAD", "c head"),
        ("C+5MM", "c +"),
        ("C-5MM", "c -"),
        ("C-SPINE", "c spine"),
        ("HEAD-C", "head c"),
        ("HEAD -C", "head - c"),
        ("HEAD - AXIAL", "head axial"),
        ("KM- 5mm", "km -"),
        ("(+) (-)", "+ -"),
        ("C+/-", "c + -"),
        ("C±", "c + -"),
        ("W/O", "w/o"),
        ("W / O", "w/o"),
        ("W/CONTRAST", "w contrast"),
        ("WO/W", "wo w"),
        ("m.d.c. i.v.", "mdc iv"),
        ("o. KM", "o km"),
        ("3D 2D 4D 3DVR", "3d 2d 4d dvr"),
        ("C1-C7", "vertebrae"),
        ("W80 L40", ""),
        ("W 5mm", "w"),
        ("A&B", "a and b"),
        ("A_B^C", "a b c"),
        ("Schädel ÓRBITA crâne œil", "schadel orbita crane oeil"),
        ("造影CT(-)", "造 影 ct -"),
        ("ﾀﾝｼﾞｭﾝ", "タ ン ジ ュ ン"),
        ("Sch?del", "sch?del"),
        ("Голова", "голова"),
        ("120kV 300 mAs 1.25mm", ""),
    ],
)
def test_split(text: str, tokens: str) -> None:
    assert split(normalised(text)) == tokens.split()


@settings(deadline=None)
@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalised(text)
    assert once == once.strip()
    assert "  " not in once
    assert split(once) == split(normalised(f" {text} "))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("頭部単純", "cp932"), ("头颅", "gb18030"), ("頭部", "iso2022_jp"), ("Schädel", "utf-8")],
)
def test_decodings_have_the_text_as_it_was_meant(text: str, encoding: str) -> None:
    meant = [decoded for decoded, _ in decodings(text.encode(encoding).decode("latin-1"))]
    assert text in meant


def test_a_text_in_a_known_character_set_is_left_alone() -> None:
    for text in ("HEAD", "头颅", "", "Голова"):
        assert list(decodings(text)) == [(text, 1)]


def test_a_guessed_decoding_has_no_latin_letters() -> None:
    guessed = [decoded for decoded, shortest in decodings("Crâne W cérébral") if shortest > 1]
    assert guessed
    assert not any(letter.isascii() and letter.isalpha() for decoded in guessed for letter in decoded)
