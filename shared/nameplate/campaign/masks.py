"""Masks of the user's own: a NIfTI file for each study that says where something is."""

from pydantic import Field

from nameplate.campaign.settings import Settings


class MaskSettings(Settings):
    """What the masks show; where they are is said by each cohort (``masks``)."""

    name: str = Field(default="lesion", pattern=r"^[a-z][a-z0-9-]*$")
    """What is inside them ('hemorrhage'): the name of the dataset, and the word of the report."""

    @property
    def dataset(self) -> str:
        """The name of its dataset."""
        return self.name
