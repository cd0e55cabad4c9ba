"""What reporting guidelines ask, and where a report answers it: from ``guidelines.yaml``."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml
from pydantic import Field, model_validator

from nameplate.campaign.settings import Settings


class Item(Settings):
    """One item of a guideline, in our own short words."""

    id: str
    asks: str
    where: tuple[str, ...] = ()
    """Places that answer it: ``#section``, ``table:name`` without its number, ``file:path``."""
    missing: str = ""
    """Why no report of ours can answer it."""
    note: str = ""
    own: str = ""
    """What takes the note's place, or the reason's, where lesions are not synthetic but the user's own."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "Item":
        if bool(self.where) == bool(self.missing):
            raise ValueError(f"item {self.id}: expected either 'where' or 'missing'")
        return self

    @property
    def of_own_lesions(self) -> "Item":
        """The item as it is asked of a campaign that plants no lesions."""
        return self.model_copy(update={"missing" if self.missing else "note": self.own}) if self.own else self


class Guideline(Settings):
    """One guideline with its items in order."""

    name: str
    title: str
    source: str
    items: tuple[Item, ...] = Field(min_length=1)


@cache
def guidelines() -> tuple[Guideline, ...]:
    """Every guideline, in the file's order."""
    text = (files("nameplate_evaluation.evidence") / "guidelines.yaml").read_text(encoding="utf-8")
    return tuple(Guideline.model_validate(one, strict=False) for one in yaml.safe_load(text))


@dataclass(frozen=True, slots=True)
class Answered:
    """An item with what this report has for it."""

    item: Item
    answered: bool
    places: tuple[tuple[str, str], ...]
    """Address relative to the report's page and its text."""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """What a report has: where an item's answer can be."""

    sections: Collection[str]
    """Ids of the page's sections that hold something."""
    tables: Collection[str]
    """File names of the page's tables, with their number, without the extension."""
    files: Collection[str]
    """Paths of all files."""
    synthetic: bool = True
    """Whether the lesions are planted, and not the user's own."""

    def address(self, where: str) -> tuple[str, str] | None:
        """Address and text of a place; None if this report has no such place."""
        if where == "#spheres" and "spheres" not in self.sections and "masks" in self.sections:
            return self.address("#masks")
        if where.startswith("#"):
            return (where, where[1:].replace("-", " ")) if where[1:] in self.sections else None
        kind, _, name = where.partition(":")
        if kind == "file":
            return (name, name) if name in self.files else None
        for table in sorted(self.tables):
            _, number, rest = (*table.split("-", 2), "", "")[:3]
            if rest == name:
                return f"#{table}", f"table {number.upper()}"
        return None


def answers(guideline: Guideline, places: Places) -> tuple[Answered, ...]:
    """Every item of a guideline against one report: answered only if all of its places are there."""
    found = []
    for item in guideline.items if places.synthetic else (item.of_own_lesions for item in guideline.items):
        addresses = [places.address(where) for where in item.where]
        there = tuple(address for address in addresses if address is not None)
        whole = bool(item.where) and len(there) == len(addresses)
        lacking = [where for where, address in zip(item.where, addresses, strict=True) if address is None]
        why_not = item.missing or (f"this report has no {_words(lacking)}" if lacking else "")
        found.append(Answered(item=item, answered=whole, places=there, why_not=why_not))
    return tuple(found)


def _words(places: list[str]) -> str:
    return ", ".join(
        f"section {where[1:]}" if where.startswith("#") else where.replace(":", " ") for where in places
    )
