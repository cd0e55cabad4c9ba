"""Raw values of elements: malformed ones are None or empty, never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.dicom.values import decoded, number, numbers, positive, short


def test_descriptions_are_read_in_their_own_character_set() -> None:
    assert decoded("Schädel nativ".encode(), "ISO_IR 192") == "Schädel nativ"
    assert decoded("Schädel".encode("latin-1"), "ISO_IR 100") == "Schädel"
    assert decoded("頭部単純".encode("iso2022_jp"), "\\ISO 2022 IR 87") == "頭部単純"
    assert decoded("头颅平扫".encode("gb18030"), "GB18030") == "头颅平扫"
    assert decoded(b"\xff\xfe", "no such set")


@pytest.mark.parametrize("charset", ["iso ir 192", "ISO-IR 192", "ISO_IR_192", "UNHEARD\\ISO_IR 192"])
def test_sets_are_known_however_they_are_spelled(charset: str) -> None:
    assert decoded("Schädel".encode(), charset) == "Schädel"


@pytest.mark.parametrize("charset", ["Doe", "Doe\\Jane", "ISO_IR Doe", "rot13", "utf_7", "punycode"])
def test_the_name_of_an_unknown_set_is_written_nowhere(
    charset: str, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    caplog.set_level(0)
    assert decoded("Schädel".encode("latin-1"), charset) == "Schädel"
    assert not caplog.text
    assert not recwarn.list


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"5.0 ", 5.0),
        (b"1\\2", 1.0),
        (b"", None),
        (b"x", None),
        (b"1e999", None),
        (b"nan", None),
        (None, None),
    ],
)
def test_numbers(raw: bytes | None, value: float | None) -> None:
    assert number(raw) == value
    assert positive(number(raw)) == value


def test_a_vector_has_exactly_its_length() -> None:
    assert numbers(b"1\\2\\3", 3) == (1.0, 2.0, 3.0)
    assert numbers(b"1\\2", 3) is None
    assert numbers(b"1\\2\\inf", 3) is None


@given(st.binary(max_size=40), st.text(max_size=10), st.booleans())
def test_nothing_that_a_file_holds_is_an_error(raw: bytes, charset: str, little: bool) -> None:
    assert isinstance(decoded(raw, charset), str)
    assert isinstance(number(raw), float | None)
    assert numbers(raw, 3) is None or len(raw) >= 5
    assert (short(raw, little) is None) == (len(raw) < 2)
