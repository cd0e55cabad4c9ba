"""The formats of volumes, by the ends of their names: the one place that names them."""

from pathlib import Path

from nameplate_ingest.refusal import Refused
from nameplate_ingest.voxels.metaimage import read_metaimage_header
from nameplate_ingest.voxels.nearby import inside
from nameplate_ingest.voxels.nifti import read_nifti_header
from nameplate_ingest.voxels.nrrd import read_nrrd_header
from nameplate_ingest.voxels.stored import StoredVolume

_NIFTI, _NRRD, _META = (".nii.gz", ".nii"), (".nrrd", ".nhdr"), (".mha", ".mhd")
ENDINGS = (*_NIFTI, *_NRRD, *_META)
"""A file with another ending is no volume."""
APART = (".nhdr", ".mhd")
"""Of headers that name the file with their voxels."""


def ending_of(name: str) -> str | None:
    """The ending of a volume's name; None for the name of another file.

    >>> ending_of("s0001/ct.nii.gz"), ending_of("HEAD.MHD"), ending_of("meta.csv")
    ('.nii.gz', '.mhd', None)
    """
    return next((ending for ending in ENDINGS if name.lower().endswith(ending)), None)


def read_volume_header(path: Path, folder: Path) -> StoredVolume:
    """What a volume's header says; its files must be below ``folder``. Raises Refused."""
    real = inside(folder, path)
    ending = ending_of(path.name)
    if ending in _NIFTI:
        return read_nifti_header(real)
    if ending in _NRRD:
        return read_nrrd_header(real, folder)
    if ending in _META:
        return read_metaimage_header(real, folder)
    raise Refused("not-volume", "no ending of a volume")
