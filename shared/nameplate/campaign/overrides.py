"""Single settings of a campaign file changed for a run: ``--set cohorts.study.phantom.exams=60``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from nameplate.campaign import Campaign, load_campaign, parse_campaign
from nameplate.errors import UserError


def load_with_overrides(path: Path, changes: Sequence[str]) -> tuple[Campaign, str]:
    """The campaign of a file with single settings changed, and its text.

    ``changes`` are KEY=VALUE as ``--set`` takes them, the value in YAML.
    """
    campaign = load_campaign(path)
    text = path.read_text(encoding="utf-8")
    if not changes:
        return campaign, text
    raw = yaml.safe_load(text)
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise UserError(f"--set: expected KEY=VALUE, got {change!r}")
        try:
            _put(raw, key, yaml.safe_load(value))
        except yaml.YAMLError:
            raise UserError(f"--set {key}: {value!r} is not valid YAML; quote it") from None
    text = yaml.safe_dump(raw, sort_keys=False, allow_unicode=True)
    return parse_campaign(text, f"{path} with --set"), text


def _put(raw: Any, path: str, value: Any) -> None:
    """Set one value by its dotted path; a list's items are named by their number or their ``name``.

    Sections that the file leaves out are added; a cohort is not: a new name is probably a typo.
    """
    parts = path.split(".")
    if parts[0] == "cohorts" and len(parts) > 2 and parts[1] not in (raw.get("cohorts") or {}):
        raise UserError(f"--set {path}: no cohort {parts[1]!r}")
    for part in parts[:-1]:
        if isinstance(raw, list):
            raw = _item(raw, part, path)
        else:
            if raw.get(part) is None:
                raw[part] = {}
            raw = raw[part]
        if not isinstance(raw, dict | list):
            raise UserError(f"--set {path}: {part!r} is {raw!r}, not a section")
    if isinstance(raw, list):
        raise UserError(f"--set {path}: name a key of the item")
    raw[parts[-1]] = value


def _item(items: list[Any], name: str, path: str) -> Any:
    for position, item in enumerate(items):
        if name == str(position) or (isinstance(item, dict) and item.get("name") == name):
            return item
    raise UserError(f"--set {path}: no item {name!r}")
