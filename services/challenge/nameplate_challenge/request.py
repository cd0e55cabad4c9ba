"""The files of one case: named by its number, and by nothing of the patient."""

import json
from dataclasses import dataclass
from pathlib import Path

ENDINGS = ("", ".json", ".txt", ".nii", ".nii.gz")
"""What the name of an output may end in."""


@dataclass(frozen=True, slots=True)
class Request:
    """Where the model finds the image, and where it may write its answer."""

    folder: Path
    number: int
    gzip: bool

    @property
    def image(self) -> Path:
        """Of the case."""
        return self.folder / f"{self.number:06d}.nii{'.gz' if self.gzip else ''}"

    @property
    def output(self) -> Path:
        """To be written by the model; it may add an ending."""
        return self.folder / "output"

    def line(self) -> bytes:
        """The question to a process that serves many cases."""
        return json.dumps({"image": str(self.image), "output": str(self.output)}).encode() + b"\n"

    def written(self) -> list[Path]:
        """The outputs that are there; links do not count."""
        paths = [self.output.with_name(self.output.name + ending) for ending in ENDINGS]
        return [path for path in paths if path.is_file() and not path.is_symlink()]
