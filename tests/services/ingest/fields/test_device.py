import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nameplate_ingest.fields.device import (
    clean_kernel,
    clean_model,
    clean_software,
    known_model,
    maker_of_model,
)
from nameplate_ingest.fields.device_models import MODELS
from nameplate_ingest.fields.manufacturer import normalise
from nameplate_ingest.fields.spelling import tokens

NOBODY: frozenset[str] = frozenset()
CLEANERS = (clean_model, clean_software, clean_kernel)


def token(kind: str, text: str) -> str:
    """The real one is a keyed hash; this one says that there is a token."""
    assert text
    return f"{kind}-#"


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.casefold()))


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        *(
            ("LightSpeed VCT", "GE"),
            ("Discovery CT750 HD", "GE"),
            ("BrightSpeed", "GE"),
            ("HiSpeed Dual", "GE"),
        ),
        *(("Optima CT660", "GE"), ("Revolution EVO", "GE"), ("RHAPSODE", "GE"), ("HiSpeed CT/i", "GE")),
        *(("SOMATOM Definition AS+", "Siemens"), ("Sensation 64", "Siemens"), ("SOMATOM Force", "Siemens")),
        *(("Emotion 16", "Siemens"), ("SOMATOM go.Top", "Siemens"), ("Volume Zoom", "Siemens")),
        *(("Ingenuity CT", "Philips"), ("Brilliance 64", "Philips"), ("Mx8000 IDT 16", "Philips")),
        *(("Brilliance 16P", "Philips"), ("Ingenuity Core 128", "Philips"), ("CT 5300", "Philips")),
        *(
            ("Aquilion ONE", "Canon"),
            ("Aquilion Prime SP", "Canon"),
            ("Aquilion", "Canon"),
            ("Alexion", "Canon"),
        ),
        *(
            ("SCENARIA", "Hitachi"),
            ("ECLOS", "Hitachi"),
            ("NeuViz 128", "Neusoft"),
            ("NeuViz 64 In", "Neusoft"),
        ),
        *(("uCT 760", "United Imaging"), ("uCT 960+", "United Imaging"), ("CereTom", "NeuroLogica")),
        *(
            ("ANATOM 16HD", "Anke"),
            ("ScintCare CT 16", "MinFound"),
            ("SCT 7000TX", "Shimadzu"),
            ("TSX-101A", "Canon"),
        ),
    ],
)
def test_models_of_every_maker(model: str, maker: str) -> None:
    assert clean_model(model, maker, NOBODY, token=token) == model
    assert clean_model(model, None, NOBODY, token=token) == model
    assert maker_of_model(model) == maker
    assert normalise(maker) == maker


@pytest.mark.parametrize(
    ("value", "model"),
    [
        *(
            ("LightSpeed16", "LightSpeed 16"),
            ("LIGHTSPEED VCT", "LightSpeed VCT"),
            ("Brilliance16", "Brilliance 16"),
        ),
        *(
            ("IQon - Spectral CT", "IQon Spectral CT"),
            ("SOMATOM Quaxhausen 2", "SOMATOM"),
            ("uCT 999", "uCT"),
        ),
        *(("Philips Brilliance 64", "Brilliance 64"), ("Aquilion ONE (Quaxhausen)", "Aquilion ONE")),
        *(("Biograph128_mCT", "Biograph 128_mCT"), ("GE-LightSpeed-VCT 20190304", "LightSpeed VCT")),
    ],
)
def test_only_the_known_part_leaves(value: str, model: str) -> None:
    assert clean_model(value, None, NOBODY, token=token) == model


@pytest.mark.parametrize(
    "value",
    ["Quaxhausen", "CT", "HOST-7714", "Spirit Hospital", "Discovery Clinic", "Force of Quax", "QX CT 3"],
)
def test_words_of_daily_life_are_no_models(value: str) -> None:
    assert clean_model(value, None, NOBODY, token=token) == "model-#"
    assert maker_of_model(value) is None


def test_models_of_two_makers_in_one_text_name_none() -> None:
    assert maker_of_model("Aquilion ONE on Brilliance 64") is None
    assert maker_of_model("SOMATOM Definition AS+") == "Siemens"


def test_a_secret_never_leaves_even_as_a_known_name() -> None:
    assert clean_model("SOMATOM Force", "Siemens", {"force"}, token=token) == "SOMATOM"
    assert clean_model("Brilliance64", "Philips", {"64"}, token=token) == "model-#"
    assert clean_kernel("H31s", "Siemens", {"h31s"}, token=token) == ""
    assert clean_model("Sensation Quax 64", "Siemens", {"quax"}, token=token) == "model-#"
    assert clean_software("VA48A Quax", "Siemens", {"va48a"}, token=token, allow=True) == "Quax"


