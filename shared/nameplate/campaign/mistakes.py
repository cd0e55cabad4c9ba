"""What is wrong in a campaign file, as lines that a person can act on."""

import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nameplate.campaign.networks import KINDS
from nameplate.campaign.sources import SOURCES

NEW_KEYS = {
    "bootstrap": "this key is gone: intervals are computed, and their confidence is analysis.confidence",
    "datasets.spheres.levels": "this key is now called datasets.spheres.difficulties",
    "experiments.training.checkpoint_epochs": "this key is gone: a checkpoint is written after every epoch",
}
"""What became of keys in older campaign files, by their place in the file."""


def mistakes_of(error: ValidationError) -> list[str]:
    """One line a mistake, each with its path into the file."""
    # A default that is made from other values is not made where one of those is wrong; that one is told.
    # A list whose one item is wrong counts as empty, too; the item's own line is enough.
    told = [item for item in error.errors() if item["type"] != "default_factory_not_called"]
    places = [item["loc"] for item in told]
    return [
        _sentence(item)
        for item in told
        if item["type"] != "too_short"
        or not any(place[: len(item["loc"])] == item["loc"] != place for place in places)
    ]


def _place(location: tuple[str | int, ...]) -> str:
    """A pydantic location as people write it: experiments[1].rounds.first."""
    text = ""
    if location[2:4] == ("source", "phantom"):
        location = (*location[:2], *location[3:])  # mostly written in its short form
    elif location[2:5] == ("source", "folder", "path"):
        location = (*location[:2], "folder")
    for before, part in zip(("", *location), location, strict=False):
        if (before == "network" and part in KINDS) or (before == "source" and part in SOURCES):
            continue  # pydantic's own: the file has no such key
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text or "campaign"


def _sentence(error: ErrorDetails) -> str:
    """One pydantic error as one line: place, what is wrong, and the value found."""
    place = _place(error["loc"])
    if error["type"] == "extra_forbidden":
        now = NEW_KEYS.get(re.sub(r"\[\d+\]", "", place))
        return f"{place}: {now}" if now else f"{place}: unknown key"
    if error["type"] == "missing":
        return f"{place}: required, but missing"
    if error["type"] == "union_tag_not_found":
        return f"{place}.kind: required, but missing; one of {_kinds(error)}"
    if error["type"] == "union_tag_invalid":
        return f"{place}.kind: expected one of {_kinds(error)}, got {error['ctx']['tag']!r}"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{place}: {message}" if error["loc"] else message
    return f"{place}: {message[0].lower()}{message[1:]}, got {error['input']!r}"


def _kinds(error: ErrorDetails) -> str:
    """The kinds that there are where one is missing or unknown."""
    return ", ".join(SOURCES if error["loc"][-1] == "source" else KINDS)
