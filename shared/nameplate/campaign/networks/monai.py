"""Settings of a network of MONAI's: a class of ``monai.networks.nets`` by its name."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from nameplate.campaign.networks.network import Network
from nameplate.campaign.settings import Arguments
from nameplate.campaign.tasks.task import Answers, Sees


class MonaiSettings(Network):
    """One class of ``monai.networks.nets``, and nothing else that could be imported."""

    sees: ClassVar[tuple[Sees, ...]] = ("slices", "volume")
    answers: ClassVar[tuple[Answers, ...]] = ("class", "mask")
    kind: Literal["monai"] = "monai"
    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60)
    """The class, as ``DenseNet121``."""
    arguments: Arguments = Field(default_factory=dict)
    """What its constructor is given beside the numbers of dimensions, channels and voxels, which follow from
    the task and the exams."""

    @field_validator("arguments")
    @classmethod
    def _start_from_nothing(cls, value: Arguments) -> Arguments:
        for name in value:
            if name.startswith(("pretrained", "weights", "path_or_repo")):
                raise ValueError(
                    f"{name!r} would load weights from elsewhere: networks start from drawn ones"
                )
        return value

    @property
    def title(self) -> str:
        """What it is called."""
        return f"MONAI's {self.name}"
