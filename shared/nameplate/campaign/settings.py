"""The base of all settings in a campaign file: strict, frozen, every key known."""

from typing import Any

from pydantic import BaseModel, ConfigDict


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
