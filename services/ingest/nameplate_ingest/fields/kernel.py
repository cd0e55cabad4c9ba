"""Convolution kernels of CT scanners: the names that may leave ingest, and how sharp each one is.

GE's names are words. Siemens writes the body part (B body, H head, J head and I body with iterative
reconstruction, C child's head, D and Q for two energies and quantities, U ultra sharp, T topogram) and a
number that grows with sharpness; newer scanners add the kind as a second letter (Hr head regular, Hc crisp,
Bl lung, Bv vascular, Qr quantitative), and a step of the number is about 4 % of resolution. Canon counts by
use: FC01 to FC19 body, FC20 to FC29 head with correction of beam hardening, FC30s inner ear and bone, FC40s
and FC60s head, FC50s lung, FC80s bone. Philips writes letters: A smooth to E sharp, L lung, U for the
brain. Less certain, and kept to plain words and numbers, are Philips' letters beyond these, United
Imaging's body part, sharpness and variant (H_SOFT_B), and Neusoft's F with a number, of which only the soft
ones are classed.
"""

import re
from functools import cache, lru_cache
from typing import Literal

from nameplate_ingest.fields.spelling import Literals

Class = Literal["soft", "medium", "sharp"]
_SHARP = 50
"""Siemens' number from which a kernel shows bone or lung, whatever the family."""
_MEDIUM = 45

_NAMES: dict[Class, tuple[str, ...]] = {
    "soft": (
        *(
            "STANDARD",
            "STND",
            "STD",
            "STD+",
            "STANDARD+",
            "STANDARD PLUS",
            "SOFT",
            "SOFT+",
            "SOFT PLUS",
            "SMOOTH",
        ),
        *(
            "HD STANDARD",
            "HD STND",
            "HD SOFT",
            "HD STD",
            "BRAIN",
            "BRAIN STANDARD",
            "BRAIN SMOOTH",
            "BRAIN ROUTINE",
        ),
        *(
            "SOFT TISSUE",
            "CHEST",
            "BODY",
            "BODY STANDARD",
            "BODY SOFT",
            "BODY ROUTINE",
            "HEAD STANDARD",
            "HEAD SOFT",
        ),
        *("BRAIN CTA", "UHD STANDARD", "UHD SOFT"),
    ),
    "medium": ("DETAIL", "HD DETAIL", "UHD DETAIL", "BRAIN SHARP", "BODY SHARP", "BODY DETAIL"),
    "sharp": (
        *(
            "BONE",
            "BONEPLUS",
            "BONE PLUS",
            "BONE+",
            "EDGE",
            "ULTRA",
            "HD ULTRA",
            "EDGE+",
            "EDGE PLUS",
            "LUNG",
            "LUNG+",
            "LUNG PLUS",
        ),
        *(
            "HD BONE",
            "HD BONEPLUS",
            "HD BONE PLUS",
            "HD EDGE",
            "HD EDGE+",
            "HD LUNG",
            "UHD BONE",
            "UHD BONEPLUS",
        ),
        *("UHD EDGE", "UHD LUNG", "SHARP", "BONE SHARP", "BONE STANDARD", "LUNG SHARP", "LUNG STANDARD"),
    ),
}
# Philips' letters: only as the whole value, since a single letter may be a name's.
_LETTERS: dict[Class, tuple[str, ...]] = {
    "soft": ("A", "B", "UA", "UB", "UC", "SA", "SB", "CA", "CB", "XCA", "XCB", "SC"),
    "medium": ("C", "EB", "YA", "CC", "XCC", "CD"),
    "sharp": ("D", "E", "F", "L", "EC", "YB", "YC", "YD", "LA", "LB", "LI"),
}
_CLASS_OF: dict[str, Class] = {
    name: kind for table in (_NAMES, _LETTERS) for kind, names in table.items() for name in names
}
_LITERALS = Literals({"": "\n".join(name for names in _NAMES.values() for name in names)})
_WHOLE = frozenset(name for names in _LETTERS.values() for name in names)

