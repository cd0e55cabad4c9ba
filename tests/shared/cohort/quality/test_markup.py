"""The frame of the quality pages: whatever a text holds, it stays text."""

import doctest
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from nameplate.cohort.quality import markup
from nameplate.cohort.quality.markup import flags, link, page, paragraph, table


class Texts(HTMLParser):
    """What a reader sees, by tag."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = [("", "")]

    def handle_starttag(self, tag, attrs) -> None:
        self.found.append((tag, ""))

    def handle_data(self, data) -> None:
        tag, text = self.found[-1]
        self.found[-1] = tag, text + data


def seen(html: str, tag: str) -> list[str]:
    reader = Texts()
    reader.feed(html)
    reader.close()
    return [text.rstrip("\n") for found, text in reader.found if found == tag]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=["Cc", "Cs"]))


def test_examples() -> None:
    result = doctest.testmod(markup)
    assert result.attempted == 1
    assert result.failed == 0


@given(texts)
def test_a_text_stays_a_text(text: str) -> None:
    assert seen(paragraph(text), "p") == [text]
    assert seen(link("x.html", text), "a") == [text]
    assert seen(flags([text, "b"]), "span") == [text, "b"]
    assert seen(table(("head",), [(text,)]), "td") == [text]
    assert seen(page(text, "", "").decode(), "h1") == [text]


def test_a_table_with_an_upper_heading() -> None:
    html = table(("a", "b", "c"), [("1", "2", "3")], spans=(("", 1), ("both", 2)), texts=(2,))
    assert seen(html, "th") == ["", "both", "a", "b", "c"]
    assert '<th colspan="2" class=span>both</th>' in html
    assert '<td class="text">3</td>' in html


def test_a_page_allows_its_own_pictures_and_nothing_else() -> None:
    html = page("x", "", "").decode()
    assert "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'" in html
