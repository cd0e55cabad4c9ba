"""What may bias the networks: a field of the exams, and the groups of its values that are compared."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from pydantic import field_validator, model_validator

from nameplate.campaign.field import FIELDS, HasFields, Value, is_column_name, number_in
from nameplate.campaign.names import MIXED, slug
from nameplate.campaign.settings import Settings, as_tuples

_RESERVED = (MIXED, "val")
"""Names under which results of all levels, and of the validation exams, are kept."""
_LONGEST = 64
_LONGEST_SLUG = 200
"""A level is part of file names, which may have 255 bytes."""


class FieldLevels(Settings):
    """A field of an exam and the groups into which its values are put.

    Without ``bins`` and ``groups`` every value is a level of its own. In a campaign file a bare name is
    short for ``{name: ...}``.
    """

    name: str
    """The field: one that ingest reads (``nameplate.campaign.field``), or a column of ``fields_csv``."""
    bins: tuple[float, ...] | None = None
    """Cuts of a number, ascending, in the field's unit: [3, 4] makes three levels, below 3, from 3 to below
    4, and 4 or more."""
    groups: dict[str, tuple[str, ...]] | None = None
    """Levels of a text, each with regular expressions: an exam is of the first level with one that is found
    in the text. Case is ignored, and ``^...$`` stands for the whole text."""
    levels: tuple[str, ...] = ()
    """The levels that count, in order; an exam of none of them cannot take part. Of bins, their names from
    the lowest to the highest (without: 'below 3 mm' and the like). Of groups, those to use (without: all).
    Of neither, values of the field (empty: all)."""

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, raw: Any) -> Any:
        """The short form, and the levels that bins and groups have by themselves."""
        raw = _mapping(raw)
        if not isinstance(raw, dict) or raw.get("levels"):
            return raw
        bins, groups = raw.get("bins"), raw.get("groups")
        if isinstance(bins, tuple) and bins and all(isinstance(cut, float | int) for cut in bins):
            field = FIELDS.get(str(raw.get("name")))
            return {**raw, "levels": _names_of_bins(bins, field.unit if field else "")}
        if isinstance(groups, dict) and all(isinstance(level, str) for level in groups):
            return {**raw, "levels": tuple(groups)}
        return raw

    @field_validator("name")
    @classmethod
    def _is_field(cls, value: str) -> str:
        if value not in FIELDS and not is_column_name(value):
            raise ValueError(no_field(value, ()))
        return value

    @field_validator("bins")
    @classmethod
    def _are_cuts(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and not value:
            raise ValueError("needs at least one cut")
        # The first comparison is of numbers that are not finite: no cut can be one.
        if value and not all(abs(cut) < float("inf") for cut in value):
            raise ValueError(f"expected finite numbers: {list(value)}")
        if value and any(low >= high for low, high in pairwise(value)):
            raise ValueError(f"expected ascending cuts: {list(value)}")
        return value

    @field_validator("groups")
    @classmethod
    def _are_patterns(cls, value: dict[str, tuple[str, ...]] | None) -> dict[str, tuple[str, ...]] | None:
        if value is not None and not value:
            raise ValueError("needs at least one level with its patterns")
        for level, patterns in (value or {}).items():
            if not patterns:
                raise ValueError(f"{level!r} has no pattern")
            for pattern in patterns:
                try:
                    re.compile(pattern)
                except re.error as error:
                    raise ValueError(
                        f"{level!r}: {pattern!r} is not a regular expression: {error}"
                    ) from error
        return value

    @field_validator("levels")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for level in value:
            plain = level.isprintable() and level.strip() == level and len(level) <= _LONGEST
            if not level or not plain or len(slug(level)) > _LONGEST_SLUG:
                raise ValueError(
                    f"{level!r} is no name of a level: expected 1 to {_LONGEST} printable characters"
                )
        if len(set(value)) != len(value) or set(value) & set(_RESERVED):
            reserved = " and ".join(map(repr, _RESERVED))
            raise ValueError(f"expected different names, none of them {reserved}: {list(value)}")
        return value

    @model_validator(mode="after")
    def _belong_together(self) -> "FieldLevels":
        number = self.name in FIELDS and FIELDS[self.name].kind == "number"
        text = self.name in FIELDS and not number
        if self.bins is not None and self.groups is not None:
            raise ValueError("bins are for numbers and groups for texts: give one of them")
        if self.bins is not None and text:
            raise ValueError(f"bins: {self.name!r} is a text; 'groups' puts texts together")
        if self.groups is not None and number:
            raise ValueError(f"groups: {self.name!r} is a number; 'bins' puts numbers together")
        if self.bins is not None and len(self.levels) != len(self.bins) + 1:
            raise ValueError(
                f"levels: {len(self.bins)} cuts make {len(self.bins) + 1} levels, got {len(self.levels)}"
                " names"
            )
        if self.groups is not None:
            for level in self.levels:
                if level not in self.groups:
                    raise ValueError(f"levels: {level!r} is not one of the groups {list(self.groups)}")
        if number and self.bins is None:
            for level in self.levels:
                if number_in(level) is None:
                    raise ValueError(f"levels: {level!r} is no value of {self.name!r}, a number; use 'bins'")
        return self

    @property
    def noun(self) -> str:
        """What the field is called in a sentence: "slice thickness"."""
        return FIELDS[self.name].title if self.name in FIELDS else self.name

    def level_of(self, exam: HasFields) -> str | None:
        """The level of an exam; None if its value is not known or in no level."""
        return self.level_of_value(exam.value_of(self.name))

    def level_of_value(self, value: Value) -> str | None:
        """The level of an exam whose field has this value; None if it is not known or in no level."""
        level = self._level(value)
        return level if not self.levels or level in self.levels else None

    def described(self, exam: HasFields) -> str:
        """The exam's level or, where it has none, its value as messages print it.

        Of a number, or of a column of the user's own, only that it is another one: it may be a patient's.
        """
        level, value = self.level_of(exam), exam.value_of(self.name)
        if level is not None:
            return level
        field = FIELDS.get(self.name)
        tellable = value is None or (field is not None and field.kind == "text")
        return _text(value) if tellable else "another value"

    def _level(self, value: Value) -> str | None:
        """The group that the value falls in, whether or not it is one of ``levels``."""
        if value is None:
            return None
        if self.bins is not None:
            number = number_in(value) if isinstance(value, str) else value
            return None if number is None else self.levels[sum(cut <= number for cut in self.bins)]
        if self.groups is not None:
            text = _text(value)
            for level, patterns in self.groups.items():
                if any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns):
                    return level
            return None
        if isinstance(value, float):
            return next((level for level in self.levels if number_in(level) == value), _text(value))
        return value


class FactorSettings(FieldLevels):
    """What may bias the networks, and the groups that are compared."""

    name: str = "manufacturer"
    """The field of an exam that is the factor: one that ingest reads, or a column of ``fields_csv``."""
    levels: tuple[str, ...] = ()
    """As those of ``FieldLevels``, two or more; the first is the positive class of the factor task. GE and
    Siemens if neither a name nor anything else is given."""
    title: str = ""
    """A noun in the singular for the report's sentences: "slice thickness". Each field has one of its own."""

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, raw: Any) -> Any:
        raw = _mapping(raw)
        if not isinstance(raw, dict):
            return raw
        name = raw.get("name", "manufacturer")
        if name == "manufacturer" and not {"levels", "bins", "groups"} & raw.keys():
            raw = {**raw, "levels": ("GE", "Siemens")}
        if "title" not in raw and isinstance(name, str):
            raw = {**raw, "title": FIELDS[name].title if name in FIELDS else name}
        return raw

    @field_validator("levels")
    @classmethod
    def _are_several(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) < 2:
            raise ValueError(f"expected two or more to compare: {list(value)}")
        return value

    @field_validator("title")
    @classmethod
    def _is_noun(cls, value: str) -> str:
        if not value or value.strip() != value or not value.isprintable() or len(value) > _LONGEST:
            raise ValueError(f"expected 1 to {_LONGEST} printable characters: {value!r}")
        return value

    @model_validator(mode="after")
    def _can_be_compared(self) -> "FactorSettings":
        if not self.levels:
            raise ValueError(
                f"levels: required for {self.name!r}: values to compare, or 'bins' or 'groups' of them"
            )
        return self

    @property
    def field_levels(self) -> FieldLevels:
        """What says the level of an exam: all but the title."""
        return FieldLevels(name=self.name, bins=self.bins, groups=self.groups, levels=self.levels)

    @property
    def is_every_manufacturer(self) -> bool:
        """Whether each manufacturer is a level of its own."""
        return self.name == "manufacturer" and self.groups is None

    @property
    def plural(self) -> str:
        """The title of several: "manufacturers", "kernel classes", "numbers of slices"."""
        noun, of, rest = self.title.partition(" of ")
        if noun.endswith(("s", "x", "ch", "sh")):
            noun = f"{noun}es"
        elif noun.endswith("y") and noun[-2:-1] not in "aeiou":
            noun = f"{noun[:-1]}ies"
        else:
            noun = f"{noun}s"
        return noun + of + rest


