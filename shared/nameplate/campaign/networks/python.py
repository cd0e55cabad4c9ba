"""Settings of a network of the user's own: a function of an installed Python package."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from nameplate.campaign.networks.network import Network
from nameplate.campaign.settings import Arguments
from nameplate.campaign.tasks.task import Answers, Sees

_GIVEN = ("task", "shape")
"""What the function is always given."""
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"


class PythonSettings(Network):
    """A function that returns a ``torch.nn.Module``; what it must keep to is in docs/networks.md."""

    sees: ClassVar[tuple[Sees, ...]] = ("slices", "volume")
    answers: ClassVar[tuple[Answers, ...]] = ("class", "mask")
    kind: Literal["python"] = "python"
    entry: str = Field(pattern=rf"^{_NAME}(\.{_NAME})*:{_NAME}$", max_length=200)
    """``package.module:function``, of what is installed where the campaign runs: never a path, never of the
    store."""
    arguments: Arguments = Field(default_factory=dict)
    """What the function is given beside ``task`` and ``shape``."""

    @field_validator("arguments")
    @classmethod
    def _leave_ours(cls, value: Arguments) -> Arguments:
        if taken := [name for name in _GIVEN if name in value]:
            raise ValueError(f"{taken[0]!r} is given to every network and cannot be set")
        return value

    @property
    def title(self) -> str:
        """What it is called."""
        return self.entry
