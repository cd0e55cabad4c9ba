"""What the free text of a header says about a series, in nine languages; ``words.yaml`` has the words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain

import yaml

from nameplate_ingest.fields.tokens import decodings, normalised, split

_GIVEN, _NONE = "contrast.given", "contrast.none"
_NAMED, _NO_AGENT = "agent.named", "agent.none"
_WITH_CONTRAST = frozenset(("kinds.angiography", "kinds.venography", "kinds.perfusion"))
"""Kinds that there are only with a contrast agent."""
_END = "|"
"""The last token of every text, so that a phrase can ask to stand there."""
_PIECES = frozenset(
    (
        *(
            "ct",
            "tc",
            "wo",
            "ax",
            "km",
            "iv",
            "cta",
            "ctp",
            "ctv",
            "pct",
            "cor",
            "sag",
            "mpr",
            "mip",
            "vol",
            "seq",
        ),
        *("spi", "mdc", "spc", "tac", "tdm", "std", "uhr", "with"),
    )
)
"""Parts of a glued word ("cthead") beside the words of four letters or more that have a meaning."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says; every field holds names of concepts of ``words.yaml``."""

    contrast: frozenset[str] = frozenset()
    """Of "given" and "none"; both where the text contradicts itself or leaves it open."""
    parts: frozenset[str] = frozenset()
    """Parts of the body: "head", "neck", "sinuses", ..."""
    kinds: frozenset[str] = frozenset()
    """What makes the series something else than a plain axial volume: "localizer", "reformat", ..."""


_TAILS = ("ce", "nc", "pre", "con", "w", "c")
"""What may be glued to the end of a part of the body besides ("headc+")."""
_Phrase = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """The phrases of ``words.yaml`` as tuples of tokens."""

    general: Mapping[_Phrase, frozenset[str]]
    """Phrases with their concepts ("parts.head") for every text."""
    agents: Mapping[_Phrase, frozenset[str]]
    """The same for the field of the contrast agent alone."""
    longest: Mapping[str, int]
    """The number of tokens of the longest phrase that begins with a token."""
    singular: Mapping[str, str]
    """Tokens that are the plural of another token."""


def read(text: str) -> Reading:
    """What a description says.

    Case, accents, points, hyphens and underscores do not matter. Never raises. A text whose characters were
    decoded with the wrong character set is also read with the ones that hospitals use.

    >>> read("CT HEAD W/O CONTRAST 5MM")
    Reading(contrast=frozenset({'none'}), parts=frozenset({'head'}), kinds=frozenset())
    """
    return _read(text.strip())


def agent(text: str) -> bool | None:
    """Whether the field of a contrast agent names one; None if it is blank.

    Words for "none" in any of the languages, a volume of zero and bare dashes are False. Anything that is not
    understood is True, since it may be the name of an agent.

    >>> agent("100 ML ISOVUE 370"), agent("KEINE"), agent("0 ml"), agent("  ")
    (True, False, False, None)
    """
    return _agent(text.strip(" \t\r\n\0"))


@lru_cache(maxsize=4096)
def _read(text: str) -> Reading:
    found: set[str] = set()
    for variant, shortest in decodings(text):
        for start, stop, concepts in _matches(_tokens(variant), with_agents=False):
            if stop - start >= shortest:
                found |= concepts
    if not found.isdisjoint(_WITH_CONTRAST):
        found.add(_GIVEN)
    return Reading(*(_of(section, found) for section in ("contrast", "parts", "kinds")))


def _of(section: str, found: set[str]) -> frozenset[str]:
    return frozenset(concept.partition(".")[2] for concept in found if concept.startswith(section + "."))


@lru_cache(maxsize=1024)
def _agent(text: str) -> bool | None:
    if not text:
        return None
    return all(_names_agent(variant) for variant, _ in decodings(text))


def _names_agent(text: str) -> bool:
    plain = normalised(text)
    if not plain.strip(" -./\\*()[]<>'\""):
        return False
    tokens = _tokens(text)
    words = sum(token not in ("+", "-", _END) for token in tokens)
    amounts = [float(number.replace(",", ".")) for number in re.findall(r"\d{1,9}(?:[.,]\d{1,9})?", plain)]
    if not words:
        return not amounts or any(amounts)
    found: set[str] = set()
    understood = 0
    for start, stop, concepts in _matches(tokens, with_agents=True):
        found |= concepts
        understood += sum(token not in ("+", "-", _END) for token in tokens[start:stop])
    if not found.isdisjoint((_GIVEN, _NAMED)) or re.search(r"[1-9][\d.,]*\s*(?:ml|cc)\b", plain):
        return True
    return _NONE not in found and not (_NO_AGENT in found and understood == words)


def _matches(tokens: _Phrase, *, with_agents: bool) -> list[tuple[int, int, frozenset[str]]]:
    """The phrases of a text as (start, stop, concepts); the longest take their tokens first."""
    lexicon = _lexicon()
    candidates = []
    for start, token in enumerate(tokens):
        for stop in range(start + 1, min(start + lexicon.longest.get(token, 0), len(tokens)) + 1):
            phrase = tokens[start:stop]
            concepts = lexicon.general.get(phrase, frozenset())
            if with_agents:
                concepts = concepts | lexicon.agents.get(phrase, frozenset())
            if concepts:
                size = len(phrase) - (phrase[-1] == _END)
                # Of equally long phrases one that means something wins: a doubtful text is not waved through.
                idle = all(concept.startswith("harmless.") for concept in concepts)
                candidates.append((-size, idle, -sum(map(len, phrase)), start, stop, concepts))
    candidates.sort(key=lambda candidate: candidate[:4])
    taken: set[int] = set()
    matches = []
    for *_, start, stop, concepts in candidates:
        if taken.isdisjoint(range(start, stop)):
            taken.update(range(start, stop))
            matches.append((start, stop, concepts))
    return matches