def no_field(name: str, columns: Sequence[str]) -> str:
    """Why ``name`` is no field of an exam, with the nearest name that is one."""
    near = get_close_matches(name, [*FIELDS, *columns], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join((*FIELDS, *columns))}"
    return f"{name!r} is no field of an exam, and no column of the cohort's fields_csv; {hint}"


def _mapping(raw: Any) -> Any:
    """A bare name as its mapping; and lists as the tuples that strict settings want, since pydantic takes
    what passed through a validator for Python's own values, also when it reads JSON."""
    if isinstance(raw, str):
        return {"name": raw}
    return as_tuples(raw) if isinstance(raw, dict) else raw


def _names_of_bins(cuts: Sequence[float], unit: str) -> tuple[str, ...]:
    """What each bin is called: below 3 mm, 3 to 4 mm, 4 mm and more."""
    unit = f" {unit}" if unit else ""
    between = (f"{low:.10g} to {high:.10g}{unit}" for low, high in pairwise(cuts))
    return (f"below {cuts[0]:.10g}{unit}", *between, f"{cuts[-1]:.10g}{unit} and more")


def _text(value: Value) -> str:
    """A value as messages and levels print it."""
    if value is None:
        return "unknown"
    return f"{value:.10g}" if isinstance(value, float) else value
