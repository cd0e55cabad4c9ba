"""The base of all settings in a campaign file: strict, frozen, every key known."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, JsonValue


class Settings(BaseModel):
    """Unknown keys and wrong types are errors; values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def as_tuples(value: Any) -> Any:
    """YAML's or JSON's lists as tuples, which the strict, frozen settings hold."""
    if isinstance(value, list):
        return tuple(as_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: as_tuples(item) for key, item in value.items()}
    return value


def _as_lists(value: Any) -> Any:
    """The tuples of ``as_tuples`` as JSON's lists again."""
    if isinstance(value, tuple):
        return [_as_lists(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_lists(item) for key, item in value.items()}
    return value


def _finite(value: JsonValue) -> JsonValue:
    """Raise ValueError for a number that JSON does not have, which no digest could hold."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"expected finite numbers, got {value}")
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        _finite(part)
    return value


Arguments = Annotated[dict[str, JsonValue], BeforeValidator(_as_lists), AfterValidator(_finite)]
"""Named values of JSON, for code that nameplate does not know: texts, numbers, lists, mappings."""
