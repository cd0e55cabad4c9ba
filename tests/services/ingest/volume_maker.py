"""A maker of volumes: the heads of the other tests as NIfTI, NRRD and MetaImage, written by SimpleITK."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import VolumesSource
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.ingest import IngestSummary, ingest_source
from nameplate_ingest.sources.volumes import Volumes
from nameplate_ingest.tables import Tables

KEY = b"a key for these tests"
SMALL = IngestSettings(matrix=64)
EVERY = {
    "patient": "pat",
    "manufacturer": "maker",
    "model": "model",
    "software": "sw",
    "kernel": "kernel",
    "institution": "site",
    "age": "age",
    "sex": "sex",
    "kvp": "kvp",
    "exposure_mas": "mas",
    "thickness_mm": "thick",
}
ROW = {
    "maker": "SIEMENS",
    "model": "Emotion 16",
    "sw": "syngo 1.0",
    "kernel": "H31s",
    "site": "Hospital Nowhere",
    "age": "61",
    "sex": "F",
    "kvp": "120",
    "mas": "250",
    "thick": "5.0",
}
"""As the headers of the other tests have it."""


def exam(name: str) -> str:
    """The pseudonym of an exam."""
    return Pseudonyms(KEY).of("e", name)


def image_of(
    head: Callable[..., Any],
    *,
    size: tuple[int, int, int] = (64, 64, 30),
    spacing: tuple[float, float, float] = (3.125, 3.125, 5.0),
    origin: tuple[float, float, float] = (-100.0, -100.0, -75.0),
    direction: Sequence[float] = (1, 0, 0, 0, 1, 0, 0, 0, 1),
    dtype: Any = np.int16,
    change: Callable[[Any], Any] = lambda hu: hu,
) -> sitk.Image:
    """The head on a grid, changed where asked; all vectors in LPS."""
    steps = np.array(direction, float).reshape(3, 3) * np.array(spacing)
    k, j, i = np.indices(size[::-1])
    x, y, z = (steps[row, 0] * i + steps[row, 1] * j + steps[row, 2] * k + origin[row] for row in range(3))
    image = sitk.GetImageFromArray(np.asarray(change(np.rint(head(x, y, z))), dtype=dtype))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(tuple(direction))
    return image


def write_table(path: Path, rows: Iterable[Mapping[str, str]], delimiter: str = ",") -> Path:
    """A table with the columns of its first row."""
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def settings_of(columns: Mapping[str, str] = {"exam": "exam", **EVERY}, **more: Any) -> VolumesSource:
    """Settings whose paths nobody reads."""
    return VolumesSource.model_validate(
        {"kind": "volumes", "path": "v", "table": "t.csv", "columns": dict(columns), **more}
    )


def run(
    folder: Path,
    table: Path,
    out: Path,
    settings: VolumesSource | None = None,
    *,
    fields: Sequence[str] = (),
    masks: Path | None = None,
    ingest: IngestSettings = SMALL,
    **options: Any,
) -> IngestSummary:
    """Ingest the volumes."""
    source = Volumes(folder, table, settings or settings_of(), fields)
    return ingest_source(source, out, ingest, key=KEY, tables=Tables(masks=masks), **options)


def lines(out: Path, name: str) -> list[dict[str, Any]]:
    """A file of lines."""
    return [json.loads(line) for line in (out / name).read_text().splitlines()]


def refusals(out: Path) -> dict[str | None, tuple[str, str]]:
    """Rule and what it saw, by exam; of what is of no exam the last one."""
    rows = (row for row in lines(out, "ledger.jsonl") if row["verdict"] == "refused")
    return {row["exam"]: (row["rule"], row["seen"]) for row in rows}
