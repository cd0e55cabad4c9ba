"""How two files of one campaign differ, setting by setting. Pure.

Comments, the order of keys and what is left to its default make no difference. A campaign file holds no
secrets.
"""

from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

import yaml

from nameplate.campaign import parse_campaign
from nameplate.errors import NameplateError

MOST_LINES = 40


def difference(known: str, given: str) -> list[str]:
    """The settings that differ, as lines of a unified diff (`-path: value`, `+path: value`).

    Empty for two files that say the same. A file that today's code cannot read is compared as it stands.
    """
    try:
        before, after = (parse_campaign(text, "").model_dump(mode="json") for text in (known, given))
    except NameplateError:
        before, after = _plain(known), _plain(given)
    lines = unified_diff(_lines(before), _lines(after), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def shown(lines: list[str], most: int = MOST_LINES) -> list[str]:
    """The first lines, and how many there are beyond."""
    return lines if len(lines) <= most else [*lines[:most], f"... and {len(lines) - most} lines more"]


def _plain(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _lines(value: Any) -> list[str]:
    return sorted(f"{path}: {leaf}" for path, leaf in _leaves(value, ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every setting by its path; a list of plain values is one setting, an item with a name goes by it."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            name = item.get("name", number) if isinstance(item, dict) else number
            yield from _leaves(item, f"{path}.{name}")
    else:
        yield (
            path,
            yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("\n...\n").strip(),
        )
