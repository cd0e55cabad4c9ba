"""The base of all settings in a campaign file: strict, frozen, every key known."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Unknown keys and wrong types are errors; values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)
