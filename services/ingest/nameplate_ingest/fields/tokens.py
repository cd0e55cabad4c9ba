"""The words of a free text: small letters, no accents, no numbers, in the right character set (pure)."""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress

_FOLDED = {
    **{"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ı": "i", "±": "+/-", "\u2212": "-"},
    **{chr(dash): "-" for dash in range(0x2010, 0x2016)},
}
_FOLDABLE = re.compile("[\u00b1\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff\u2010-\u2015\u2212]")
_SCRIPTS = re.compile("[\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
"""A character of Chinese or Japanese, kana included, or a run of any others."""
# What a text consists of, in order of precedence. What has no name says nothing: numbers, "w80", "h31s".
_TOKEN = re.compile(
    r"""
    (?P<vertebrae>(?<![a-z])[ctl]\d\d?\ ?-\ ?[ctls]\d)
  | (?P<pair>(?<![a-z])[a-z]/[a-z](?![a-z]))
  | (?P<initials>(?<![a-z])[a-z]\.[a-z]\.(?:[a-z]\.)*)
  | (?P<dimension>(?<![\d.,])[234]d(?![a-z]))
  | \d+(?:[.,]\d+)*(?:\ ?(?:mm|cm|kvp?|mas?|m?sec|m?s|ml|cc|hu|deg|min)(?![a-z]))?
  | (?<![a-z])[wl]\d\d+(?![\da-z])                      # a window
  | (?<![a-z])(?:[abdhijqtu]|b[flrv]|f[cl]|h[cnprv]|qr|sa)\d\d[a-z]?(?![\da-z])  # a kernel
  | (?P<word>[^\W\d_]+(?:[?\ufffd]+[^\W\d_]+)*)
  | (?P<plus>\+)
  | (?P<minus>
        (?<=\()\ ?-(?=\ ?\))                             # "(-)"
      | (?<=\+)/?-                                         # "+/-"
      | (?<=c)-(?=[\d\s),;/+]|$)                          # "c-5mm"
      | (?:(?<=iv)|(?<=km)|(?<=ce)|(?<=mdc)|(?<=pdc)|(?<=pci)|(?<=[^\x00-\x7f]))-(?=[\s),;/+]|$)
      | (?<!\S)-(?=(?:c|iv|km)(?![a-z]))                   # "-c"
    )
    """,
    re.VERBOSE,
)


def split(text: str) -> list[str]:
    """The tokens of a normalised text; every Chinese or Japanese character is one of its own."""
    tokens = []
    for match in _TOKEN.finditer(text):
        group, token = match.lastgroup, match[0]
        if group == "word" and not token.isascii():
            tokens.extend(_SCRIPTS.findall(token))
        elif group == "vertebrae":
            tokens.append("vertebrae")
        elif group == "minus":
            tokens.append("-")
        elif group is not None:
            tokens.append(token.replace(".", ""))
    return tokens


def normalised(text: str) -> str:
    """Small letters without accents, one space between words."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        text = _FOLDABLE.sub(_fold, text)
    text = text.casefold().replace("_", " ").replace("^", " ").replace("&", " and ")
    return " ".join(text.replace(" /", "/").replace("/ ", "/").split())


def _fold(match: re.Match[str]) -> str:
    letter = match[0]
    if "\u0300" <= letter <= "\u036f":
        return ""
    return _FOLDED.get(letter) or unicodedata.normalize("NFKD", letter)[0]


def decodings(text: str) -> Iterator[tuple[str, int]]:
    """The text, and what it would be if the file had not named its character set, which must be guessed.

    With each comes the number of tokens that a phrase must have to count: a single character is soon found in
    the wrong character set.

    Letters of the Latin alphabet are left out of the latter: they are in the former already, and what a wrong
    character set leaves of an accented word may look like another word.
    """
    yield text, 1
    encodings: tuple[str, ...] = ()
    if "\x1b" in text:
        encodings = ("iso2022_jp_2",)
    elif not text.isascii() and max(text) <= "\u00ff":
        encodings = ("utf-8", "gb18030", "cp932", "euc_jp", "big5")
    for encoding in encodings:
        with suppress(UnicodeError):
            decoded = text.encode("latin-1").decode(encoding)
            yield (decoded, 1) if encoding == "utf-8" else (re.sub("[A-Za-z]+", ".", decoded), 2)
