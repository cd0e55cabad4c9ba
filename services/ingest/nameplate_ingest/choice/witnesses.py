"""Is it a plain head? Asked of every part of a header that can tell; each may refuse, none alone may pass."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from nameplate.campaign.ingest import SeriesRules
from nameplate_ingest.choice.facts import Facts
from nameplate_ingest.dicom.statements import Statements
from nameplate_ingest.fields.words import Reading, agent, read

_ENHANCED = frozenset(("angiography", "venography", "perfusion", "dynamic"))
"""Kinds of scan that are made with a contrast agent."""
_WHOLE_STUDY = frozenset(("attenuation-correction", "planning", "phantom"))
"""Kinds that a study's or protocol's name tells of all its series."""
_COMPUTED = frozenset(
    (
        *("MONO", "MONOENERGETIC", "VMI", "GSI", "IODINE", "VNC", "VUE", "ZEFF", "RHO", "MATERIAL"),
        *("DENSITY", "CBF", "CBV", "MTT", "TTP", "TMAX", "PBV", "SUBTRACTION", "SUBTRACTED"),
        *("DIFFERENCE", "DSA"),
    )
)
"""Values of ImageType of pictures that were computed from others: not what a plain scan shows."""
_UNITS = ("HU", "US", "")
"""Rescale types of Hounsfield units, and of headers that do not say (US: unspecified)."""
_VOUCHED = Reading(contrast=frozenset(("none",)), parts=frozenset(("head",)))
"""What a description says that the campaign vouches for."""
_KVP = (70.0, 150.0)
_SAME_FIELD = 1.1
"""The field may differ by this factor from the reconstruction diameter; a cropped picture does."""

Word = Literal["plain", "refuses", "doubts", "nothing"]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one witness says of a series."""

    witness: str
    says: Word
    rule: str = ""
    """Name of the rule, if it refuses or doubts."""
    seen: str = ""
    """What it saw: numbers and words of a fixed vocabulary."""


def opinions(facts: Facts, rules: SeriesRules) -> tuple[Opinion, ...]:
    """What each witness of the header says, in a fixed order."""
    return (*_of_words(facts, rules), *_of_measures(facts, rules))


def opinions_of_query(facts: Facts, rules: SeriesRules) -> tuple[Opinion, ...]:
    """What the witnesses say that need no place of an image: of a series that was asked for, not fetched."""
    return (*_of_words(facts, rules), _energy(facts))


def _of_words(facts: Facts, rules: SeriesRules) -> Iterator[Opinion]:
    told = [list(_of_statements(says, rules)) for says in facts.says]
    return (_worst(same) for same in zip(*told, strict=True))


def _worst(told: Sequence[Opinion]) -> Opinion:
    """Of what a witness says of the images of a series, the gravest."""
    return min(told, key=lambda one: ("refuses", "doubts", "nothing", "plain").index(one.says))


def _of_statements(says: Statements, rules: SeriesRules) -> Iterator[Opinion]:
    yield _pattern(says, rules)
    trusted = _matches(rules.plain_description, says.series) > 0
    series = _VOUCHED if trusted else read(says.series)
    protocol, study = read(says.protocol), _together(says.study)
    yield _body_part(says, series)
    yield _part(series, protocol, study)
    yield _kind(series, protocol, study)
    yield _contrast_words(series, protocol, study)
    yield _contrast_elements(says, series)
    yield _image_type(says)
    if says.units in _UNITS:
        yield Opinion("units", "plain" if says.units == "HU" else "nothing")
    else:
        yield Opinion("units", "refuses", "units", "values are not in HU")


def _together(lines: str) -> Reading:
    """What several texts say, each read for itself: words of two texts make no phrase."""
    told = [read(line) for line in lines.split("\n")]
    return Reading(*(frozenset[str]().union(*same) for same in zip(*map(_fields, told), strict=True)))


def _fields(reading: Reading) -> tuple[frozenset[str], ...]:
    return reading.contrast, reading.parts, reading.kinds


def _pattern(says: Statements, rules: SeriesRules) -> Opinion:
    number = _matches(rules.refuse_description, says.series)
    if number:
        return Opinion("campaign's patterns", "refuses", "description", f"matches pattern {number}")
    return Opinion("campaign's patterns", "nothing")


def _body_part(says: Statements, series: Reading) -> Opinion:
    parts = read(says.body_part).parts
    if not parts:
        return Opinion("body part", "nothing")
    if "head" in parts:
        return Opinion("body part", "plain" if len(parts) == 1 else "nothing")
    seen = "examined part is " + ", ".join(sorted(parts))
    if series.parts == {"head"}:
        return Opinion("body part", "doubts", "body-part", f"{seen}; the description says head")
    return Opinion("body part", "refuses", "body-part", seen)


def _part(series: Reading, protocol: Reading, study: Reading) -> Opinion:
    for source, reading in (("series", series), ("protocol", protocol), ("study", study)):
        if not reading.parts:
            continue
        seen = f"{source} names {', '.join(sorted(reading.parts))}"
        if reading.parts == {"head"}:
            return Opinion("part in words", "plain", seen=seen)
        if "head" not in reading.parts:
            return Opinion("part in words", "refuses", "description", seen)
        if source == "series":
            return Opinion("part in words", "doubts", "description", seen)
        return Opinion("part in words", "nothing", seen=seen)
    return Opinion("part in words", "nothing")


