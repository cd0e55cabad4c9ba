"""Settings of volumes with a table: NIfTI, NRRD or MetaImage instead of DICOM."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from nameplate.campaign.settings import Settings
from nameplate.campaign.sources.source import AnySource


class ColumnSettings(Settings):
    """The table's columns by what they hold. What has no column is not known of any exam."""

    exam: str
    """Names an exam; where neither ``file`` nor the source's ``volume`` is given, also its volume: the file
    without its ending, or the folder that it is in."""
    file: str | None = None
    """The volume's path below the source's ``path``."""
    patient: str | None = None
    """Tells which exams are of one patient; without it every exam is of its own."""
    manufacturer: str | None = None
    model: str | None = None
    software: str | None = None
    kernel: str | None = None
    institution: str | None = None
    age: str | None = None
    """Years, or as DICOM writes them (``063Y``)."""
    sex: str | None = None
    kvp: str | None = None
    exposure_mas: str | None = None
    thickness_mm: str | None = None

    @model_validator(mode="after")
    def _differ(self) -> "ColumnSettings":
        given = [name for name in self.model_dump().values() if name is not None]
        if twice := next((name for name in given if given.count(name) > 1), None):
            raise ValueError(f"{twice!r} is named twice")
        return self


class VolumesSource(AnySource):
    """One volume an exam, in HU, and a table with a row an exam."""

    paths: ClassVar[tuple[str, ...]] = ("path", "table")
    hidden: ClassVar[tuple[str, ...]] = ("path", "table")
    kind: Literal["volumes"] = "volumes"
    path: str
    """The folder of the volumes (.nii, .nii.gz, .nrrd, .mha, .mhd), relative to the campaign file."""
    table: str
    """CSV or TSV with a header, relative to the campaign file."""
    columns: ColumnSettings = Field(default_factory=lambda: ColumnSettings(exam="exam"))
    volume: str | None = None
    """Where an exam's volume is below ``path``, with ``{exam}`` for its name: ``{exam}/ct.nii.gz``. For
    folders with several volumes an exam, where the table has no column of files."""

    @field_validator("volume")
    @classmethod
    def _has_a_place(cls, value: str | None) -> str | None:
        if value is not None and (value.count("{exam}") == 0 or set("{}") & set(value.replace("{exam}", ""))):
            raise ValueError(f"expected a path with {{exam}} for the exam's name, got {value!r}")
        return value

    @model_validator(mode="after")
    def _one_way_to_files(self) -> "VolumesSource":
        if self.volume is not None and self.columns.file is not None:
            raise ValueError("'volume' and 'columns.file' both say where the volumes are: give one")
        return self

    @property
    def summary(self) -> str:
        """What it is."""
        return f"volumes {self.path}"
