"""The quality pages: well-formed, safe, small, and with nothing on them that names a patient."""

import re
from html.parser import HTMLParser

import pytest

from nameplate.cohort.quality.pages import INDEX, REFUSED_INDEX, quality_pages

VOID = {"meta", "br", "img"}


class Reader(HTMLParser):
    """Checks that every element is closed, and keeps texts, links and pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def read(data: bytes) -> Reader:
    reader = Reader()
    reader.feed(data.decode())
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture
def cohort(card, ledger_row):
    """Cards, ledger and pictures of refused series."""
    cards = [card(number, "Siemens" if number % 2 else "GE") for number in range(30)]
    cards.append(card(40, "GE", flags=("a <b> & 'flag'",), usable=False, picture=None))
    ledger = [ledger_row(one, "chosen", manufacturer="Siemens" if one % 2 else "GE") for one in range(30)]
    ledger += [ledger_row(number, "contrast", manufacturer="GE") for number in range(0, 30, 2)]
    ledger += [ledger_row(number, "image-type", seen="LOCALIZER", manufacturer="GE") for number in range(30)]
    ledger += [ledger_row(number, "outranked") for number in range(10)]
    ledger += [ledger_row(number, "thickness", manufacturer="GE", files=60) for number in range(60, 80)]
    ledger += [ledger_row(number, "picture", doubtful=True, seen="no-head: <odd>") for number in (80, 81)]
    ledger.append(ledger_row(90, "not-dicom", item="file", id="f1", exam=None, files=3, manufacturer=""))
    drawn = [row.id for row in ledger if row.rule in ("contrast", "thickness", "outranked")]
    drawn += [row.id for row in ledger if row.rule == "picture" and row.exam.endswith("50")]
    return cards, ledger, dict.fromkeys(drawn, cards[0].picture)


@pytest.fixture
def pages(cohort):
    return quality_pages("study", *cohort, back="../../index.html")


def test_every_file_is_linked_and_every_link_has_a_file(pages) -> None:
    asked = {"../../index.html"}
    for name in (INDEX, REFUSED_INDEX):
        for tag, given in read(pages[name]).tags:
            asked |= {given["src"]} if tag == "img" else set()
            asked |= {given["href"]} if tag == "a" else set()
    assert asked == {*pages, "../../index.html"}
    assert sum(name.startswith("refused/") for name in pages) == 36  # what was outranked is only counted


def test_no_script_and_nothing_from_outside(pages) -> None:
    for name in (INDEX, REFUSED_INDEX):
        reader = read(pages[name])
        assert not {tag for tag, _ in reader.tags} & {"script", "link", "iframe", "object", "form"}
        assert not any(key.startswith("on") for _, given in reader.tags for key in given)
        assert b"http" not in pages[name].replace(b"http-equiv", b"")
        assert b"url(" not in pages[name]


def test_pictures_are_loaded_when_they_come_into_view_and_have_their_size(pages) -> None:
    images = [given for tag, given in read(pages[INDEX]).tags if tag == "img"]
    assert len(images) == 30
    for given in images:
        assert given["loading"] == "lazy"
        assert (given["width"], given["height"]) == ("476", "140")
        assert given["alt"]


def test_a_page_of_many_exams_is_small(card) -> None:
    cards = [card(number, flags=("brain-cut",) if number % 9 == 0 else ()) for number in range(800)]
    assert len(quality_pages("study", cards, [], {})[INDEX]) < 800 * 700


def test_what_is_said_of_an_exam(pages) -> None:
    text = read(pages[INDEX]).text
    assert "31 exams: 1 not used, 1 with flags, 0 with measures that are unusual" in text
    assert "To look at first (1) no picture GE Model 16 · H31s 5 mm · 31 slices" in text
    assert "not used a <b> & 'flag'" in text
    assert text.index("To look at first") < text.index("GE (15)") < text.index("Siemens (15)")


def test_what_is_said_of_refusals(pages) -> None:
    text = read(pages[REFUSED_INDEX]).text
    assert "22 of 52 exams were lost; 67 series were refused, 2 of them as doubtful." in text
    heads = ("Reason lost refused", "Doubtful: please look (2)", "contrast (15)", "Without a picture (30)")
    first, doubtful, contrast, undrawn = map(text.index, heads)
    assert first < doubtful < text.index("thickness (20)") < contrast < undrawn
    assert "not drawn: no axial image that can be read" in text[doubtful:contrast]
    assert "image-type LOCALIZER GE 30 900 not drawn: it may show a face" in text[undrawn:]
    assert "no-head: <odd>" in text


def test_a_difference_between_manufacturers_is_a_warning_on_both_pages(pages) -> None:
    for name in (INDEX, REFUSED_INDEX):
        warnings = [given for tag, given in read(pages[name]).tags if given.get("class") == "warn"]
        assert warnings
        assert (
            "Exams of GE were lost more often than of Siemens because of thickness: 20 of"
            in read(pages[name]).text
        )


def test_only_what_a_page_needs_of_a_record_is_shown(pages) -> None:
    whole = pages[INDEX] + pages[REFUSED_INDEX]
    for hidden in (b"p0000000000000001", b"i00000000000000ff", b"software-not-shown", b"61.0", b"/images/e"):
        assert hidden not in whole


def test_an_empty_cohort_and_the_same_bytes(cohort, pages) -> None:
    assert quality_pages("study", *cohort, back="../../index.html") == pages
    empty = quality_pages("empty & <none>", [], [], {})
    assert list(empty) == [INDEX, REFUSED_INDEX]
    assert "Exams: empty & <none>" in read(empty[INDEX]).text
    assert "0 of 0 exams were lost" in read(empty[REFUSED_INDEX]).text


def test_what_was_lost_later_counts(cohort) -> None:
    later = {f"e{number:016x}": "skullstrip: too-small" for number in range(0, 30, 2)}
    text = read(quality_pages("study", *cohort, later=later)[REFUSED_INDEX]).text
    assert "37 of 52 exams were lost" in text
    assert "because of skullstrip: too-small" in text