def _kind(series: Reading, protocol: Reading, study: Reading) -> Opinion:
    if series.kinds:
        return Opinion("kind in words", "refuses", "description", f"series says {_listed(series.kinds)}")
    for source, reading in (("protocol", protocol), ("study", study)):
        if kinds := reading.kinds & _WHOLE_STUDY:
            says: Word = "doubts" if series.parts == {"head"} else "refuses"
            return Opinion("kind in words", says, "description", f"{source} says {_listed(kinds)}")
    return Opinion("kind in words", "nothing")


def _contrast_words(series: Reading, protocol: Reading, study: Reading) -> Opinion:
    """The first text that speaks of contrast decides: series, then protocol, then study."""
    for source, reading in (("series", series), ("protocol", protocol), ("study", study)):
        enhanced = reading.kinds & _ENHANCED
        if not reading.contrast and not enhanced:
            continue
        if reading.contrast == {"none"} and not enhanced:
            return Opinion("contrast in words", "plain", seen=f"{source} says without contrast")
        seen = f"{source} says {_listed(enhanced) if enhanced else 'contrast'}"
        if "none" in reading.contrast or (enhanced and source == "study" and series.parts == {"head"}):
            seen = f"{source} says both with and without contrast" if "none" in reading.contrast else seen
            return Opinion("contrast in words", "doubts", "description", seen)
        return Opinion("contrast in words", "refuses", "description", seen)
    return Opinion("contrast in words", "nothing")


def _contrast_elements(says: Statements, series: Reading) -> Opinion:
    named = agent(says.agent)
    if named is False:
        if says.contrast:
            seen = f"the agent's element says none, but {says.contrast[0]} is filled in"
            return Opinion("contrast elements", "doubts", "contrast", seen)
        if series.contrast == {"given"}:
            return Opinion("contrast elements", "nothing", seen="the agent's element says none")
        return Opinion("contrast elements", "plain", seen="the agent's element says none")
    if not named and not says.contrast:
        return Opinion("contrast elements", "nothing")
    seen = "a contrast agent is named" if named else f"its {says.contrast[0]} is filled in"
    if series.contrast == {"none"}:
        return Opinion("contrast elements", "doubts", "contrast", f"{seen}; the description says without")
    return Opinion("contrast elements", "refuses", "contrast", seen)


def _image_type(says: Statements) -> Opinion:
    kinds = read(" ".join(says.image_type[2:])).kinds
    kinds |= _COMPUTED.intersection(part for kind in says.image_type for part in re.split(r"[ _]", kind))
    if kinds:
        return Opinion("image type", "refuses", "image-type", _listed(kinds))
    return Opinion("image type", "plain" if says.image_type[:1] == ("ORIGINAL",) else "nothing")


def _of_measures(facts: Facts, rules: SeriesRules) -> Iterator[Opinion]:
    times = max(says.times for says in facts.says)
    if times > 1 or facts.passes > 2:
        seen = f"{max(times, facts.passes)} times over the same places"
        yield Opinion("time", "refuses", "temporal", seen)
    else:
        yield Opinion("time", "nothing")
    yield _energy(facts)
    yield _field(facts, rules)
    if facts.coverage_mm < rules.coverage_mm:
        seen = f"{facts.coverage_mm:.1f} mm of at least {rules.coverage_mm:g} mm"
        yield Opinion("coverage", "refuses", "coverage", seen)
    elif facts.coverage_mm > rules.most_coverage_mm:
        seen = f"{facts.coverage_mm:.1f} mm of at most {rules.most_coverage_mm:g} mm"
        yield Opinion("coverage", "refuses", "coverage", seen)
    else:
        yield Opinion("coverage", "plain", seen=f"{facts.coverage_mm:.0f} mm")


def _energy(facts: Facts) -> Opinion:
    if facts.energies > 1:
        seen = f"{facts.energies} tube voltages in one acquisition"
        return Opinion("energy", "refuses", "energy", seen)
    known = [says.kvp for says in facts.says if says.kvp is not None]
    for kvp in known:
        if not _KVP[0] <= kvp <= _KVP[1]:
            return Opinion("energy", "refuses", "energy", f"{kvp:g} kV")
    if any(says.multienergy for says in facts.says):
        return Opinion("energy", "doubts", "energy", "a multi-energy acquisition")
    return Opinion("energy", "plain" if known else "nothing")


def _field(facts: Facts, rules: SeriesRules) -> Opinion:
    seen = f"{facts.field_mm:.0f} mm"
    if not rules.field_mm[0] <= facts.field_mm <= rules.field_mm[1]:
        return Opinion("field of view", "refuses", "field", f"{seen} wide")
    for says in facts.says:
        given = says.diameter_mm
        if given is None or given <= 0:
            continue
        if given < rules.field_mm[0]:
            return Opinion("field of view", "refuses", "field", f"reconstruction diameter {given:.0f} mm")
        if facts.wide_mm > given * _SAME_FIELD:
            seen = f"{facts.wide_mm:.0f} mm of pixels, reconstruction diameter {given:.0f} mm"
            return Opinion("field of view", "doubts", "field", seen)
    return Opinion("field of view", "plain", seen=seen)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _matches(patterns: tuple[str, ...], description: str) -> int:
    """Number of the first pattern that matches, from 1; 0 if none does."""
    for number, pattern in enumerate(patterns, start=1):
        if compiled(pattern).search(description):
            return number
    return 0


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the campaign; case is ignored."""
    return re.compile(pattern, re.IGNORECASE)
