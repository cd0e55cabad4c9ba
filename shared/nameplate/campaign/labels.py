"""Labels of the user's own: a column that says of every exam whether it is positive."""

from typing import Any

from pydantic import field_validator, model_validator

from nameplate.campaign.field import FIELDS, HasFields, is_column_name, number_in
from nameplate.campaign.names import slug
from nameplate.campaign.settings import Settings

_WORDS = {"yes": 1, "true": 1, "no": 0, "false": 0}
"""Spellings of a label beside 1 and 0; case is ignored."""


class LabelSettings(Settings):
    """Which column is the label, and of which table."""

    column: str
    """A column of the cohorts' ``fields_csv``, or a field that ingest reads. Its values are 1 and 0, true and
    false, or yes and no."""
    table: str | None = None
    """Short for ``fields_csv`` of every cohort with a folder, with this one column: a CSV with a column
    ``study``, relative to the campaign file."""
    values: tuple[str, str] | None = None
    """Other values that it may have: the negative one, then the positive one (['none', 'bleed'])."""

    @field_validator("column")
    @classmethod
    def _is_field(cls, value: str) -> str:
        if value not in FIELDS and not is_column_name(value):
            raise ValueError(f"{value!r} cannot name a column")
        return value

    @field_validator("values")
    @classmethod
    def _differ(cls, value: tuple[str, str] | None) -> tuple[str, str] | None:
        if value is not None and (value[0] == value[1] or not all(value)):
            raise ValueError(f"expected two different values: {list(value)}")
        return value

    @model_validator(mode="after")
    def _from_one_place(self) -> "LabelSettings":
        if self.table is not None and self.column in FIELDS:
            raise ValueError(f"table: {self.column!r} is a field that ingest reads itself")
        return self

    @property
    def dataset(self) -> str:
        """The name of its dataset: the column's, as part of keys."""
        return slug(self.column)

    def label_of(self, exam: HasFields) -> int | None:
        """1 or 0; None for an exam without a label, or with a value that is none."""
        value = exam.value_of(self.column)
        if value is None:
            return None
        if self.values is not None:
            return self.values.index(str(value)) if str(value) in self.values else None
        number = number_in(value) if isinstance(value, str) else value
        if number is not None:
            return int(number) if number in (0, 1) else None
        return _WORDS.get(str(value).lower())

    @property
    def expected(self) -> str:
        """The values that count, as messages name them."""
        return "0 and 1, true and false, or yes and no" if self.values is None else " and ".join(self.values)


def with_label_table(raw: dict[str, Any]) -> dict[str, Any]:
    """A campaign file with the labels' table as the ``fields_csv`` of every cohort with a folder.

    What else is wrong in the file is left as it is: the settings tell it.
    """
    try:
        labels = raw["datasets"]["labels"]
        table, column = labels["table"], labels["column"]
        cohorts = {
            name: {"fields_csv": table, "fields": (column,), **cohort} if "folder" in cohort else cohort
            for name, cohort in raw["cohorts"].items()
        }
    except (KeyError, TypeError, AttributeError):
        return raw
    return {**raw, "cohorts": cohorts}
