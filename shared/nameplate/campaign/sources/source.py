"""What the settings of every source of exams have in common."""

import re
from abc import abstractmethod
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from nameplate.campaign.settings import Settings


class AnySource(Settings):
    """Where a cohort's exams come from: settings of its kind alone, since each kind is a class of its own."""

    paths: ClassVar[tuple[str, ...]] = ()
    """Fields with a file or folder on this machine, relative to the campaign file. Whether those changed can
    be seen by a look at names, sizes and times; a source without any is listed anew whenever a campaign is
    started."""
    hidden: ClassVar[tuple[str, ...]] = ()
    """Fields that name places, people or accounts, which no report may show."""

    manner: ClassVar[tuple[str, ...]] = ()
    """Fields that say how it is asked and not for what: a change of theirs makes nothing be done again."""

    @property
    @abstractmethod
    def summary(self) -> str:
        """What it is, in a few words for a plan's lines."""

    @property
    def at_once(self) -> int | None:
        """How many shards may ask it at the same time; None for any number."""
        return None

    @property
    def server(self) -> str | None:
        """What answers, where that is somebody's and may be asked only so much; cohorts may share it."""
        return None

    def shown(self) -> "AnySource":
        """The same without what no report may show."""
        told = {name: "(not shown)" for name in self.hidden if getattr(self, name) is not None}
        return self.model_copy(update=told)


def unshown(pattern: str, expected: str) -> AfterValidator:
    """A whole text must match; one that does not is refused without being shown: it may hold a password."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"expected {expected}")
        return text

    return AfterValidator(check)


def _is_account(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
        raise ValueError(f"{name!r} must be lower-case letters, digits and dashes")
    if name == "default":
        raise ValueError("'default' is what the account without a name is called: leave `account` out")
    return name


Account = Annotated[str, AfterValidator(_is_account)]
"""The name of an account: which environment variables hold it, never what is in them."""
