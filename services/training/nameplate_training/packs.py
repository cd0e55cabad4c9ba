"""Packs in the store: fetched for a job as local, memory-mapped files."""

from nameplate.job.inputs import Inputs
from nameplate.pack.packed import Pack, open_pack
from nameplate.steps.cell import Cell
from nameplate.steps.pack import IMAGES, MASKS, SAMPLES


def fetch_pack(inputs: Inputs, cell: Cell) -> Pack:
    """The pack that the cell's runs read, memory-mapped."""
    place = {"cohort": cell.cohort, "experiment": cell.experiment, "dataset": cell.dataset}
    masks = MASKS.key(**place)
    return open_pack(
        inputs.fetch(IMAGES.key(**place)),
        inputs.fetch(masks) if masks in inputs.keys else None,
        SAMPLES.read(inputs, **place),
    )
