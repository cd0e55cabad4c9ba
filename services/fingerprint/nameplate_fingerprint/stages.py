"""An ingested exam measured at the stages of the chain that come after ingest."""

from collections.abc import Iterator
from dataclasses import replace

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
    slices = Slices.of_volume(image, mask)
    yield "nifti", measured(slices)
    yield "windowed", measured(replace(slices, hu=np.clip(slices.hu, window.low, window.high)))
    known = np.clip(np.nan_to_num(image.array, nan=window.low), window.low, window.high)
    alone = image.with_array(brain_only(known, mask.array))
    yield "brain alone", measured(Slices.of_volume(alone, mask))
