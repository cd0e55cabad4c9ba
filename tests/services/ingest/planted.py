"""Values that must not come out of an ingest: planted in every element of a header, and searched for."""

import base64
import gzip
import re
import zlib
from collections.abc import Iterable
from pathlib import Path

from pydicom import config
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from nameplate.streams import stream

_LETTERS = "gjkmpqvwxz"
"""No five of these follow each other in a word, a hexadecimal number or a line of code."""
_PIECE = 5
_NIFTI_HEADER = 352
_PICTURE = re.compile(rb"data:image/png;base64,([A-Za-z0-9+/=]+)")


class Secrets:
    """Words and numbers that occur nowhere else; each call gives another one."""

    def __init__(self, seed: int) -> None:
        self._random = stream(seed, "secrets")
        self.words: list[str] = []
        self.numbers: list[str] = []

    def word(self) -> str:
        """Eight letters."""
        letters = self._random.integers(len(_LETTERS), size=8)
        self.words.append("".join(_LETTERS[place] for place in letters))
        return self.words[-1]

    def number(self) -> int:
        """A number of nine digits."""
        self.numbers.append(str(self._random.integers(310_000_000, 990_000_000)))
        return int(self.numbers[-1])

    def date(self) -> str:
        """A day before anybody here was born."""
        year, month, day = (int(self._random.integers(*span)) for span in ((1820, 1870), (1, 13), (1, 29)))
        self.numbers += [f"{year}{month:02d}{day:02d}", f"{year}-{month:02d}-{day:02d}"]
        return self.numbers[-2]

    def time(self) -> str:
        """A time of day to the microsecond."""
        self.numbers.append(str(self._random.integers(110_000_000, 995_000_000)))
        return f"101010.{self.numbers[-1][:6]}"

    def value(self, vr: str, *, depth: int = 0) -> object:
        """A value for an element of this VR; a sequence has items with more of them."""
        if vr == "SQ":
            item = Dataset()
            item.CodeValue, item.CodeMeaning, item.TextValue = self.word(), self.word(), self.word()
            item.PersonName, item.Date, item.UID = self.word(), self.date(), self.uid()
            item.add_new(0x00990010, "LO", self.word())
            item.add_new(0x00991001, "UT", self.word())
            if depth < 1:
                item.ReferencedImageSequence = self.value("SQ", depth=depth + 1)
            return Sequence([item])
        if vr in ("DA", "DT"):
            return self.date()
        if vr == "TM":
            return self.time()
        if vr == "UI":
            return self.uid()
        if vr in ("DS", "IS", "UL", "UV", "SV", "FD"):
            return self.number()
        if vr == "CS":
            return self.word().upper()
        if vr in ("OB", "OW", "UN", "OD", "OF", "OL", "OV"):
            return self.word().encode()
        return self.word()

    def uid(self) -> str:
        """A UID with a number of its own."""
        return f"1.2.826.0.1.{self.number()}.{self.number()}"


def plant(dataset: Dataset, secrets: Secrets, leave: Iterable[int] = ()) -> Dataset:
    """Fill every element of the standard that the data set lacks, and private ones of every VR.

    Numbers of two bytes and ages hold nothing to recognise and are left out, as are pixels and ``leave``.
    """
    kept = frozenset(leave)
    with config.disable_value_validation():  # words are no times and no codes; and it takes its time
        for number, (kinds, *_) in DicomDictionary.items():
            vr = kinds.split(" or ")[-1]
            tag = Tag(number)
            if (
                tag in dataset
                or number in kept
                or number == 0x00080005
                or tag.group <= 2
                or tag.group >= 0x7FE0
                or tag.group == 0xFFFE
            ):
                continue
            if vr not in ("US", "SS", "SL", "FL", "AT", "AS", "NONE", "NA", ""):
                dataset.add_new(tag, vr, secrets.value(vr))
        for group in (0x0009, 0x0019, 0x0099, 0x7005):
            for place, vr in enumerate(("LO", "LO", "UN", "PN", "DA", "UT", "UI", "SQ", "OB", "ST", "DT")):
                number = 0x0010 if place == 0 else 0x1000 + place
                dataset.add_new(Tag(group, number), vr, secrets.value(vr))
    return dataset


def everything_in(folder: Path) -> list[tuple[bytes, bool]]:
    """Names and contents below a folder, unpacked; and whether the bytes are text."""
    texts = []
    for path in sorted(folder.rglob("*")):
        texts.append((str(path.relative_to(folder)).encode(), True))
        if not path.is_file():
            continue
        data = path.read_bytes()
        if path.suffix == ".gz":
            image = gzip.decompress(data)
            texts += [(data, False), (image[:_NIFTI_HEADER], True), (image[_NIFTI_HEADER:], False)]
        elif path.suffix == ".png":
            texts += _of_png(data)
        else:
            for picture in _PICTURE.findall(data):
                texts += _of_png(base64.b64decode(picture))
            texts.append((_PICTURE.sub(b"", data), True))
    return texts


def _of_png(data: bytes) -> list[tuple[bytes, bool]]:
    """A PNG as it is, and its chunks unpacked."""
    texts, at = [(data, False)], 8
    packed = b""
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        value = data[at + 8 : at + 8 + size]
        if kind == b"IDAT":
            packed += value
        else:
            texts.append((value, True))
        at += 12 + size
    return [*texts, (zlib.decompress(packed), False)]


def found(texts: Iterable[tuple[bytes, bool]], secrets: Secrets) -> set[str]:
    """What of the secrets is in the texts: words, their pieces of five letters, and numbers.

    Capitals and small letters are the same; letters may take two bytes, as in UTF-16. In pixels and packed
    bytes, which are not text, only whole words and numbers are searched for.
    """
    pieces = {word[at : at + _PIECE] for word in secrets.words for at in range(len(word) - _PIECE + 1)}
    seen: set[str] = set()
    for data, is_text in texts:
        for narrow in (data, data[::2], data[1::2]):
            text = narrow.decode("latin-1").lower()
            if is_text:
                runs = re.findall(f"[{_LETTERS}]{{{_PIECE},}}", text)
                grams = {run[at : at + _PIECE] for run in runs for at in range(len(run) - _PIECE + 1)}
                seen |= grams & pieces
            digits = set(re.findall(r"\d[\d-]{5,}\d", text))
            joined = "\n".join(digits)
            seen |= {number for number in secrets.numbers if number in joined}
            if not is_text:
                letters = "\n".join(re.findall(f"[{_LETTERS}]{{8,}}", text))
                seen |= {word for word in secrets.words if word in letters}
    return seen


def as_text(values: Iterable[str | bytes]) -> list[tuple[bytes, bool]]:
    """Texts for ``found``."""
    return [(value.encode() if isinstance(value, str) else value, True) for value in values]
