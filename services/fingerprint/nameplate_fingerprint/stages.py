"""An ingested exam measured at the stages of the chain that come after ingest."""

from collections.abc import Iterator

import numpy as np

from nameplate.image.fingerprint.catalogue import Stage
from nameplate.image.fingerprint.measure import measured
from nameplate.image.fingerprint.slices import Numbers, Slices
from nameplate.image.volume import Volume
from nameplate.image.window import Window
from nameplate.pack.packed import brain_only


def measured_stages(image: Volume, mask: Volume, window: Window) -> Iterator[tuple[Stage, Numbers]]:
    """The numbers of one exam: of the volume, through the window, and of the brain alone through it.

    ``image`` is HU and ``mask`` the intracranial mask on its grid, both in canonical order; the image may
    have NaN where nothing is known. Raises ValueError for a mask of another shape.
    """
    if mask.array.shape != image.array.shape:
        raise ValueError(f"a mask of shape {mask.array.shape} for an image of {image.array.shape}")
    yield "nifti", measured(Slices.of_volume(image, mask))
    yield "windowed", measured(_seen(image, mask, window))
    known = image.with_array(np.nan_to_num(image.array, nan=window.low))
    alone = known.with_array(brain_only(known.array, mask.array))
    yield "brain alone", measured(_seen(alone, mask, window))


def _seen(image: Volume, mask: Volume, window: Window) -> Slices:
    """What a network sees: HU clipped to the window."""
    clipped = image.with_array(np.clip(image.array, window.low, window.high))
    return Slices.of_volume(clipped, mask)
