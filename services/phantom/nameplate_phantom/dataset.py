"""The DICOM datasets of a study's series: CT slices, localizer, screen capture, dose report."""

import datetime
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage, XRayRadiationDoseSRStorage

from nameplate_phantom.dicom import SliceEncoder, decimal, uid
from nameplate_phantom.machine import Machine
from nameplate_phantom.patient import Patient
from nameplate_phantom.stack import Stack

VARYING = (
    (0x0008, 0x0018), (0x0008, 0x0032), (0x0008, 0x0033), (0x0018, 0x0050), (0x0020, 0x0013),
    (0x0020, 0x0032), (0x0020, 0x1041),
)  # fmt: skip
"""What differs between the slices of a series, besides the pixels."""

# The cohort spans several departments, the same ones for every manufacturer.
INSTITUTIONS = ("Zeltmoor General Hospital", "Clinique du Val d'Ombre")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What all files of one study share."""

    seed: int
    cohort: str
    number: int
    """Of the study."""
    head: int
    """Of the patient: all that does not name the study comes from it."""
    patient: Patient
    machine: Machine

    def uid(self, *names: str | int) -> str:
        """A UID of this study."""
        return uid(self.seed, self.cohort, self.number, *names)

    def common(self, series: int, description: str, after_seconds: int) -> Dataset:
        """Patient, study, series and equipment of a file of this series."""
        patient, header = self.patient, self.machine.header
        started = patient.scanned + datetime.timedelta(seconds=after_seconds)
        data = Dataset()
        data.SpecificCharacterSet = "ISO_IR 100"
        data.StudyDate = data.SeriesDate = data.ContentDate = patient.scanned.strftime("%Y%m%d")
        data.StudyTime = patient.scanned.strftime("%H%M%S")
        data.SeriesTime = data.ContentTime = started.strftime("%H%M%S")
        data.AccessionNumber = f"A{self.number:07d}"
        data.Modality = "CT"
        data.Manufacturer = header.manufacturer
        data.InstitutionName = INSTITUTIONS[self.head // 3 % len(INSTITUTIONS)]
        data.ReferringPhysicianName = ""
        data.StationName = header.station
        data.StudyDescription = header.study
        data.SeriesDescription = description
        data.ManufacturerModelName = header.model
        data.PatientName = patient.name
        data.PatientID = patient.identifier
        data.PatientBirthDate = patient.born.strftime("%Y%m%d")
        data.PatientSex = patient.sex
        data.PatientAge = f"{patient.age:03d}Y"
        data.DeviceSerialNumber = f"{10000 + self.head % 7}"
        data.SoftwareVersions = list(header.software)
        data.StudyInstanceUID = self.uid("study")
        data.SeriesInstanceUID = self.uid("series", series)
        data.StudyID = f"{self.number % 10000}"
        data.SeriesNumber = series
        return data

    def _ct(self, series: int, description: str, after_seconds: int) -> Dataset:
        machine = self.machine
        data = self.common(series, description, after_seconds)
        data.SOPClassUID = CTImageStorage
        data.AcquisitionDate = data.StudyDate
        data.BodyPartExamined = "HEAD"
        data.KVP = decimal(machine.kvp)
        data.DataCollectionDiameter = "500"
        data.DistanceSourceToDetector = "1085.6"
        data.DistanceSourceToPatient = "595"
        data.TableHeight = "150"
        data.RotationDirection = "CW"
        data.GantryDetectorTilt = "0"
        data.ExposureTime = 1000
        data.XRayTubeCurrent = machine.mas
        data.Exposure = machine.mas
        if machine.header.filter:
            data.FilterType = machine.header.filter
        if machine.header.options:
            data.ScanOptions = machine.header.options
        data.PatientPosition = "HFS"
        data.ProtocolName = machine.header.study
        data.AcquisitionNumber = series
        data.FrameOfReferenceUID = self.uid("frame")
        data.PositionReferenceIndicator = "OM"
        data.SamplesPerPixel = 1
        data.PhotometricInterpretation = "MONOCHROME2"
        data.RescaleSlope = "1"
        data.RescaleType = "HU"
        return data

    def slices(
        self, series: int, description: str, kernel: tuple[str, ...], stack: Stack, window: tuple[int, int]
    ) -> SliceEncoder:
        """Encoder of an axial series; ``window`` is width and level in HU."""
        padding = self.machine.padding
        data = self._ct(series, description, 60 * series)
        data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        data.ReconstructionDiameter = decimal(stack.matrix * stack.pixel_mm)
        data.GantryDetectorTilt = decimal(stack.tilt_degrees)
        data.ConvolutionKernel = list(kernel)
        data.ImageOrientationPatient = [decimal(value) for value in stack.orientation]
        data.Rows = data.Columns = stack.matrix
        data.PixelSpacing = [decimal(stack.pixel_mm)] * 2
        data.BitsAllocated = 16
        data.BitsStored = padding.bits
        data.HighBit = padding.bits - 1
        data.PixelRepresentation = int(padding.signed)
        if padding.tag and padding.hu is not None:
            value = padding.hu - padding.intercept
            data.add_new(0x00280120, "SS" if padding.signed else "US", value)
        data.WindowWidth, data.WindowCenter = (decimal(value) for value in window)
        data.RescaleIntercept = decimal(padding.intercept)
        for group, element in VARYING:
            if (group, element) in data:
                del data[group, element]
        return SliceEncoder(data, VARYING)

    def localizer(
        self,
        series: int,
        picture: NDArray[np.int16],
        pixel_mm: float,
        centre: NDArray[np.float64],
        *,
        lateral: bool,
        instance: int,
    ) -> Dataset:
        """A localizer picture; ``centre`` is its middle in LPS mm."""
        data = self._ct(series, self.machine.header.localizer, 10)
        data.SOPInstanceUID = self.uid("image", series, instance)
        data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        data.AcquisitionTime = data.ContentTime
        data.InstanceNumber = instance
        row = np.array([0.0, 1.0, 0.0] if lateral else [1.0, 0.0, 0.0])
        column = np.array([0.0, 0.0, -1.0])
        data.ImageOrientationPatient = [decimal(value) for value in (*row, *column)]
        half = np.array(picture.shape[::-1]) * 0.5 - 0.5
        corner = centre - pixel_mm * (half[0] * row + half[1] * column)
        data.ImagePositionPatient = [decimal(value) for value in corner]
        data.SliceThickness = decimal(pixel_mm)
        data.Rows, data.Columns = picture.shape
        data.PixelSpacing = [decimal(pixel_mm)] * 2
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit = 15
        data.PixelRepresentation = 1
        data.WindowWidth, data.WindowCenter = "1200", "100"
        data.RescaleIntercept = "0"
        data.PixelData = picture.astype("<i2").tobytes()
        return data

    def capture(self, series: int, picture: NDArray[np.uint8]) -> Dataset:
        """A secondary capture: (rows, columns) grey or (rows, columns, 3) colour."""
        colour = picture.ndim == 3
        data = self.common(series, "SCREEN SAVE", 900)
        data.SOPClassUID = SecondaryCaptureImageStorage
        data.SOPInstanceUID = self.uid("image", series, 1)
        data.ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
        data.ConversionType = "WSD"
        data.InstanceNumber = 1
        data.PatientOrientation = ""
        data.SamplesPerPixel = 3 if colour else 1
        data.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
        if colour:
            data.PlanarConfiguration = 0
        data.Rows, data.Columns = picture.shape[:2]
        data.BitsAllocated = data.BitsStored = 8
        data.HighBit = 7
        data.PixelRepresentation = 0
        pixels = picture.tobytes()
        data.PixelData = pixels + b"\0" * (len(pixels) % 2)
        data["PixelData"].VR = "OB"
        return data

    def dose_report(self, series: int, ctdi_mgy: float) -> Dataset:
        """A radiation dose report as a structured document."""
        data = self.common(series, "Dose Report", 960)
        data.Modality = "SR"
        data.SOPClassUID = XRayRadiationDoseSRStorage
        data.SOPInstanceUID = self.uid("image", series, 1)
        data.InstanceNumber = 1
        data.CompletionFlag = "COMPLETE"
        data.VerificationFlag = "UNVERIFIED"
        data.ReferencedPerformedProcedureStepSequence = Sequence()
        data.PerformedProcedureCodeSequence = Sequence()
        data.ValueType = "CONTAINER"
        data.ContinuityOfContent = "SEPARATE"
        data.ConceptNameCodeSequence = Sequence([_code("113701", "X-Ray Radiation Dose Report")])
        measured = Dataset()
        measured.NumericValue = decimal(round(ctdi_mgy, 2))
        measured.MeasurementUnitsCodeSequence = Sequence([_code("mGy", "mGy", "UCUM")])
        item = Dataset()
        item.RelationshipType = "CONTAINS"
        item.ValueType = "NUM"
        item.ConceptNameCodeSequence = Sequence([_code("113830", "Mean CTDIvol")])
        item.MeasuredValueSequence = Sequence([measured])
        data.ContentSequence = Sequence([item])
        return data


def _code(value: str, meaning: str, scheme: str = "DCM") -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
