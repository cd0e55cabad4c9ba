"""A maker of enhanced multi-frame CT: classical slices written by pydicom as the frames of one file."""

import copy
from collections.abc import Callable
from collections.abc import Sequence as Many
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from nameplate_ingest.dicom import tags
from nameplate_ingest.dicom.enhanced import frames_of
from nameplate_ingest.dicom.header import Elements, read_elements
from nameplate_ingest.dicom.slice import Slice, slice_of

Make = Callable[..., list[Dataset]]
"""The maker of classical slices, ``make_series``."""

ENHANCED, LEGACY = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"

_MOVED = {
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PixelValueTransformationSequence": ("RescaleIntercept", "RescaleSlope", "RescaleType"),
    "CTXRayDetailsSequence": ("KVP",),
    "CTReconstructionSequence": ("ConvolutionKernel", "ReconstructionDiameter"),
}
"""Where the elements of a classical slice go."""
_IN_BINARY = {
    "Exposure": "ExposureInmAs",
    "XRayTubeCurrent": "XRayTubeCurrentInmA",
    "ExposureTime": "ExposureTimeInms",
}
_GONE = ("ImageType", "AcquisitionNumber", "AcquisitionTime", "TemporalPositionIdentifier", "InstanceNumber")


def group(**values: Any) -> Sequence:
    """A sequence of one item."""
    item = Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return Sequence([item])


def functional_groups(slice_: Dataset, stack: str = "1", place: int = 1) -> Dataset:
    """The functional groups that describe a classical slice."""
    item = Dataset()
    for sequence, names in _MOVED.items():
        values = {name: slice_[name].value for name in names if name in slice_}
        if values:
            setattr(item, sequence, group(**values))
    exposure = {to: float(slice_[name].value) for name, to in _IN_BINARY.items() if name in slice_}
    if exposure:
        item.CTExposureSequence = group(**exposure)
    item.CTImageFrameTypeSequence = group(
        FrameType=[*slice_.ImageType[:3], "NONE"][:4],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
    )
    content: dict[str, Any] = {"StackID": stack, "InStackPositionNumber": place}
    content["FrameAcquisitionNumber"] = int(slice_.get("AcquisitionNumber", 1) or 1)
    if "AcquisitionTime" in slice_:
        content["FrameAcquisitionDateTime"] = f"20190304{slice_.AcquisitionTime}"
    if "TemporalPositionIdentifier" in slice_:
        content["TemporalPositionIndex"] = int(slice_.TemporalPositionIdentifier)
    content["DimensionIndexValues"] = [1, place]
    item.FrameContentSequence = group(**content)
    return item


def enhanced_dataset(slices: Many[Dataset], *, shared: bool = True, sop_class: str = ENHANCED) -> Dataset:
    """Slices as the frames of one file, in the order given; with ``shared`` equal groups are written once."""
    dataset = _top(slices, sop_class)
    items = [functional_groups(slice_, place=place) for place, slice_ in enumerate(slices, start=1)]
    common = Dataset()
    for name in [element.keyword for element in items[0]] if shared else []:
        if all(name in item and item[name] == items[0][name] for item in items):
            setattr(common, name, items[0][name].value)
            for item in items:
                delattr(item, name)
    dataset.SharedFunctionalGroupsSequence = Sequence([common])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(items)
    dataset.DimensionIndexSequence = Sequence(
        [
            group(DimensionIndexPointer=0x00209056, FunctionalGroupPointer=0x00209111)[0],
            group(DimensionIndexPointer=0x00209057, FunctionalGroupPointer=0x00209111)[0],
        ]
    )
    return dataset


def legacy_dataset(slices: Many[Dataset]) -> Dataset:
    """Slices as a converter writes them: what it knows no group for is in the unassigned elements."""
    dataset = enhanced_dataset(slices, sop_class=LEGACY)
    for slice_, item in zip(slices, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        unassigned = Dataset()
        for name in ("KVP", "Exposure", "ConvolutionKernel", "AcquisitionNumber", "ContrastBolusAgent"):
            if name in slice_:
                setattr(unassigned, name, slice_[name].value)
        item.UnassignedPerFrameConvertedAttributesSequence = Sequence([unassigned])
    for item in (*dataset.SharedFunctionalGroupsSequence, *dataset.PerFrameFunctionalGroupsSequence):
        for name in ("CTXRayDetailsSequence", "CTReconstructionSequence", "CTExposureSequence"):
            if name in item:
                delattr(item, name)
        if "FrameContentSequence" in item:
            del item.FrameContentSequence[0].FrameAcquisitionNumber
    return dataset


def undefined_lengths(dataset: Dataset) -> Dataset:
    """The same data set, in which every sequence and item is closed by a delimiter."""
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                undefined_lengths(item)
    return dataset


def _top(slices: Many[Dataset], sop_class: str) -> Dataset:
    first = slices[0]
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    moved = {name for names in _MOVED.values() for name in names} | set(_IN_BINARY) | set(_GONE)
    for element in first:
        if element.keyword not in moved:
            dataset[element.tag] = copy.deepcopy(element)
    dataset.SOPClassUID = UID(sop_class)
    dataset.SOPInstanceUID = UID(f"{first.SeriesInstanceUID}.777")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    kinds = {tuple(slice_.ImageType[:3]) for slice_ in slices}
    dataset.ImageType = (
        [*first.ImageType[:3], "NONE"] if len(kinds) == 1 else ["MIXED", "PRIMARY", "VOLUME", "NONE"]
    )
    dataset.NumberOfFrames = len(slices)
    dataset.PixelData = b"".join(slice_.PixelData for slice_ in slices)
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    """Write a file."""
    dataset.save_as(path, enforce_file_format=True)
    return path


def elements_of(path: Path) -> Elements:
    """The top level of a file."""
    elements = read_elements(path, tags.WANTED)
    assert elements is not None
    return elements


def values_of(dataset: Dataset, path: Path) -> list[dict[int, bytes]]:
    """The raw values of the data set's frames, written to ``path``."""
    save(dataset, path)
    return [frame.values for frame in frames_of(path, elements_of(path))]


def images_of(path: Path) -> list[Slice]:
    """The frames of a file as images."""
    frames = frames_of(path, elements_of(path))
    return [slice_of(path, frame, place, len(frames)) for place, frame in enumerate(frames)]