def test_what_is_left_of_unknown_text_where_it_is_allowed() -> None:
    text = "Room-7 <b>Zebra</b> 2019-03-04 of Quaxhausen, 20190304, 4 Mar 2019, 04.03.2019, SN 88431207"
    assert clean_model(text, None, {"quaxhausen"}, token=token, allow=True) == "Room-7 b Zebra /b of SN"
    assert clean_model("HOST-QUAXHAUSEN3", None, {"quaxhausen"}, token=token, allow=True) == ""
    assert len(clean_model("Zebra " * 20, None, NOBODY, token=token, allow=True)) <= 40


@pytest.mark.parametrize("clean", CLEANERS)
@pytest.mark.parametrize(
    "value",
    [
        "",
        "  ",
        "20190304",
        "2019-03-04 10:15",
        "04.03.2019",
        "5 Mar 19",
        "March 5th, 2019",
        "2019年3月4日",
        "05MAR2019",
        "3/4/19",
        "88431207",
        "Quaxhausen",
        "--",
    ],
)
def test_nothing_but_dates_numbers_and_secrets_is_nothing(clean: Callable[..., str], value: str) -> None:
    left = clean(value, None, {"quaxhausen", "10", "15"}, token=token)
    assert left == ""


def test_a_token_is_of_the_text_without_what_changes_from_exam_to_exam() -> None:
    seen = set()

    def remember(kind: str, text: str) -> str:
        seen.add((kind, text))
        return ""

    for value in ("Zebra-9 20190304", "zebra 9  2019-03-05", "ZEBRA_9 Quax"):
        clean_model(value, None, {"quax"}, token=remember)
    assert seen == {("model", "zebra 9")}


NAMES = sorted(
    {known_model(row.split(": ")[0]) for rows in MODELS.values() for row in rows.splitlines()} - {""}
)
FREE = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)
TEXTS = st.lists(FREE | st.sampled_from([*NAMES, "VA48A", "H31s", "STANDARD", "4.1", "20190305"]), max_size=5)


@given(TEXTS, st.lists(FREE | st.sampled_from(["Force", "STANDARD", "VA48A", "Quax"]), max_size=4), st.data())
def test_no_secret_comes_out_of_any_text(parts: list[str], secret: list[str], data: st.DataObject) -> None:
    secrets = frozenset(word for text in secret for word in words(text))
    value = data.draw(st.sampled_from([" ", "_", "\\", "", "-"])).join(
        data.draw(st.permutations(parts + secret))
    )
    for clean in CLEANERS:
        for allow in (False, True):
            left = clean(value, None, secrets, token=lambda kind, text: _safe(text, secrets), allow=allow)
            assert words(left).isdisjoint(secrets)


def _safe(text: str, secrets: frozenset[str]) -> str:
    """What a token is made of holds no secret either."""
    assert words(text).isdisjoint(secrets)
    return ""


@given(TEXTS)
@example(["ｓｏｍａｔｏｍ Quax"])
def test_nothing_but_literals_forms_and_tokens_leaves(parts: list[str]) -> None:
    value = " ".join(parts)
    assert clean_model(value, None, NOBODY, token=token) in {"", "model-#", *ALL_MODELS}
    for clean, kind in ((clean_software, "software"), (clean_kernel, "kernel")):
        left = clean(value, None, NOBODY, token=token)
        assert left in ("", f"{kind}-#") or clean(left, None, NOBODY, token=token) == left
        assert not re.search(r"\d{6}", left)


def _all_models() -> set[str]:
    names = set()
    for rows in MODELS.values():
        for row in filter(None, map(str.strip, rows.splitlines())):
            beginning, _, endings = row.partition(": ")
            start = beginning.lstrip("=~")
            between = "" if start.endswith("-") else " "
            names |= {f"{start}{between}{ending}".strip() for ending in ("", *endings.split("|"))}
    return names


ALL_MODELS = _all_models()


@given(st.sampled_from(sorted(ALL_MODELS)), st.booleans(), st.sampled_from([" ", "-", "_", "  ", ". "]))
def test_case_spaces_and_signs_do_not_matter(name: str, upper: bool, sign: str) -> None:
    changed = sign.join(tokens(name.upper() if upper else name))
    assert known_model(changed) == known_model(name)
    assert known_model(known_model(name)) == known_model(name)


def test_the_table_holds_several_hundred_models_and_none_of_two_makers() -> None:
    owners = {name: {maker_of_model(name)} for name in ALL_MODELS if known_model(name) == name}
    assert len(owners) > 400
    assert all(owner != {None} for owner in owners.values())
