"""Hounsfield windows: the range of HU that a network sees, kept as exact small integers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class Window(BaseModel):
    """A display window as radiology writes it: width and level in HU."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    width: int = Field(gt=0, le=4096, description="HU from the lower to the upper end")
    level: int = Field(ge=-1024, le=3071, description="HU of the middle")

    @property
    def low(self) -> int:
        """HU that maps to the lower end; below it everything is clipped."""
        return self.level - self.width // 2

    @property
    def high(self) -> int:
        """HU that maps to the upper end."""
        return self.low + self.width

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        """The smallest unsigned type that holds every integer HU of the window exactly."""
        return np.uint8 if self.width <= 255 else np.uint16

    def quantise(self, hu: NDArray[Any]) -> NDArray[Any]:
        """HU of any shape -> whole HU above ``low``, clipped to 0..width; exact for integer HU."""
        rounded = np.rint(hu) if np.issubdtype(hu.dtype, np.floating) else hu.astype(np.int32)
        inside: NDArray[Any] = (np.clip(rounded, self.low, self.high) - self.low).astype(self.dtype)
        return inside