# All of it is matched in lower case, where every letter has one form.
_SIEMENS = (
    r"(?P<siemens>(?P<family>[asu][bh]|[bhqust][acdefhlnoprsuvx]|[abcdehijqstu])"
    r"(?P<number>[0-9]{2})(?P<end>[fshmad]?))"
)
_CANON = r"(?P<canon>f(?P<kind>[cl])[ -]?(?P<use>[0-9]{2})(?:-[hq])?)"
_NEUSOFT = r"(?P<neusoft>s?f(?P<neusofts>[1-9][0-9]))"
_UIH = r"(?P<uih>(?:[bhclnes]|uhr)_(?P<word>v?soft|smooth|standard|std|medium|v?sharp|bone|lung)(?:_[a-e])?)"
_OLD_SIEMENS = frozenset(("AB", "AH", "SB", "SH", "UB", "UH"))
_WORD_CLASS: dict[str, Class] = {
    **dict.fromkeys(("SOFT", "VSOFT", "SMOOTH", "STANDARD", "STD"), "soft"),
    "MEDIUM": "medium",
    **dict.fromkeys(("SHARP", "VSHARP", "BONE", "LUNG"), "sharp"),
}


@lru_cache(maxsize=1024)
def known_kernel(value: str) -> str:
    """The part of the value that is a known kernel, in one spelling; '' if there is none.

    Only the first value counts: a second one is the strength of an iterative reconstruction.

    >>> known_kernel("h31s"), known_kernel("Hr40f\\\\3"), known_kernel("FC26/AIDR 3D"), known_kernel("quiet")
    ('H31s', 'Hr40f', 'FC26', '')
    """
    first = value.split("\\", 1)[0].strip()
    if (name := first.upper()) in _CLASS_OF:
        return name
    if form := _form().search(first.casefold()):
        return _spelt(form)
    found = _LITERALS.find(first)
    return found.name if found else ""


def kernel_class(kernel: str, maker: str | None = None) -> Class | None:
    """Whether the kernel shows soft tissue or bone and lung; None for one that is not known.

    ``maker`` tells apart kernels of one name: Philips' B, E and the like are only Philips'.

    >>> kernel_class("Hr40f\\\\3"), kernel_class("STANDARD"), kernel_class("FC81"), kernel_class("J70h")
    ('soft', 'soft', 'sharp', 'sharp')
    """
    name = known_kernel(kernel)
    if not name or (name in _WHOLE and maker not in ("Philips", None)):
        return None
    if name in _CLASS_OF:
        return _CLASS_OF[name]
    form = _form().fullmatch(name.casefold())
    assert form is not None
    if form["siemens"]:
        return _siemens_class(form["family"].upper(), int(form["number"]))
    if form["canon"]:
        return _canon_class(form["kind"].upper(), int(form["use"]))
    if form["neusoft"]:
        return "soft" if int(form["neusofts"]) < 40 else None
    return _WORD_CLASS[form["word"].upper()]


@cache
def _form() -> re.Pattern[str]:
    """Compiled when first needed: where all kernels are words, never."""
    return re.compile(rf"(?<![^\W_])(?:{_SIEMENS}|{_CANON}|{_NEUSOFT}|{_UIH})(?![^\W_])")


def _siemens_class(family: str, number: int) -> Class | None:
    if family[0] == "T":
        return None
    if family == "BL" or number >= _SHARP:
        return "sharp"
    return "medium" if number >= _MEDIUM else "soft"


def _canon_class(kind: str, number: int) -> Class | None:
    if kind == "L" or number // 10 in (3, 5, 8):
        return "sharp"
    return "soft" if number // 10 in (0, 1, 2, 4, 6) else None


def _spelt(form: re.Match[str]) -> str:
    """The kernel as its maker spells it."""
    if not form["siemens"]:
        return re.sub("^(F[CL])[ -]", r"\1", form[0].upper())
    family = form["family"].upper()
    family = family if family in _OLD_SIEMENS else family.capitalize()
    return f"{family}{form['number']}{form['end']}"