def _tokens(text: str) -> _Phrase:
    """A text as tokens that the lexicon knows as far as possible, with the end marker."""
    return (*(known for token in split(normalised(text)) for known in _known(token)), _END)


@lru_cache(maxsize=4096)
def _known(token: str) -> _Phrase:
    """A token as the lexicon spells it: singular, without umlauts written out, glued words taken apart."""
    lexicon = _lexicon()
    if token in lexicon.longest:
        return (lexicon.singular.get(token, token),)
    if len(token) < 3 or token[0] > "z":
        return (token,)
    for spelling in _spellings(token):
        if spelling in lexicon.longest:
            return (lexicon.singular.get(spelling, spelling),)
    if "?" in token or "\ufffd" in token:
        return (_restored(token, lexicon) or token,)
    stems = dict.fromkeys(_stems(token))
    return next(filter(None, (_unglued(stem, lexicon) for stem in stems)), (token,))


def _restored(token: str, lexicon: _Lexicon) -> str | None:
    """The word whose accented letters a wrong character set has turned into question marks ("sch?del")."""
    known = re.split("[?\ufffd]+", token)
    if sum(map(len, known)) < 4:
        return None
    lost = re.compile("[a-z]{1,2}".join(known))
    return next(filter(lost.fullmatch, sorted(lexicon.longest)), None)


def _spellings(token: str) -> Iterator[str]:
    """Other spellings of a token: without a plural's ending, with the vowel of a written-out umlaut."""
    for stem in _stems(token):
        yield stem
        if len(stem) >= 5 and stem.endswith("s"):
            yield stem[:-1]
        for ending in ("es", "e", "n", "en", "er"):
            if len(stem) >= 5 + len(ending) and stem.endswith(ending):
                yield stem[: -len(ending)]


def _stems(token: str) -> Iterator[str]:
    """A token, and with the vowel of a written-out umlaut ("schaedel")."""
    yield token
    for vowel in "aou":
        if vowel + "e" in token:
            yield token.replace(vowel + "e", vowel)


def _unglued(token: str, lexicon: _Lexicon) -> _Phrase:
    """A word that consists of known words entirely ("headcta"), as these; of all ways the one with fewest."""
    if not 5 <= len(token) <= 30:
        return ()
    best: list[_Phrase | None] = [(), *[None] * len(token)]
    for stop in range(2, len(token) + 1):
        for start in range(stop - 1):
            before, piece = best[start], token[start:stop]
            if before is not None and (words := _pieces(piece, lexicon)):
                known = best[stop]
                if known is None or len(before) + len(words) < len(known):
                    best[stop] = (*before, *words)
    if best[-1]:
        return best[-1]
    for tail in _TAILS:
        part = (token.removesuffix(tail),)
        if len(part[0]) < len(token) and any(
            name.startswith("parts.") for name in lexicon.general.get(part, ())
        ):
            return (*part, tail)
    return ()


def _pieces(piece: str, lexicon: _Lexicon) -> _Phrase:
    """A part of a glued word, if it is a word or a phrase of two words."""
    if piece in _PIECES or (len(piece) >= 4 and (piece,) in lexicon.general):
        return (piece,)
    if len(piece) >= 5:
        for cut in range(2, len(piece) - 1):
            if (phrase := (piece[:cut], piece[cut:])) in lexicon.general:
                return phrase
    return ()


@cache
def _lexicon() -> _Lexicon:
    """``words.yaml``, read once."""
    content = files("nameplate_ingest.fields").joinpath("words.yaml").read_bytes()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    general: dict[_Phrase, frozenset[str]] = {}
    agents: dict[_Phrase, frozenset[str]] = {}
    for section, concepts in yaml.load(content, Loader=loader).items():
        table = agents if section == "agent" else general
        for concept, languages in concepts.items():
            own = frozenset((f"{section}.{concept}",))
            for phrase in _phrases(",".join(languages.values())):
                table[phrase] = table[phrase] | own if phrase in table else own
    vocabulary = set(chain.from_iterable(chain(general, agents)))
    singular = {
        token: token[:-1]
        for token in vocabulary
        if token[-1] == "s" and len(token) > 3 and token[:-1] in vocabulary
    }
    for table in (general, agents):
        for phrase in [phrase for phrase in table if not singular.keys().isdisjoint(phrase)]:
            own = table.pop(phrase)
            phrase = tuple(singular.get(token, token) for token in phrase)
            table[phrase] = table.get(phrase, frozenset()) | own
    longest = dict.fromkeys(vocabulary, 0)
    for phrase in chain(general, agents):
        if len(phrase) > longest[phrase[0]]:
            longest[phrase[0]] = len(phrase)
    return _Lexicon(general, agents, longest, singular)


def _phrases(words: str) -> Iterator[_Phrase]:
    """The phrases of a list that is separated by commas."""
    for text in normalised(words).replace(", ", ",").split(","):
        # Most words need no more than this, and the whole file must be read in a few milliseconds.
        if text.isascii():
            if text.isalpha():
                yield (text,)
                continue
            if text.replace(" ", "").isalpha():
                yield tuple(text.split())
                continue
        if phrase := tuple(split(text)):
            yield (*phrase, _END) if text.endswith(_END) else phrase
